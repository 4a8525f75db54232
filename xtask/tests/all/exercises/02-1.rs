//// solved
fn mine() -> Design {
    Design::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|section| { own += 1; section.work() });
        work.finish(|| *value.lock() += own);
    }, |value| *value.lock())
}
//// wrong: the work is not done
fn mine() -> Design {
    Design::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|section| { own += 1; section.delegated() });
        work.finish(|| *value.lock() += own);
    }, |value| *value.lock())
}
//// wrong: each thread forgets its last addition
fn mine() -> Design {
    Design::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        let mut own = 0;
        work.repeat(|section| { own += 1; section.work() });
        work.finish(|| *value.lock() += own - 1);
    }, |value| *value.lock())
}
//// wrong: the work outside, and a lock for each addition all the same
fn mine() -> Design {
    Design::new("mine", Family::Lock, || parking_lot::Mutex::new(0), |value, work| {
        work.repeat(|section| { let times = section.work(); *value.lock() += 1; times });
    }, |value| *value.lock())
}
