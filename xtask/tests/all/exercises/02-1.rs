//// solved
fn mine() -> Contender {
    Contender::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|hold| { own += 1; hold.spin() });
        work.finish(|| *value.lock() += own);
    }, |value| *value.lock())
}
//// wrong: the work is not done
fn mine() -> Contender {
    Contender::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|hold| { own += 1; hold.elsewhere() });
        work.finish(|| *value.lock() += own);
    }, |value| *value.lock())
}
//// wrong: each thread forgets its last addition
fn mine() -> Contender {
    Contender::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|hold| { own += 1; hold.spin() });
        work.finish(|| *value.lock() += own - 1);
    }, |value| *value.lock())
}
//// wrong: the work outside, and a lock for each addition all the same
fn mine() -> Contender {
    Contender::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        work.repeat(|hold| { let held = hold.spin(); *value.lock() += 1; held });
    }, |value| *value.lock())
}
