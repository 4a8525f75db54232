"""What the notebooks load: built once, copied for each kernel."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

from files import replace
from settings import build_settings, toml

# Of the crate whose build makes what the notebooks load: by its name that of the cells.
MANIFEST = """[workspace]
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"
[dependencies]
helpers = {{ path = {helpers} }}
"""


class Crates:
    """What the notebooks load, built in the project's `target`, from where each kernel copies it.

    Cargo knows what is to be built anew. For another compiler, lock file, way to build, helper
    crate or home of cargo there is another folder.
    """

    def __init__(self, project, near, home, rust):
        self.lock = next(
            lock for lock in (near / "Cargo.lock", project / "Cargo.lock") if lock.exists()
        )
        self.helpers = (near / "helpers").resolve()
        self.host = rust.host
        differs = [
            rust.version,
            self.lock.read_text("utf-8"),
            build_settings(project),
            self.helpers,
            home,
        ]
        key = hashlib.sha256(repr(differs).encode()).hexdigest()[:16]
        self.folder = project.resolve() / "target/kernel-crates" / key

    def build(self, cargo, variables, show):
        """Builds what is not built; hands the lines that cargo prints to `show`."""
        crate = self.folder / "crate"
        (crate / "src").mkdir(parents=True, exist_ok=True)
        manifest = MANIFEST.format(helpers=toml(str(self.helpers)))
        # Untouched where they are there: cargo looks at their times.
        for file, text in (("Cargo.toml", manifest), ("src/lib.rs", "")):
            if not (crate / file).exists():
                replace(crate / file, lambda new, text=text: new.write_text(text, "utf-8"))
        if not (crate / "Cargo.lock").exists():
            shutil.copy(self.lock, crate)
        build = [cargo, "build", "--target", self.host]
        settings = {"stderr": subprocess.PIPE, "text": True, "errors": "replace"}
        process = subprocess.Popen(build, cwd=crate, env=variables, **settings)
        for line in process.stderr:
            show(line)
        return process.wait()

    def copy(self, to):
        """Copies what is built into a folder to build in."""
        passing = shutil.ignore_patterns("incremental", ".cargo-lock")
        shutil.copytree(
            self.folder / "crate/target",
            to,
            ignore=passing,
            copy_function=share,
            dirs_exist_ok=True,
        )

    @contextlib.contextmanager
    def held(self):
        """Lets no other process build or copy here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remove_others(self):
        for folder in self.folder.parent.iterdir():
            if folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)


def share(source, target):
    """Copies a file with its times; one that compilers replace and never write into is shared."""
    with contextlib.suppress(OSError):  # another disk, or a file system without links
        if source.endswith((".rlib", ".rmeta")):
            return os.link(source, target)
    return shutil.copy2(source, target)
