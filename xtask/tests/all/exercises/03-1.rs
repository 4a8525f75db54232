//// solved
async fn waiting(mut stop: watch::Receiver<()>) {
    while stop.changed().await.is_ok() {}
}
//// wrong: ends when something is sent
async fn waiting(mut stop: watch::Receiver<()>) {
    _ = stop.changed().await;
}
//// wrong: does not wait
async fn waiting(stop: watch::Receiver<()>) {
    drop(stop);
}
//// wrong: asks once, before anything has happened
async fn waiting(stop: watch::Receiver<()>) {
    if stop.has_changed().is_ok() {
        pending::<()>().await
    }
}
