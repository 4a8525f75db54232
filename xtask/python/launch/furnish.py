"""What stands in the folder to build in before the kernel starts."""

import os
import pathlib
import shlex
import shutil
import sys

from crates import Crates
from files import script
from rust import Rust, library
from settings import build_settings, cargo_home, variables

# The first build, without any crate, would empty the lock file. Above the folder to build in may
# lie settings, or a workspace. And cells would look for the standard library a folder too far up,
# which hurts below one that both are in. What the notebooks load may still be on its way. A wrapper
# that is set to nothing keeps cargo from remembering what the compiler is: four calls of it a cell.
CARGO = """case "$PWD" in {build}/crate*|{crates}/crate*)
    while read -r line && [ "$line" != '[workspace]' ]; do line=; done < Cargo.toml
    [ "$line" ] || echo '[workspace]' >> Cargo.toml
    if grep -q '^ *helpers = ' Cargo.toml; then
        case "$PWD" in {build}/*) while [ -e {build}/loading ]; do sleep 0.1; done ;; esac
        grep -q '"helpers"' Cargo.lock || cp {build}/Cargo.lock Cargo.lock
    fi
    case "$*" in *--manifest-path*) ;; *)
        command=$1
        shift
        set -- "$command" --manifest-path "$PWD/Cargo.toml" "$@" ;;
    esac
    export CARGO_TARGET_DIR="$PWD/target" CARGO_BUILD_BUILD_DIR="$PWD/target"
    export CARGO_ENCODED_RUSTFLAGS="$CARGO_ENCODED_RUSTFLAGS\x1f-Clink-arg=-Wl,-rpath,"{libraries}
    unset RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
    cd / ;;
esac
exec {cargo} "$@"
"""


def furnish(build, project, near):
    """Furnishes the folder to build in; returns the variables that hold there, and the crates."""
    home = pathlib.Path(os.environ.get("CARGO_HOME") or "~/.cargo").expanduser().absolute()
    reader = variables(home)
    rust = Rust(reader)
    crates = Crates(project, near, home, rust)
    (build / "crate").mkdir()
    shutil.copy(crates.lock, build)
    path = [programs(build, rust, crates), rust.cargo.parent, reader["PATH"]]
    own = {
        "CARGO_HOME": cargo_home(project, build, home),
        "PATH": os.pathsep.join(map(str, path)),
        "TMPDIR": build,
        "EVCXR_TMPDIR": build / "crate",
        "EVCXR_CONFIG_DIR": project / "notebooks",
        # The kernel would write to one of another version there.
        "JUPYTER_PATH": build / "none",
        "RUST_SRC_PATH": library(build, rust.sources),
    }
    own = {name: str(value) for name, value in own.items()}
    return reader | build_settings(project) | own, crates


def programs(build, rust, crates):
    """Makes the programs that the kernel finds before all others."""
    (made := build / "bin").mkdir()
    paths = {
        "build": build,
        "crates": crates.folder,
        "libraries": rust.libraries,
        "cargo": rust.cargo,
    }
    quoted = {name: shlex.quote(str(path)) for name, path in paths.items()}
    script(made / "cargo", CARGO.format(**quoted))
    # The kernel would ask it for the other cargo.
    script(made / "rustup", "exit 1")
    # The kernel would use a linker named mold or lld that it finds on the path, even one that does
    # not work.
    script(made / "mold", 'shift; exec "$@"')
    # Where Rust is conda's, so is the compiler.
    for compiler in pathlib.Path(sys.prefix, "bin").glob("*-conda-*-cc"):
        script(made / "cc", f'exec {shlex.quote(str(compiler))} "$@"')
    return made
