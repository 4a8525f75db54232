//// solved
async fn reader(table: Arc<[u8; 1_024]>, go_on: Arc<tokio::sync::Notify>) -> u64 {
    go_on.notified().await;
    table.iter().map(|&byte| u64::from(byte)).sum()
}
//// wrong: the copy has only moved to the heap
async fn reader(table: Arc<[u8; 1_024]>, go_on: Arc<tokio::sync::Notify>) -> u64 {
    let copy = table.to_vec();
    drop(table);
    go_on.notified().await;
    copy.iter().map(|&byte| u64::from(byte)).sum()
}
//// wrong: does not wait
async fn reader(table: Arc<[u8; 1_024]>, _go_on: Arc<tokio::sync::Notify>) -> u64 {
    table.iter().map(|&byte| u64::from(byte)).sum()
}
//// wrong: forgets the table
async fn reader(_table: Arc<[u8; 1_024]>, go_on: Arc<tokio::sync::Notify>) -> u64 {
    go_on.notified().await;
    1_024
}
