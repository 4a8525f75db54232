fn read(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}
fn write(counter: &AtomicU64, seen: u64) -> u64 {
    counter.store(seen + 1, Relaxed);
    seen + 1
}
fn increment(counter: &AtomicU64) {
    let seen = read(counter);
    write(counter, seen);
}
