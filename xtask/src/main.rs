//! The commands around the notebooks.
fn main() {}
