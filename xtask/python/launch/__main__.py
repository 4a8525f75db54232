"""Starts the Rust kernel where nothing reaches it that its user has set for other work.

Arguments: the kernel's program, the project's folder, Jupyter's connection file. The kernel builds
in a folder of its own, in which what the notebooks load is built already, with the crates of the
project's lock file and no setting of cargo's but how a registry is reached. Where it cannot start,
each cell answers with one sentence that says why.

With the project's folder alone: builds what the notebooks load.
With a sentence and a connection file: answers with that sentence.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import zmq
from furnish import furnish
from relay import Relay
from workshop import workshop

REMEDIES = {
    "linker `": "install a C compiler, on Debian and Ubuntu with `apt install gcc`, on a Mac with "
    "`xcode-select --install`",
    "No space left": "make room on the disk, or set TMPDIR to a folder on another one",
}


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
    here = pathlib.Path(__file__).parent
    os.execv(sys.executable, [sys.executable, "-I", here, sentence, connection])


def run(kernel, project, connection):
    """Runs the kernel to its end; returns why, if it did not start."""
    near = nearest(project)
    build, child, held = workshop(project)
    threading.Thread(target=follow, args=[connection], daemon=True).start()
    environment, crates = furnish(build, project, near)
    (build / "loading").touch()
    copying = threading.Lock()
    threading.Thread(target=load, args=[build, crates, environment, copying], daemon=True).start()
    relay = Relay(connection, build)
    command, said = [kernel, "--control_file", relay.connection], []
    options = {"env": environment, "pass_fds": [held], "text": True, "errors": "replace"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **options)
    relay.kernel = process.pid
    relay.start()
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
