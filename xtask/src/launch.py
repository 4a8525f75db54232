"""Starts the Rust kernel where nothing reaches it that its user has set for other work.

Arguments: the kernel's program, the project's folder, Jupyter's connection file. The kernel builds in a folder of its
own, with the crates of the project's lock file and a cache that no other kernel changes meanwhile. Where it cannot
start, each cell answers with one sentence that says why.
"""
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# All of cargo's, Rust's and evcxr's variables but those that say where things are, and how to reach a registry.
FOREIGN = re.compile(r"CARGO$|CARGO_(?!HOME|NET_|HTTP_|REGISTR|SOURCE_)|RUST(?!UP_)|EVCXR_|JUPYTER_PATH|SCCACHE_")
ROOM = 500_000_000  # bytes; a notebook's cells take 200 MB
REMEDIES = {
    "linker `": "install a C compiler, on Debian and Ubuntu with `apt install gcc`, on a Mac with `xcode-select --install`",
    "No space left": "make room on the disk, or set TMPDIR to a folder on another one",
    "Cannot find `": "install Rust from https://rustup.rs",
}


def folder(project):
    """Makes the folder to build in: the kernel takes no spaces in its path, and programs must run there."""
    for place in [tempfile.gettempdir(), "/tmp", "/var/tmp", project / "target"]:
        try:
            if shutil.disk_usage(place).free < ROOM:
                continue
            made = pathlib.Path(tempfile.mkdtemp(prefix="kernel-", dir=place))
        except OSError:
            continue
        script(made / "try", "")
        if os.access(made / "try", os.X_OK) and re.fullmatch(r"[!-~]+", str(made)):
            return made
        shutil.rmtree(made)
    raise OSError("no temporary folder has 500 MB of room and lets programs run: set TMPDIR to one")


def sound(entry):
    """Whether an entry of the cache is whole, and of use: a probe of a build script leaves none that is asked for again."""
    try:
        int((entry / "hits").read_text())
        built = (entry / "stderr").read_text()
        names = [pathlib.Path(json.loads(line)["artifact"]).name for line in built.splitlines()]
        return bool(names) and all((entry / name).exists() for name in names)
    except (OSError, ValueError, KeyError):
        return False


def fill(cache, kept):
    """Gives a kernel a cache of its own of what other kernels have left."""
    for entry in kept.iterdir() if kept.exists() else ():
        if sound(entry):
            shutil.copytree(entry, cache / entry.name)


def keep(cache, kept):
    """Leaves a kernel's cache to the next."""
    for entry in (cache / "evcxr").iterdir():
        if not sound(entry):
            shutil.rmtree(entry)
    if kept.exists():
        kept.rename(cache / "old")
    (cache / "evcxr").rename(kept)


def janitor(build, cache, kept):
    """Waits in a process of its own until all of the kernel has ended, in whatever way, and clears up behind it."""
    ended, held = os.pipe()
    child = os.fork()
    if child:
        os.close(ended)
        os.set_inheritable(held, True)
        return child, held
    os.setsid()
    os.close(held)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    os.read(ended, 1)
    try:
        keep(cache, kept)
    except OSError:
        pass  # the next kernel builds again what it needs
    shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(build, ignore_errors=True)
    os._exit(0)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def program(name):
    """The path of a program of Rust; rustup's own stand-in would be slower."""
    find = ["/bin/sh", "-c", 'rustup which "$0" 2>/dev/null || command -v "$0"', name]
    return subprocess.run(find, stdout=subprocess.PIPE, text=True).stdout.strip()


def environment(build, cache, project):
    variables = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    libraries = variables.pop("LD_LIBRARY_PATH", "").split(os.pathsep)
    # Cargo puts folders there in which another build of the helper crate lies.
    libraries = [path for path in libraries if path and not list(pathlib.Path(path).glob("libhelpers.*"))]
    variables |= {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
    variables |= re.findall(r"^:build_env (\w+)=(.*)$", (project / "notebooks/evcxr.toml").read_text(), re.M)
    programs = build / "bin"
    programs.mkdir()
    # The kernel would use a linker named mold or lld that it finds on the path, even one that does not work.
    script(programs / "mold", 'shift; exec "$@"')
    # Its first build, without any crate, would empty the lock file.
    lock, cargo, own = (shlex.quote(str(path)) for path in (build / "Cargo.lock", program("cargo"), programs / "cargo"))
    crate = shlex.quote(str(build / "crate"))
    ours = f"case \"$PWD\" in {crate}*) grep -q '\"helpers\"' Cargo.lock || cp {lock} Cargo.lock ;; esac"
    script(programs / "cargo", f"{ours}; exec {cargo} \"$@\"")
    if rustup := shutil.which("rustup"):
        other = f"exec {shlex.quote(rustup)} \"$@\""
        script(programs / "rustup", f"case \"$*\" in 'which cargo') echo {own} ;; *) {other} ;; esac")
    path = [str(programs), variables.get("PATH", os.defpath), os.path.expanduser("~/.cargo/bin")]
    return variables | {
        "PATH": os.pathsep.join(path),
        "TMPDIR": str(build),
        "EVCXR_TMPDIR": str(build / "crate"),
        "EVCXR_CONFIG_DIR": str(project / "notebooks"),
        # The kernel would write to one of another version there.
        "JUPYTER_PATH": str(build / "none"),
        "XDG_CACHE_HOME": str(cache),
    }


def run(kernel, project, connection):
    """Runs the kernel to its end; returns why, if it did not start."""
    near = pathlib.Path("..").resolve()
    if not (near / "helpers/Cargo.toml").exists():
        near = project
        os.chdir(project / "notebooks")
    build = folder(project)
    kept = project / "target/kernel-cache"
    try:
        kept.parent.mkdir(exist_ok=True)
        cache = pathlib.Path(tempfile.mkdtemp(prefix="kernel-cache-", dir=kept.parent))
    except OSError:
        cache = build / "cache"
    (cache / "evcxr").mkdir(parents=True)
    child, held = janitor(build, cache, kept)
    fill(cache / "evcxr", kept)
    (build / "crate").mkdir()
    shutil.copy(next(lock for lock in (near / "Cargo.lock", project / "Cargo.lock") if lock.exists()), build)
    command, said = [kernel, "--control_file", connection], []
    settings = {"env": environment(build, cache, project), "pass_fds": [held], "text": True, "errors": "replace"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **settings)
    os.close(held)
    for line in process.stderr:
        said = [*said[-30:], line.strip()]
        with contextlib.suppress(OSError):  # whoever showed this may have gone
            print(line, end="", file=sys.stderr, flush=True)
    code = process.wait()
    os.waitpid(child, 0)
    if code != 1:
        sys.exit(code if code >= 0 else 128 - code)
    return why([line for line in said if line])


def why(said):
    system = [line for line in said if "(os error " in line or line.startswith("error: ")]
    reason = (system or said or ["it did not say why"])[-1]
    remedies = [remedy for words, remedy in REMEDIES.items() if words in "\n".join(said)]
    return f"the kernel did not start: {reason}; " + (remedies or ["call `cargo xtask setup`"])[0]


def answer(sentence, connection):
    """A kernel that says this, whatever it is asked."""
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.kernelbase import Kernel

    class Answer(Kernel):
        implementation, implementation_version, banner = "answer", "1", sentence
        language_info = {"name": "rust", "mimetype": "text/rust", "file_extension": ".rs"}

        def do_execute(self, *_, **__):
            error = {"ename": "kernel", "evalue": sentence, "traceback": [sentence]}
            self.send_response(self.iopub_socket, "error", error)
            return {"status": "error", "execution_count": self.execution_count, **error}

    IPKernelApp.launch_instance(kernel_class=Answer, argv=["-f", connection])


if __name__ == "__main__":
    kernel, project, connection = sys.argv[1:]
    try:
        sentence = run(kernel, pathlib.Path(project), connection)
    except OSError as error:
        sentence = f"the kernel did not start: {error}"
    print(sentence, file=sys.stderr, flush=True)
    answer(sentence, connection)
