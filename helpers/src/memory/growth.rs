//! How a series grows.

/// How a series grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryGrowth {
    /// Things at the end of the series, 100 to 10,000,000,000.
    pub count: u64,
    /// Steps on the way, with a reading after each, 5 to 1,000.
    pub steps: u64,
}

impl Default for MemoryGrowth {
    fn default() -> Self {
        Self {
            count: 100_000,
            steps: 20,
        }
    }
}
