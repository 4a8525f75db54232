//// solved
fn add_fetched(counter: &middle::Counter, fetch: impl FnOnce() -> u64) {
    let more = fetch();
    counter.with(|value| *value += more);
}
//// wrong: the nap is inside still
fn add_fetched(counter: &middle::Counter, fetch: impl FnOnce() -> u64) {
    counter.with(|value| {
        let more = fetch();
        *value += more;
    });
}
//// wrong: what others add during the nap is overwritten
fn add_fetched(counter: &middle::Counter, fetch: impl FnOnce() -> u64) {
    let seen = counter.with(|value| *value);
    let total = seen + fetch();
    counter.with(|value| *value = total);
}
//// wrong: nothing is fetched
fn add_fetched(counter: &middle::Counter, _: impl FnOnce() -> u64) {
    counter.with(|value| *value += 1);
}
