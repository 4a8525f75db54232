//// solved
#[derive(Default)]
#[repr(align(128))]
struct Line(Mutex<u64>);
#[derive(Default)]
struct Two {
    first: Line,
    second: Line,
}
//// wrong: the whole begins with a line, and both locks are in it
#[derive(Default)]
#[repr(align(128))]
struct Two {
    first: Mutex<u64>,
    second: Mutex<u64>,
}
//// wrong: room between them, and the whole may lie anywhere
#[derive(Default)]
#[repr(C)]
struct Two {
    first: Mutex<u64>,
    room: [u64; 16],
    second: Mutex<u64>,
}
//// wrong: lines of 64 bytes
#[derive(Default)]
#[repr(align(64))]
struct Line(Mutex<u64>);
#[derive(Default)]
struct Two {
    first: Line,
    second: Line,
}
