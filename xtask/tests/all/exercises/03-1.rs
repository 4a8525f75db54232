//// solved
fn waiting(mut stop: watch::Receiver<()>) -> impl Idle {
    async move { while stop.changed().await.is_ok() {} }
}
//// wrong: ends when something is sent
fn waiting(mut stop: watch::Receiver<()>) -> impl Idle {
    async move { _ = stop.changed().await; }
}
//// wrong: does not wait
fn waiting(stop: watch::Receiver<()>) -> impl Idle {
    async move { drop(stop); }
}
//// wrong: asks once, before anything has happened
fn waiting(stop: watch::Receiver<()>) -> impl Idle {
    async move { if stop.has_changed().is_ok() { pending::<()>().await } }
}
