fn crossed(steps: &Steps) -> Result<bool> {
    let (counters, arrived) = ([(); 2].map(|()| exposed::Counter::default()), Default::default());
    let (bound, note) = (patience()?, |thread, step| steps.lock().push((thread, step)));
    let stuck = on_threads(2, |thread| {
        let (own, other) = (thread, 1 - thread);
        let _own = counters[own].lock();
        note(thread, format!("locks {own}"));
        meet(&arrived, 2)?;
        let second = counters[other].try_lock_for(bound);
        note(thread, format!("{} {other}", if second.is_some() { "locks" } else { "gives up" }));
        meet(&arrived, 4)?;
        Ok(second.is_none())
    })?;
    Ok(stuck.into_iter().collect::<Result<Vec<bool>>>()? == [true, true])
}
