"""Executes notebooks, each in a fresh kernel, renders each, and publishes all of them or none; or compares two runs.

Runs below pages.py. Arguments: what is asked, and the templates, both in JSON. Results and progress go to stdout; the
one reason for a failure to stderr. However this process ends, its kernel ends too, by itself.
"""
import asyncio
import base64
import fcntl
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

QUIET = 0.05  # seconds; the kernel's text was never more than 0.01 late, with three busy programs on two cores
LONGEST_LINE = 300  # characters


class Client(NotebookClient):
    """Runs the cells in order up to the first that fails."""

    async def async_execute_cell(self, cell, cell_index, **_):
        if cell.cell_type != "code":
            return
        cells = [cell.cell_type == "code" for cell in self.nb.cells]
        number, count = sum(cells[: cell_index + 1]), sum(cells)
        line = next((line for line in cell.source.splitlines() if line.strip()), "")
        line = line if len(line) <= 60 else line[:59] + "…"
        where = f"{self.path.stem}  cell {number} of {count}"
        print(f"{where}, {count - number} left: {line}", flush=True)
        for following in self.following if number == 1 else ():
            await following.start()  # while nothing is measured; then it is idle
        try:
            await super().async_execute_cell(cell, cell_index)
        except DeadKernelError:
            raise Failure(f"{where} ended the kernel: {line}") from None
        said = complaint(cell)
        if said and "raises-exception" not in cell.metadata.get("tags", []):
            raise Failure(f"{where} failed: {line}\n{said}")

    async def start(self):
        await self.async_start_new_kernel(cwd=self.path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def receive_late_text(self, cell, cell_index, **_):
        """Waits until a cell has said everything.

        The kernel sends what a cell writes from a thread of its own, which may be later than its word that the
        cell has finished: the text of a failed `?` mostly is. It would then pass for what the next cell wrote.
        """
        while True:
            try:
                message = await self.kc.get_iopub_msg(timeout=QUIET)
            except queue.Empty:
                break
            if message["msg_type"] == "stream":
                self.process_message(message, cell, cell_index)


def complaint(cell):
    """What a cell said went wrong, or nothing.

    The kernel reports a panic and a failed `?` as success, with text on stderr.
    """
    said = []
    for output in cell.outputs:
        if output.output_type == "error":
            said.append("\n".join(output.traceback) or output.evalue)
        elif output.output_type == "stream" and output.name == "stderr":
            said.append(output.text)
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(said)).split("\nstack backtrace:")[0]
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    # Where cargo could not work, the lines that say why, out of all that it printed.
    if lines and lines[0].startswith("Compilation failed, but no parsable errors"):
        why = re.compile(r"^error: |\(os error |^Failed to wrap rustc: ")
        lines = list(dict.fromkeys(line for line in lines if why.search(line))) or lines
    if "Cannot start a runtime from within a runtime" in text:
        lines[1:] = ["a cell with a free `.await` ran before, since when all cells run in a runtime: restart the kernel"]
    lines = [line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…" for line in lines]
    return "\n".join("  " + line for line in (lines or ["it wrote to stderr"] * bool(said))[:12])


async def execute(notebooks, asked, templates):
    """Executes and renders each; while one is set up, the kernel of the next starts, and the page before is made."""
    # Errors are judged here, cell by cell; times would change where results do not.
    settings = {"timeout": None, "startup_timeout": 600, "allow_errors": True, "record_timing": False, "coalesce_streams": True}
    clients, pages = [Client(notebook, kernel_name=asked["kernel"], **settings) for notebook in notebooks.values()], []
    for place, (path, client) in enumerate(zip(notebooks, clients)):
        client.on_cell_executed = client.receive_late_text
        client.path, client.following = path, clients[place + 1 : place + 2]
        client.create_kernel_manager().connection_file = f"{asked['connection']}-{place}.json"
    await clients[0].start()
    for client in clients:
        try:
            await client.async_execute()
        except RuntimeError as error:
            raise Failure(f"{client.path.stem}: the kernel did not start: {error}") from None
        print(f"{client.path.stem}  rendering", flush=True)
        pages.append(asyncio.create_task(asyncio.to_thread(page, client.nb, client.path.stem, templates)))
    return await asyncio.gather(*pages)


def publish(files):
    """Writes each file beside its target, then renames all, so that each is whole at any time."""
    staged = [(target.with_name(f".{target.name}.partial"), target, content) for target, content in files.items()]
    try:
        for partial, target, content in staged:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
        for partial, target, _ in staged:
            partial.rename(target)
            print(f"Wrote {target}", flush=True)
    except OSError as error:
        raise Failure(f"cannot write to {target.parent}: {error.strerror}") from None
    finally:
        for partial, _, _ in staged:
            partial.unlink(missing_ok=True)


def check(folder):
    """Finds a folder that takes no files before the notebooks run."""
    try:
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from None


def find(folder, name):
    """A notebook by its path, its name or the beginning of its name."""
    if pathlib.Path(name).is_file():
        return pathlib.Path(name).resolve()
    every = list_notebooks(folder)
    fitting = [path for path in every if path.stem == name] or [path for path in every if path.stem.startswith(name)]
    names = ", ".join(path.stem for path in fitting or every)
    if len(fitting) > 1:
        raise Failure(f"{name} may be any of {names}; write more of the name")
    return fitting[0] if fitting else fail(f"no notebook {name}; there are: {names}")


def choose(asked):
    """The notebooks that were asked for, with the values that were given; what cannot be run is refused."""
    folder, output = pathlib.Path(asked["folder"]), pathlib.Path(asked["output"])
    paths = list(dict.fromkeys(find(folder, name) for name in asked["notebooks"])) or list_notebooks(folder)
    paths = paths or fail(f"there is no notebook in {folder}")
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise Failure("two notebooks have the same name; run them one at a time")
    if output.resolve() in [path.parent.resolve() for path in paths]:
        raise Failure("--output is the folder of a notebook, which it would overwrite; name another one")
    if "index.ipynb" in names:
        raise Failure("the page of a notebook named index would be overwritten by index.html; rename the notebook")
    notebooks = {path: read(path) for path in paths}
    values = [[part.strip() for part in value.partition("=")] for value in asked["values"]]
    for given, (name, _, value) in zip(asked["values"], values):
        if not re.fullmatch(r"\w+", name) or not value or re.search(r";|//|\n", value):
            raise Failure(f"`-p {given}` is not NAME=VALUE with one Rust expression as the value")
        if [other[0] for other in values].count(name) > 1:
            raise Failure(f"-p gives {name} twice; give it once")
        # In every notebook that has the parameter, and at least one has it.
        if not [set_parameter(notebook, name, value) for notebook in notebooks.values() if name in parameters(notebook)]:
            known = [f"\n  {path.stem}: {line}" for path, notebook in notebooks.items() for line in parameters(notebook).values()]
            raise Failure(f"there is no parameter {name}; there are:{''.join(known)}")
    return notebooks, output


def run(asked, templates):
    notebooks, output = choose(asked)
    # Until no other run measures; the system takes the lock back when this process ends.
    lock = open(asked["lock"], "a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting until another run, which this one would disturb, has finished.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    for folder in {output, *(path.parent for path in notebooks if asked["in_place"])}:
        check(folder)
    files, pages = {}, asyncio.run(execute(notebooks, asked, templates))
    for (path, notebook), made in zip(notebooks.items(), pages):
        text = (nbformat.writes(notebook) + "\n").encode()
        files |= {output / path.name: text, output / f"{path.stem}.html": made}
        if asked["in_place"]:
            files[path] = text
            # A picture that stands beside the notebook under its name is its cover, for pages that show one.
            if (picture := path.with_suffix(".png")).exists() and (figure := cover(notebook)):
                files[picture] = base64.b64decode(figure.png)
    named = {path.stem: notebook for path, notebook in notebooks.items()}
    publish(files | {output / "index.html": index(output, named, templates)})


def work(asked, templates):
    failure = None
    try:
        if "compare" in asked:
            print(compare(*map(pathlib.Path, asked["compare"])), flush=True)
        else:
            run(asked, templates)
    except BrokenPipeError:
        pass  # whoever reads this has seen enough, as `head` has
    except Failure as error:
        failure = str(error)
    except Exception as error:
        failure = f"the notebook could not be executed or rendered: {error!r}"
    end(failure)


def end(failure):
    """At once: nbclient would complain of a kernel that has not started."""
    if failure:
        os.write(2, f"error: {failure}\n".encode())
    os._exit(1 if failure else 0)


if __name__ == "__main__":
    logging.disable()
    hears_terminal = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN  # not under nohup
    for stop in (signal.SIGINT, signal.SIGTERM, *[signal.SIGHUP] * hears_terminal):
        signal.signal(stop, lambda *_: end("stopped; nothing was published"))
    # Not in the thread that hears the signals, which nbclient would take.
    worker = threading.Thread(target=work, args=map(json.loads, sys.argv[1:]), daemon=True)
    worker.start()
    worker.join()
