mod lossy {
    use super::{Count, sync::atomic::{AtomicU64, Ordering::Relaxed}};
    #[derive(Default)]
    pub struct Counter { value: AtomicU64 }
    impl Counter {
        pub fn increment_with(&self, pause: impl FnOnce(u64)) {
            let seen = self.value.load(Relaxed);
            pause(seen);
            self.value.store(seen + 1, Relaxed);
        }
    }
    impl Count for Counter {
        fn increment(&self) { self.increment_with(|_| ()) }
        fn get(&self) -> u64 { self.value.load(Relaxed) }
    }
}
