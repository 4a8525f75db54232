//// solved
fn mine() -> Design {
    let add = |value: &Mutex<u64>, work: &mut Work| {
        let mut own = 0;
        work.repeat(|section| {
            own += 1;
            section.work()
        });
        work.finish(|| *value.lock().unwrap() += own);
    };
    Design::new("mine", Family::Lock, || Mutex::new(0), add, |value| *value.lock().unwrap())
}
//// wrong: the work is not done
fn mine() -> Design {
    let add = |value: &Mutex<u64>, work: &mut Work| {
        let mut own = 0;
        work.repeat(|section| {
            own += 1;
            section.delegated()
        });
        work.finish(|| *value.lock().unwrap() += own);
    };
    Design::new("mine", Family::Lock, || Mutex::new(0), add, |value| *value.lock().unwrap())
}
//// wrong: each thread forgets its last addition
fn mine() -> Design {
    let add = |value: &Mutex<u64>, work: &mut Work| {
        let mut own = 0;
        work.repeat(|section| {
            own += 1;
            section.work()
        });
        work.finish(|| *value.lock().unwrap() += own - 1);
    };
    Design::new("mine", Family::Lock, || Mutex::new(0), add, |value| *value.lock().unwrap())
}
//// wrong: it waits for a lock that it holds
fn mine() -> Design {
    let add = |value: &Mutex<u64>, work: &mut Work| {
        work.repeat(|section| {
            let _held = value.lock().unwrap();
            *value.lock().unwrap() += 1;
            section.work()
        });
    };
    Design::new("mine", Family::Lock, || Mutex::new(0), add, |value| *value.lock().unwrap())
}
