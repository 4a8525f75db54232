//// solved
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
async fn helper(started: Arc<AtomicU64>) {
    started.fetch_add(1, Ordering::Relaxed);
    pending::<()>().await
}
async fn my_round(requests: u64, started: &Arc<AtomicU64>) {
    let mut helpers = JoinSet::new();
    for _ in 0..2 * requests {
        helpers.spawn(helper(started.clone()));
    }
    sleep(Duration::from_millis(20)).await;
    helpers.shutdown().await;
}
//// wrong: starts one helper a request
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
async fn helper(started: Arc<AtomicU64>) {
    started.fetch_add(1, Ordering::Relaxed);
    pending::<()>().await
}
async fn my_round(requests: u64, started: &Arc<AtomicU64>) {
    let mut helpers = JoinSet::new();
    for _ in 0..requests {
        helpers.spawn(helper(started.clone()));
    }
    sleep(Duration::from_millis(20)).await;
    helpers.shutdown().await;
}
//// wrong: ends them before they begin
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
async fn helper(started: Arc<AtomicU64>) {
    started.fetch_add(1, Ordering::Relaxed);
    pending::<()>().await
}
async fn my_round(requests: u64, started: &Arc<AtomicU64>) {
    let mut helpers = JoinSet::new();
    for _ in 0..2 * requests {
        helpers.spawn(helper(started.clone()));
    }
    helpers.shutdown().await;
}
//// wrong: waits for an end that does not come
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
async fn helper(started: Arc<AtomicU64>) {
    started.fetch_add(1, Ordering::Relaxed);
    pending::<()>().await
}
async fn my_round(requests: u64, started: &Arc<AtomicU64>) {
    let mut helpers = JoinSet::new();
    for _ in 0..2 * requests {
        helpers.spawn(helper(started.clone()));
    }
    while helpers.join_next().await.is_some() {}
}
