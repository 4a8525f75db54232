mod atomic {
    use super::{Count, sync::atomic::{AtomicU64, Ordering::Relaxed}};
    #[derive(Default)]
    pub struct Counter { value: AtomicU64 }
    impl Count for Counter {
        fn increment(&self) { self.value.fetch_add(1, Relaxed); }
        fn get(&self) -> u64 { self.value.load(Relaxed) }
    }
}
