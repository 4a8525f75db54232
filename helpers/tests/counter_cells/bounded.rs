mod bounded {
    use super::parking_lot::Mutex;
    #[derive(Default)]
    pub struct Counter { value: Mutex<u64> }
    impl Counter {
        pub fn get(&self) -> u64 { *self.value.lock() }
        pub fn increment_below(&self, limit: u64) -> bool {
            let mut value = self.value.lock();
            let below = *value < limit;
            if below { *value += 1; }
            below
        }
    }
}
