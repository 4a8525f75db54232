//// solved
fn take(purse: &parking_lot::Mutex<u64>, amount: u64) -> bool {
    let mut left = purse.lock();
    let enough = *left >= amount;
    if enough {
        *left -= amount;
    }
    enough
}
//// wrong: the thread that holds the guard waits for itself
fn take(purse: &parking_lot::Mutex<u64>, amount: u64) -> bool {
    let mut left = purse.lock();
    let enough = *purse.lock() >= amount;
    if enough {
        *left -= amount;
    }
    enough
}
//// wrong: a guard for the check and another for the act
fn take(purse: &parking_lot::Mutex<u64>, amount: u64) -> bool {
    let enough = *purse.lock() >= amount;
    if enough {
        let mut left = purse.lock();
        *left = left.saturating_sub(amount);
    }
    enough
}
//// wrong: one guard, and the answer does not say what was done
fn take(purse: &parking_lot::Mutex<u64>, amount: u64) -> bool {
    let mut left = purse.lock();
    if *left >= amount {
        *left -= amount;
    }
    true
}
