fn increment_if_below<C: Count>(counter: &C, limit: u64, pause: impl FnOnce(u64)) -> bool {
    let seen = counter.get();
    pause(seen);
    if seen < limit { counter.increment(); }
    seen < limit
}
