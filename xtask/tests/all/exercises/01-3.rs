//// solved
fn drain(queue: &Queue, job: &mut dyn FnMut(u64)) {
    loop {
        let next = queue.lock().pop();
        let Some(number) = next else { return };
        job(number);
    }
}
//// wrong: the guard has a name, and lives as long
fn drain(queue: &Queue, job: &mut dyn FnMut(u64)) {
    let mut jobs = queue.lock();
    while let Some(number) = jobs.pop() {
        job(number);
    }
}
//// wrong: one job, and no more
fn drain(queue: &Queue, job: &mut dyn FnMut(u64)) {
    let next = queue.lock().pop();
    if let Some(number) = next {
        job(number);
    }
}
//// wrong: the queue is locked twice
fn drain(queue: &Queue, job: &mut dyn FnMut(u64)) {
    while let Some(number) = queue.lock().pop() {
        drop(queue.lock());
        job(number);
    }
}
