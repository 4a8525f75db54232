// Bit i says which thread takes step i. A thread's first step reads, its second writes.
fn total_after(schedule: u32) -> u64 {
    let (mut total, mut seen) = (0, [None, None]);
    for step in 0..4 {
        let thread = (schedule >> step & 1) as usize;
        match seen[thread] {
            None => seen[thread] = Some(total),
            Some(value) => total = value + 1,
        }
    }
    total
}
