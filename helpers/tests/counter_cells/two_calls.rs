fn look_then_sell(sold: &guarded::Counter) -> bool {
    let free = sold.get() < SEATS;
    if free {
        sold.increment();
    }
    free
}
