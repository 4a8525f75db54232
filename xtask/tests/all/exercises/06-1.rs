//// solved
async fn my_round(requests: u64, helper: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>) {
    let mut helpers = tokio::task::JoinSet::new();
    for _ in 0..2 * requests { helpers.spawn(helper()); }
    tokio::time::sleep(Duration::from_millis(20)).await;
    helpers.shutdown().await;
}
//// wrong: starts one helper a request
async fn my_round(requests: u64, helper: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>) {
    let mut helpers = tokio::task::JoinSet::new();
    for _ in 0..requests { helpers.spawn(helper()); }
    tokio::time::sleep(Duration::from_millis(20)).await;
    helpers.shutdown().await;
}
//// wrong: ends them before they begin
async fn my_round(requests: u64, helper: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>) {
    let mut helpers = tokio::task::JoinSet::new();
    for _ in 0..2 * requests { helpers.spawn(helper()); }
    helpers.shutdown().await;
}
//// wrong: waits for an end that does not come
async fn my_round(requests: u64, helper: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>) {
    let mut helpers = tokio::task::JoinSet::new();
    for _ in 0..2 * requests { helpers.spawn(helper()); }
    while helpers.join_next().await.is_some() {}
}
