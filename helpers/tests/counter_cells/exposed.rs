mod exposed {
    use super::{Duration, parking_lot::{Mutex, MutexGuard}};
    #[derive(Default)]
    pub struct Counter { value: Mutex<u64> }
    impl Counter {
        pub fn lock(&self) -> MutexGuard<'_, u64> { self.value.lock() }
        pub fn try_lock_for(&self, bound: Duration) -> Option<MutexGuard<'_, u64>> {
            self.value.try_lock_for(bound)
        }
    }
}
