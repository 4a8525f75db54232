use sync::atomic::{AtomicUsize, Ordering::SeqCst};
fn meet(arrived: &AtomicUsize, expected: usize) -> Result<()> {
    arrived.fetch_add(1, SeqCst);
    let end = Instant::now() + Duration::from_secs(5);
    while arrived.load(SeqCst) < expected {
        if Instant::now() > end {
            return Err(Error::new("meet", "a thread did not come in 5 s", "threads that all come"));
        }
        std::thread::yield_now();
    }
    Ok(())
}
