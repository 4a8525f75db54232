//// solved
mod purse {
    pub struct Purse { left: super::parking_lot::Mutex<u64> }
    impl Purse {
        pub fn new(left: u64) -> Self { Self { left: left.into() } }
        pub fn left(&self) -> u64 { *self.left.lock() }
        pub fn take(&self, amount: u64) -> bool {
            let mut left = self.left.lock();
            let enough = *left >= amount;
            if enough { *left -= amount; }
            enough
        }
    }
}
//// wrong: the thread that holds the guard waits for itself
mod purse {
    pub struct Purse { left: super::parking_lot::Mutex<u64> }
    impl Purse {
        pub fn new(left: u64) -> Self { Self { left: left.into() } }
        pub fn left(&self) -> u64 { *self.left.lock() }
        pub fn take(&self, amount: u64) -> bool {
            let mut left = self.left.lock();
            let enough = self.left() >= amount;
            if enough { *left -= amount; }
            enough
        }
    }
}
//// wrong: a guard for the check and another for the act
mod purse {
    pub struct Purse { left: super::parking_lot::Mutex<u64> }
    impl Purse {
        pub fn new(left: u64) -> Self { Self { left: left.into() } }
        pub fn left(&self) -> u64 { *self.left.lock() }
        pub fn take(&self, amount: u64) -> bool {
            let enough = { let left = self.left.lock(); *left >= amount };
            if enough { let mut left = self.left.lock(); *left = left.saturating_sub(amount); }
            enough
        }
    }
}
//// wrong: one call, and the answer does not say what was done
mod purse {
    pub struct Purse { left: super::parking_lot::Mutex<u64> }
    impl Purse {
        pub fn new(left: u64) -> Self { Self { left: left.into() } }
        pub fn left(&self) -> u64 { *self.left.lock() }
        pub fn take(&self, amount: u64) -> bool {
            let mut left = self.left.lock();
            if *left >= amount { *left -= amount; }
            true
        }
    }
}
