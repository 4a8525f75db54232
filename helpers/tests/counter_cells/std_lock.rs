mod std_lock {
    use super::{Count, sync::Mutex};
    #[derive(Default)]
    pub struct Counter { value: Mutex<u64> }
    impl Count for Counter {
        fn increment(&self) { *self.value.lock().unwrap() += 1; }
        fn get(&self) -> u64 { *self.value.lock().unwrap() }
    }
}
