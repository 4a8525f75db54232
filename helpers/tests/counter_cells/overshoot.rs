fn overshoot(threads: usize, steps: &Steps) -> Result<f64> {
    let (counter, arrived) = (guarded::Counter::default(), Default::default());
    let note = |thread, step| steps.lock().push((thread, step));
    let met = on_threads(threads, |thread| {
        let mut met = Ok(());
        increment_if_below(&counter, 1, |seen| {
            note(thread, format!("sees {seen}, below 1"));
            met = meet(&arrived, threads);
        });
        note(thread, "has added 1".into());
        met
    })?;
    met.into_iter().collect::<Result<()>>()?;
    Ok(counter.get() as f64 - 1.0)
}
