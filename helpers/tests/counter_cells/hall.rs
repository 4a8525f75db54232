#[derive(Default)]
struct Hall {
    sold: parking_lot::Mutex<u64>,
}
impl Hall {
    fn sell(&self) -> bool {
        let mut sold = self.sold.lock();
        let free = *sold < SEATS;
        *sold += u64::from(free);
        free
    }
}
