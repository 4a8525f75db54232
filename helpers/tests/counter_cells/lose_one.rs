type Steps = parking_lot::Mutex<Vec<(usize, String)>>; // which thread, and what it did
fn lose_one(steps: &Steps) -> Result<u64> {
    let (counter, arrived) = (lossy::Counter::default(), Default::default());
    let note = |thread, step| steps.lock().push((thread, step));
    let met = on_threads(2, |thread| {
        let (mut met, mut write) = (Ok(()), 0);
        counter.increment_with(|seen| {
            note(thread, format!("reads {seen}"));
            (met, write) = (meet(&arrived, 2), seen + 1);
        });
        note(thread, format!("writes {write}"));
        met
    })?;
    met.into_iter().collect::<Result<()>>()?;
    Ok(counter.get())
}
