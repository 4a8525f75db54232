//// solved
async fn add_one_later(total: &parking_lot::Mutex<u64>) {
    tokio::task::yield_now().await;
    *total.lock() += 1;
}
//// wrong: the guard has no name, and lives as long
async fn add_one_later(total: &parking_lot::Mutex<u64>) {
    match &mut *total.lock() {
        total => { tokio::task::yield_now().await; *total += 1 }
    }
}
//// wrong: two guards, and what others add between them is lost
async fn add_one_later(total: &parking_lot::Mutex<u64>) {
    let seen = *total.lock();
    tokio::task::yield_now().await;
    *total.lock() = seen + 1;
}
//// wrong: it does not give way any more
async fn add_one_later(total: &parking_lot::Mutex<u64>) {
    *total.lock() += 1;
}
