"""Starts the Rust kernel where nothing reaches it that its user has set for other work.

Arguments: the kernel's program, the project's folder, Jupyter's connection file. The kernel builds
in a folder of its own, in which what the notebooks load is built already, with the crates of the
project's lock file and no setting of cargo's but how a registry is reached. Where it cannot start,
each cell answers with one sentence that says why.

With the project's folder alone: builds what the notebooks load.
With a sentence and a connection file: answers with that sentence.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

import zmq

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
# What the kernel reads of the standard library to know the types of variables. The rest is half of
# it: instructions of single processors, tests, and what only nightly Rust has.
LIBRARY = "alloc core panic_abort panic_unwind proc_macro std test unwind".split()
ROOM = 500_000_000  # bytes; a notebook's cells take 200 MB
NO_ROOM = "no temporary folder has 500 MB of room and lets programs run: set TMPDIR to one"
REMEDIES = {
    "linker `": "install a C compiler, on Debian and Ubuntu with `apt install gcc`, on a Mac with "
    "`xcode-select --install`",
    "No space left": "make room on the disk, or set TMPDIR to a folder on another one",
}
# Of the crate whose build makes what the notebooks load: by its name that of the cells.
MANIFEST = """[workspace]
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"
[dependencies]
helpers = {{ path = {helpers} }}
"""
# The first build, without any crate, would empty the lock file. Above the folder to build in may
# lie settings, or a workspace. And cells would look for the standard library a folder too far up,
# which hurts below one that both are in. What the notebooks load may still be on its way.
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
    cd / ;;
esac
exec {cargo} "$@"
"""


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
        passing = shutil.ignore_patterns("incremental", ".rustc_info.json", ".cargo-lock")
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


def folder(project):
    """Makes a folder to build in: the kernel takes no spaces in its path, and programs run
    there."""
    for place in [tempfile.gettempdir(), "/tmp", "/var/tmp", project / "target"]:
        try:
            if shutil.disk_usage(place).free < ROOM:
                continue
            made = pathlib.Path(tempfile.mkdtemp(prefix="kernel-", dir=place)).resolve()
        except OSError:
            continue
        script(made / "try", "")
        if os.access(made / "try", os.X_OK) and re.fullmatch(r"[!-~]+", str(made)):
            return made
        shutil.rmtree(made)
    raise OSError(NO_ROOM)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def workshop(project):
    """Has a process of its own make a folder to build in, wait until this one and its kernel have
    ended, in whatever way, and clear up behind them.

    Returns the folder, that process, and what it waits for: the end of all who hold it.
    """
    ended, held = os.pipe()
    told, tell = os.pipe()
    if child := os.fork():
        os.close(ended)
        os.close(tell)
        os.set_inheritable(held, True)
        with os.fdopen(told) as answer:
            made = answer.read()
        if not made:
            raise OSError(NO_ROOM)
        return pathlib.Path(made), child, held
    os.setsid()  # first: whoever ends this group does not end it
    os.close(held)
    os.close(told)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    try:
        build = folder(project)
    except OSError:
        os._exit(1)
    with contextlib.suppress(OSError), os.fdopen(tell, "w") as answer:  # it may have ended
        answer.write(str(build))
    os.read(ended, 1)
    for _ in range(100):  # a compiler that ends now may write for a moment
        shutil.rmtree(build, ignore_errors=True)
        if not build.exists():
            break
        time.sleep(0.1)
    os._exit(0)


def follow(connection):
    """Ends the kernel when the front end that has started it is gone, in whatever way."""
    parent = int(os.environ.get("JPY_PARENT_PID", 0))
    if not parent or os.getpgrp() != os.getpid():
        return
    with contextlib.suppress(ProcessLookupError):
        if os.getppid() != parent:
            os.kill(parent, 0)
            return  # it has started this one through another
    while os.getppid() == parent:
        time.sleep(0.5)
    pathlib.Path(connection).unlink(missing_ok=True)
    os.killpg(0, signal.SIGKILL)


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


def replace(path, make):
    """Makes a file beside its place and moves it there, so that it is whole whenever another kernel
    looks."""
    make(new := path.with_name(f"{path.name}.{os.getpid()}"))
    new.replace(path)


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


def library(build, sources):
    """The part of the standard library's sources that the kernel is to read."""
    (part := build / "library").mkdir()
    for name in LIBRARY:
        (part / name).symlink_to(sources / name)
    return part


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


def is_free(host, port):
    with socket.socket() as asking:
        return asking.connect_ex((host, port)) != 0


def relay(connection, build):
    """Stands between the front end and the kernel, which would hear nothing more after an answer to
    one that has gone, as Jupyter's server has where the kernel is slow to start; returns the
    kernel's own connection file.
    """
    settings, context = json.loads(pathlib.Path(connection).read_text()), zmq.Context()
    address = f"{settings['transport']}://{settings['ip']}"
    for channel in ("shell_port", "control_port", "stdin_port"):
        front, back = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
        front.bind(f"{address}:{settings[channel]}")
        # Where systems give no port to whoever asks for any.
        ports = random.sample(range(10_000, 32_768), 100)
        settings[channel] = next(port for port in ports if is_free(settings["ip"], port))
        back.identity = b"relay"  # where a cell came from, there its questions go
        back.connect(f"{address}:{settings[channel]}")
        threading.Thread(target=zmq.proxy, args=[front, back], daemon=True).start()
    own = build / "connection.json"
    own.write_text(json.dumps(settings))
    return own


def nearest(project):
    """The folder in which the helper crate lies that the notebook loads: the one beside the
    notebook's, or else the project, to whose notebooks this process then goes."""
    near = pathlib.Path("..").resolve()
    if (near / "helpers/Cargo.toml").exists():
        return near
    os.chdir(project / "notebooks")
    return project


def load(build, crates, variables, copying):
    """Brings what the notebooks load into the folder to build in, where cells wait for it."""
    try:
        with crates.held():
            crates.build(build / "bin/cargo", variables, lambda line: None)
            with copying:
                crates.copy(build / "crate/target")
    except OSError:
        pass  # the kernel builds what is not there, and says itself why it cannot
    finally:
        (build / "loading").unlink(missing_ok=True)


def run(kernel, project, connection):
    """Runs the kernel to its end; returns why, if it did not start."""
    near = nearest(project)
    build, child, held = workshop(project)
    threading.Thread(target=follow, args=[connection], daemon=True).start()
    environment, crates = furnish(build, project, near)
    (build / "loading").touch()
    copying = threading.Lock()
    threading.Thread(target=load, args=[build, crates, environment, copying], daemon=True).start()
    command, said = [kernel, "--control_file", relay(connection, build)], []
    options = {"env": environment, "pass_fds": [held], "text": True, "errors": "replace"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **options)
    for line in process.stderr:
        said = [*said[-30:], line.strip()]
        with contextlib.suppress(OSError):  # whoever showed this may have gone
            print(line, end="", file=sys.stderr, flush=True)
    code = process.wait()
    copying.acquire()  # for good: what would be copied now, nobody would remove
    os.close(held)
    os.waitpid(child, 0)
    if code != 1:
        sys.exit(code if code >= 0 else 128 - code)
    return f"the kernel did not start: {why(said)}"


def prepare(project):
    """Builds what the notebooks load, with a line for each crate; returns why, if it could not."""
    build, _, _ = workshop(project)
    said = []

    def show(line):
        if "Compiling" in line and not any("Compiling" in before for before in said):
            print("Building what the notebooks load: about half a minute, once.", flush=True)
        said.append(line.strip())
        # Not that there was nothing to do, or another cargo to wait for.
        if not line.lstrip().startswith(("Finished", "Blocking")):
            print(line, end="", file=sys.stderr, flush=True)

    environment, crates = furnish(build, project, project)
    with crates.held():
        crates.remove_others()
        failed = crates.build(build / "bin/cargo", environment, show)
    return f"what the notebooks load cannot be built: {why(said)}" if failed else None


def why(said):
    """The line that says what went wrong, and the remedy."""
    said = [line for line in said if line]
    system = [line for line in said if "(os error " in line or line.startswith("error: ")]
    reason = (system or said or ["it did not say why"])[-1]
    remedies = [remedy for words, remedy in REMEDIES.items() if words in "\n".join(said)]
    return f"{reason}; {(remedies or ['call `cargo xtask setup`'])[0]}"


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


def main(arguments):
    match arguments:
        case [project]:
            try:
                return prepare(pathlib.Path(project))
            except (OSError, ValueError) as error:
                return f"what the notebooks load cannot be built: {error}"
        case [sentence, connection]:
            return answer(sentence, connection)
    kernel, project, connection = arguments
    try:
        sentence = run(kernel, pathlib.Path(project), connection)
    except (OSError, ValueError, zmq.ZMQError) as error:
        sentence = f"the kernel did not start: {error}"
    print(sentence, file=sys.stderr, flush=True)
    # Anew, so that the ports are free again.
    os.execv(sys.executable, [sys.executable, "-I", __file__, sentence, connection])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
