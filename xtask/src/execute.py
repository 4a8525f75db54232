"""Executes notebooks, each in a fresh kernel, and renders each.

Arguments: for each notebook the kernel's working folder and the file, which is executed in place; the body of its page
is written to NAME.html beside it. Progress goes to stdout; the one reason for a failure to stderr.
Standard input is a pipe that nothing is written to: when it ends, the caller is gone or wants no more.
"""
import asyncio
import logging
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

QUIET = 0.05  # seconds; the kernel's text was never more than 0.01 late, with three busy programs on two cores
WHY = re.compile(r"^error: |\(os error |^Failed to wrap rustc: ")
LONGEST_LINE = 300  # characters


def first_line(cell):
    line = next((line for line in cell.source.splitlines() if line.strip()), "")
    return line if len(line) <= 60 else line[:59] + "…"


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
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(said))
    text = text.split("\nstack backtrace:")[0]
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    # Where cargo could not work, the lines that say why, out of all that it printed.
    if lines and lines[0].startswith("Compilation failed, but no parsable errors"):
        lines = [line for line in lines if WHY.search(line)] or lines
    lines = [line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…" for line in lines]
    if said and not lines:
        return "it wrote to stderr"
    return "\n".join("  " + line for line in lines[:12])


async def receive_late_text(client, cell, index):
    """Waits until a cell has said everything.

    The kernel sends what a cell writes from a thread of its own, which may be later than its word that the
    cell has finished: the text of a failed `?` mostly is. It would then pass for what the next cell wrote.
    """
    while True:
        try:
            message = await client.kc.get_iopub_msg(timeout=QUIET)
        except queue.Empty:
            break
        if message["msg_type"] == "stream":
            client.process_message(message, cell, index)
    joined = []
    for output in cell.outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    cell.outputs = joined


async def execute(folder, path):
    """Executes one notebook and returns why it failed, or nothing."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=None,
        allow_errors=True,  # judged here, cell by cell
        record_timing=False,  # outputs change only where results do
        shutdown_kernel="immediate",
    )
    log = path.with_suffix(".log")
    manager = client.create_kernel_manager()
    with guard(manager), open(log, "wb") as said:
        # The kernel builds in a folder of its own, so that nothing stays if it is killed.
        environment = dict(os.environ, TMPDIR=tempfile.tempdir)
        await client.async_start_new_kernel(cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        try:
            async with client.async_setup_kernel():
                failure = await execute_cells(client, notebook, path.stem)
        except RuntimeError:
            failure = f"the kernel, which builds in {tempfile.tempdir}, did not start: {last_words(log)}"
    if failure:
        return failure
    print(f"{path.stem}  rendering", flush=True)
    body = render(notebook)
    try:
        nbformat.write(notebook, path)
        path.with_suffix(".html").write_text(body, encoding="utf-8")
    except OSError as error:
        return f"cannot write to {path.parent}: {error.strerror}"


def last_words(log):
    """The line in which the kernel said why it ended: the last that names an error of the system, or else the last."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    system = [line for line in lines if "(os error " in line]
    return (system or lines or ["it did not say why"])[-1]


async def execute_cells(client, notebook, name):
    """Executes the cells in order up to the first that fails, and returns why it did, or nothing."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    info = await client.async_wait_for_reply(client.kc.kernel_info())
    notebook.metadata["language_info"] = info["content"]["language_info"]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        number = 1 + next(n for n, other in enumerate(cells) if other is cell)
        where = f"{name}  cell {number} of {len(cells)}"
        left = len(cells) - number
        print(f"{where}, {left} left: {first_line(cell)}", flush=True)
        try:
            await client.async_execute_cell(cell, index)
        except DeadKernelError:
            return f"{where} ended the kernel: {first_line(cell)}"
        await receive_late_text(client, cell, index)
        said = complaint(cell)
        if said and "raises-exception" not in cell.metadata.get("tags", []):
            return f"{where} failed: {first_line(cell)}\n{said}"


def stop_with_caller():
    os.read(0, 1)
    os._exit(1)  # at once: the guard takes the kernel with it


async def main():
    arguments = iter(sys.argv[1:])
    for folder in arguments:
        failure = await execute(folder, pathlib.Path(next(arguments)))
        if failure:
            return failure


if __name__ == "__main__":
    logging.disable()
    threading.Thread(target=stop_with_caller, daemon=True).start()
    try:
        failure = asyncio.run(main())
    except Exception as error:
        failure = f"the notebook could not be executed or rendered: {error}"
    if failure:
        print(failure, file=sys.stderr, flush=True)
    # At once: nbclient would complain of a kernel that has not started.
    os._exit(1 if failure else 0)
