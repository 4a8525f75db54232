"""Which of the reader's settings reach a kernel, and which are its own."""

import hashlib
import json
import os
import pathlib
import re
import tomllib

from files import replace

# What changes how programs are built, loaded or run; not where things are, and how a registry is
# reached.
FOREIGN = re.compile(
    r"CARGO$|CARGO_(?!NET_|HTTP_|REGISTR|SOURCE_)|RUST(?!UP_)|EVCXR_|JUPYTER_PATH|SCCACHE_|TOKIO_"
    r"|GO[A-Z0-9]+$|LD_(?!LIBRARY_PATH)|DYLD_INSERT_|GLIBC_TUNABLES|MALLOC_"
    r"|(HOST_|TARGET_)?(CC|CFLAGS|CPPFLAGS|LDFLAGS|AR)(_|$)"
)
# What cargo's settings say of registries.
REACH = ("credential-alias", "http", "net", "registries", "registry", "source")
# What cargo keeps in its home of registries.
REGISTRIES = (
    "registry git .package-cache .package-cache-mutate credentials credentials.toml".split()
)


def cargo_home(project, build, home):
    """Makes a home of cargo's with the reader's crates, and of their settings only how a registry
    is reached.

    It stays where it is: what is built knows crates by their paths, and kernels that run need it.
    Each of the reader's has its own, since that of another may be gone tomorrow.
    """
    own = project / "target/cargo-home" / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError:
        (own := build / "cargo-home").mkdir()
    for name in REGISTRIES:
        if (home / name).exists() and not (own / name).exists():
            replace(own / name, lambda new, name=name: new.symlink_to(home / name))
    files = [file for file in (home / "config", home / "config.toml") if file.exists()]
    settings = tomllib.loads(files[0].read_text("utf-8")) if files else {}
    kept = {key: settings[key] for key in REACH if key in settings}
    kept["cache"] = {"auto-clean-frequency": "never"}
    lines = [f"{key} = {toml(value)}\n" for key, value in kept.items()]
    replace(own / "config.toml", lambda new: new.write_text("".join(lines), "utf-8"))
    return own


def toml(value):
    if isinstance(value, dict):
        pairs = [f"{toml(key)} = {toml(item)}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    # Text, numbers, truth values and lists of them are written as in JSON.
    return json.dumps(value, ensure_ascii=False)


def build_settings(project):
    """How cells are built, as variables."""
    file = project / "notebooks/evcxr.toml"
    return dict(re.findall(r"^:build_env (\w+)=(.*)$", file.read_text("utf-8"), re.M))


def variables(home):
    """The reader's variables without the foreign ones."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    # Cargo puts folders there in which another build of the helper crate lies.
    paths = kept.pop("LD_LIBRARY_PATH", "").split(os.pathsep)
    paths = [path for path in paths if path and not list(pathlib.Path(path).glob("libhelpers.*"))]
    if paths:
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    # A front end that was started from a desktop may not know where rustup puts programs.
    kept["PATH"] = os.pathsep.join([kept.get("PATH", os.defpath), str(home / "bin")])
    return kept
