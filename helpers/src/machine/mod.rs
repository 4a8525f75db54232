//! What the system tells: cores, limits, load, the stamp.

pub(crate) mod allocator;
pub(crate) mod clock;
pub(crate) mod cores;
pub(crate) mod files;
pub(crate) mod limits;
pub(crate) mod load;
pub(crate) mod stamp;
