trait Count: Default + Sync {
    fn increment(&self);
    fn get(&self) -> u64;
}
