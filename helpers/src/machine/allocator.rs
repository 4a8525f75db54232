//! The allocator: what it has in use and in holes, and how to have it give back.

use crate::machine::files;

/// What glibc's allocator says of itself: bytes in use, and bytes free in holes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn heap() -> Option<(u64, u64)> {
    // By name, since a glibc before 2.33 has no such function and the crate would not load. SAFETY:
    // the name ends in 0, and the function that has it takes nothing and returns the struct.
    let ask: extern "C" fn() -> libc::mallinfo2 = unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr());
        std::mem::transmute::<Option<std::ptr::NonNull<_>>, _>(Some(std::ptr::NonNull::new(found)?))
    };
    let info = ask();
    Some((
        (info.uordblks + info.hblkhd) as u64,
        info.fordblks.saturating_sub(info.keepcost) as u64,
    ))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn heap() -> Option<(u64, u64)> {
    None
}

/// Bytes that the allocator has given out. Where another has taken the place of glibc's, that one
/// still answers; it is believed if what is taken shows.
pub(crate) fn heap_in_use() -> Option<u64> {
    // Three times, since another thread may give some back meanwhile.
    (0..3).find_map(|_| {
        let (before, _) = heap()?;
        let probe = std::hint::black_box(Vec::<u8>::with_capacity(1 << 12));
        let (with_probe, _) = heap()?;
        (with_probe >= before + probe.capacity() as u64).then_some(before)
    })
}

/// The allocator by name; another than the C library's by the file that brought it, where there is
/// one.
pub(crate) fn allocator() -> String {
    if heap_in_use().is_some() {
        return "glibc's".into();
    }
    let known = ["jemalloc", "mimalloc", "tcmalloc", "malloc"];
    let maps = files::text("/proc/self/maps").unwrap_or_default();
    let files = || {
        maps.lines()
            .filter_map(|line| line.rsplit_once('/'))
            .map(|(_, file)| file)
    };
    let found = known
        .iter()
        .find_map(|name| files().find(|file| file.contains(name)));
    match found {
        Some(file) => format!("that of {file}"),
        None if cfg!(all(target_os = "linux", target_env = "gnu")) => "unknown".into(),
        None => "the system's".into(),
    }
}

/// The C library with its version, where it tells.
pub(crate) fn c_library() -> String {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the version is a constant text that ends in 0.
    return format!(
        "glibc {}",
        unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy()
    );
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    return if cfg!(target_env = "musl") {
        "musl"
    } else {
        "the system's"
    }
    .into();
}

/// Hands memory that is free in the allocator back to the system, and says whether this allocator
/// can.
///
/// Without it the first things of a series land in memory that is already resident, and seem to
/// cost nothing.
///
/// ```
/// assert_eq!(helpers::release_free_memory(), cfg!(all(target_os = "linux", target_env = "gnu")));
/// ```
pub fn release_free_memory() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives back free pages, under the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
    heap_in_use().is_some()
}
