use std::rc::Rc;
async fn hold_across(counter: Rc<exposed::Counter>, bound: Duration) -> bool {
    let guard = counter.try_lock_for(bound);
    tokio::task::yield_now().await;
    guard.is_none()
}
fn stuck_on_one_thread() -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (local, counter) = (tokio::task::LocalSet::new(), Rc::<exposed::Counter>::default());
    let bound = patience()?;
    let tasks = [0, 1].map(|_| local.spawn_local(hold_across(Rc::clone(&counter), bound)));
    let gave_up = tasks.map(|task| local.block_on(&runtime, task).expect("a task that ends"));
    Ok(gave_up == [false, true])
}
