mod guarded {
    use super::parking_lot::Mutex;
    #[derive(Default)]
    pub struct Counter {
        value: Mutex<u64>, // stands around what it protects: no way in but `lock()`
    }
    impl Counter {
        pub fn increment(&self) {
            *self.value.lock() += 1; // the guard is dropped here, also in a panic
        }
        pub fn get(&self) -> u64 {
            *self.value.lock()
        }
    }
}
