//// solved
fn move_one(from: &Exposed, to: &Exposed) {
    if std::ptr::eq(from, to) {
        return;
    }
    let from_first = std::ptr::from_ref(from) < std::ptr::from_ref(to);
    let [first, second] = if from_first { [from, to] } else { [to, from] };
    let [mut first, mut second] = [first.lock(), second.lock()];
    let [from, to] = if from_first { [&mut first, &mut second] } else { [&mut second, &mut first] };
    **from -= 1;
    **to += 1;
}
//// wrong: in one order, but a counter to itself waits for itself
fn move_one(from: &Exposed, to: &Exposed) {
    let from_first = std::ptr::from_ref(from) < std::ptr::from_ref(to);
    let [first, second] = if from_first { [from, to] } else { [to, from] };
    let [mut first, mut second] = [first.lock(), second.lock()];
    let [from, to] = if from_first { [&mut first, &mut second] } else { [&mut second, &mut first] };
    **from -= 1;
    **to += 1;
}
//// wrong: one lock at a time, so that half of a move is seen
fn move_one(from: &Exposed, to: &Exposed) {
    *from.lock() -= 1;
    *to.lock() += 1;
}
//// wrong: where a lock is taken, nothing is moved
fn move_one(from: &Exposed, to: &Exposed) {
    let Some(mut from) = from.try_lock() else { return };
    let Some(mut to) = to.try_lock() else { return };
    *from -= 1;
    *to += 1;
}
