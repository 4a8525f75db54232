//// solved
async fn add_one_later(total: &Exposed) {
    tokio::task::yield_now().await;
    *total.lock() += 1;
}
//// wrong: the guard has no name, and lives as long
async fn add_one_later(total: &Exposed) {
    match &mut *total.lock() {
        total => { tokio::task::yield_now().await; *total += 1 }
    }
}
//// wrong: two guards, and what others add between them is lost
async fn add_one_later(total: &Exposed) {
    let seen = *total.lock();
    tokio::task::yield_now().await;
    *total.lock() = seen + 1;
}
//// wrong: it does not give way any more
async fn add_one_later(total: &Exposed) {
    *total.lock() += 1;
}
