fn patience() -> Result<Duration> {
    within("PATIENCE_US", PATIENCE_US, 1..=1_000)?;
    Ok(Duration::from_micros(PATIENCE_US))
}
fn locks_twice() -> Result<bool> {
    let counter = exposed::Counter::default();
    let _held = counter.lock();
    Ok(counter.try_lock_for(patience()?).is_none())
}
