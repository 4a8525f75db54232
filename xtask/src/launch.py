"""Starts the Rust kernel where nothing reaches it that its user has set for other work.

Arguments: the kernel's program, the project's folder, Jupyter's connection file. The kernel builds in a folder of its
own, with the crates of the project's lock file, a cache that no other kernel changes meanwhile, and no setting of
cargo's but how a registry is reached. Where it cannot start, each cell answers with one sentence that says why.
Arguments then: the sentence, and the connection file.
"""
import contextlib
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

# What changes how programs are built, loaded or run; not where things are, and how a registry is reached.
FOREIGN = re.compile(
    r"CARGO$|CARGO_(?!NET_|HTTP_|REGISTR|SOURCE_)|RUST(?!UP_)|EVCXR_|JUPYTER_PATH|SCCACHE_|TOKIO_|GO[A-Z0-9]+$"
    r"|LD_(?!LIBRARY_PATH)|DYLD_INSERT_|GLIBC_TUNABLES|MALLOC_|(HOST_|TARGET_)?(CC|CFLAGS|CPPFLAGS|LDFLAGS|AR)(_|$)"
)
REACH = ("credential-alias", "http", "net", "registries", "registry", "source")  # what cargo's settings say of registries
ROOM = 500_000_000  # bytes; a notebook's cells take 200 MB
REMEDIES = {
    "linker `": "install a C compiler, on Debian and Ubuntu with `apt install gcc`, on a Mac with `xcode-select --install`",
    "No space left": "make room on the disk, or set TMPDIR to a folder on another one",
}
# The first build, without any crate, would empty the lock file. Above the folder to build in may lie settings, or a
# workspace. And cells would look for the standard library a folder too far up, which hurts below one that both are in.
CARGO = """case "$PWD" in {0}/crate*)
    while read -r line && [ "$line" != '[workspace]' ]; do line=; done < Cargo.toml
    [ "$line" ] || echo '[workspace]' >> Cargo.toml
    grep -q '"helpers"' Cargo.lock || cp {0}/Cargo.lock Cargo.lock
    case "$*" in *--manifest-path*) ;; *)
        command=$1
        shift
        set -- "$command" --manifest-path "$PWD/Cargo.toml" "$@" ;;
    esac
    export CARGO_TARGET_DIR="$PWD/target" CARGO_BUILD_BUILD_DIR="$PWD/target"
    export CARGO_ENCODED_RUSTFLAGS="$CARGO_ENCODED_RUSTFLAGS\x1f-Clink-arg=-Wl,-rpath,"{2}
    cd / ;;
esac
exec {1} "$@"
"""


def folder(project):
    """Makes the folder to build in: the kernel takes no spaces in its path, and programs must run there."""
    for place in [tempfile.gettempdir(), "/tmp", "/var/tmp", project / "target"]:
        try:
            if shutil.disk_usage(place).free < ROOM:
                continue
            made = pathlib.Path(tempfile.mkdtemp(prefix="kernel-", dir=place)).absolute()
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
    if child := os.fork():
        os.close(ended)
        os.set_inheritable(held, True)
        return child, held
    os.setsid()
    os.close(held)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    os.read(ended, 1)
    with contextlib.suppress(OSError):  # the next kernel builds again what it needs
        keep(cache, kept)
    shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(build, ignore_errors=True)
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


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def replace(path, make):
    """Makes a file beside its place and moves it there, so that it is whole whenever another kernel looks."""
    make(new := path.with_name(f"{path.name}.{os.getpid()}"))
    new.replace(path)


def cargo_home(place):
    """A home of cargo's with the reader's crates, and of their settings only how a registry is reached; and theirs.

    It stays where it is: the cache knows crates by their paths. And each of the reader's has its own: that of another
    kernel may be gone tomorrow.
    """
    home = pathlib.Path(os.environ.get("CARGO_HOME") or "~/.cargo").expanduser().absolute()
    own = place / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    files = [file for file in (home / "config", home / "config.toml") if file.exists()]
    settings = tomllib.loads(files[0].read_text("utf-8")) if files else {}
    kept = {key: settings[key] for key in REACH if key in settings} | {"cache": {"auto-clean-frequency": "never"}}
    own.mkdir(parents=True, exist_ok=True)
    for name in "registry git .package-cache .package-cache-mutate credentials credentials.toml".split():
        if (home / name).exists() and not (own / name).exists():
            replace(own / name, lambda new: new.symlink_to(home / name))
    text = "".join(f"{key} = {toml(kept[key])}\n" for key in kept)
    replace(own / "config.toml", lambda new: new.write_text(text, "utf-8"))
    return own, home


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(value[key])}" for key in value) + "}"
    return json.dumps(value, ensure_ascii=False)  # text, numbers, truth values and lists of them are written as in JSON


def environment(build, cache, project):
    variables = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    # Cargo puts folders there in which another build of the helper crate lies.
    libraries = variables.pop("LD_LIBRARY_PATH", "").split(os.pathsep)
    if libraries := [path for path in libraries if path and not list(pathlib.Path(path).glob("libhelpers.*"))]:
        variables["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    variables |= re.findall(r"^:build_env (\w+)=(.*)$", (project / "notebooks/evcxr.toml").read_text(), re.M)
    own, home = cargo_home(cache.parent / "cargo-home")
    # A front end that was started from a desktop may not know where rustup puts programs.
    variables["PATH"] = os.pathsep.join([variables.get("PATH", os.defpath), str(home / "bin")])
    # The path of cargo itself; rustup's stand-in would be slower.
    find = "rustc --print target-libdir && cargo --version >&2 && { rustup which cargo 2>/dev/null || command -v cargo; }"
    found = subprocess.run(["/bin/sh", "-c", find], capture_output=True, text=True, env=variables)
    if found.returncode:
        raise OSError(f"{found.stderr.splitlines()[0]}: install Rust from https://rustup.rs")
    library, cargo = map(pathlib.Path, found.stdout.splitlines())
    (programs := build / "bin").mkdir()
    script(programs / "cargo", CARGO.format(*(shlex.quote(str(path)) for path in (build, cargo, library))))
    # The kernel would ask it for the other cargo.
    script(programs / "rustup", "exit 1")
    # The kernel would use a linker named mold or lld that it finds on the path, even one that does not work.
    script(programs / "mold", 'shift; exec "$@"')
    # Where Rust is conda's, so is the compiler.
    for compiler in pathlib.Path(sys.prefix, "bin").glob("*-conda-*-cc"):
        script(programs / "cc", f'exec {shlex.quote(str(compiler))} "$@"')
    return variables | {
        "CARGO_HOME": str(own),
        "PATH": os.pathsep.join([str(programs), str(cargo.parent), variables["PATH"]]),
        "TMPDIR": str(build),
        "EVCXR_TMPDIR": str(build / "crate"),
        "EVCXR_CONFIG_DIR": str(project / "notebooks"),
        # The kernel would write to one of another version there.
        "JUPYTER_PATH": str(build / "none"),
        "XDG_CACHE_HOME": str(cache),
    }


def is_free(host, port):
    with socket.socket() as asking:
        return asking.connect_ex((host, port)) != 0


def relay(connection, build):
    """Stands between the front end and the kernel, which would hear nothing more after an answer to one that has gone,
    as Jupyter's server has where the kernel is slow to start; returns the kernel's own connection file.
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
    threading.Thread(target=follow, args=[connection], daemon=True).start()
    for entry in filter(sound, kept.iterdir() if kept.exists() else ()):
        shutil.copytree(entry, cache / "evcxr" / entry.name)
    (build / "crate").mkdir()
    shutil.copy(next(lock for lock in (near / "Cargo.lock", project / "Cargo.lock") if lock.exists()), build)
    command, said = [kernel, "--control_file", relay(connection, build)], []
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
    if len(sys.argv) == 3:
        sys.exit(answer(*sys.argv[1:]))
    try:
        sentence = run(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3])
    except (OSError, ValueError, zmq.ZMQError) as error:
        sentence = f"the kernel did not start: {error}"
    print(sentence, file=sys.stderr, flush=True)
    # Anew, so that the ports are free again.
    os.execv(sys.executable, [sys.executable, "-I", __file__, sentence, sys.argv[3]])
