"""The reader's Rust, and what of its sources the kernel is to read."""

import pathlib
import subprocess

# What the kernel reads of the standard library to know the types of variables. The rest is half of
# it: instructions of single processors, tests, and what only nightly Rust has.
LIBRARY = "alloc core panic_abort panic_unwind proc_macro std test unwind".split()


class Rust:
    """The reader's compiler, as they would call it: what it says of itself, and where it is."""

    def __init__(self, variables):
        # The path of cargo itself; rustup's stand-in would be slower.
        find = (
            "rustc --print sysroot --print target-libdir && cargo --version >&2"
            " && { rustup which cargo 2>/dev/null || command -v cargo; } && rustc -vV"
        )
        shell = ["/bin/sh", "-c", find]
        found = subprocess.run(shell, capture_output=True, text=True, env=variables)
        if found.returncode:
            reason = found.stderr.splitlines()[0]
            raise OSError(f"{reason}: install Rust from https://rustup.rs")
        sysroot, libraries, cargo, *version = found.stdout.splitlines()
        self.sources = pathlib.Path(sysroot, "lib/rustlib/src/rust/library")
        self.libraries = pathlib.Path(libraries)
        self.cargo = pathlib.Path(cargo)
        self.version = version
        self.host = next(line[6:] for line in version if line.startswith("host: "))


def library(build, sources):
    """The part of the standard library's sources that the kernel is to read."""
    (part := build / "library").mkdir()
    for name in LIBRARY:
        (part / name).symlink_to(sources / name)
    return part
