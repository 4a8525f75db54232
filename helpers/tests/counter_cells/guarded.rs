mod guarded {
    use super::{Count, parking_lot::Mutex};
    #[derive(Default)]
    pub struct Counter { value: Mutex<u64> }
    impl Count for Counter {
        fn increment(&self) { *self.value.lock() += 1; }
        fn get(&self) -> u64 { *self.value.lock() }
    }
}
