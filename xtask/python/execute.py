"""Executes notebooks, each in a fresh kernel, and renders each."""

import asyncio
import re
import subprocess

from failure import Failure
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from page import page

from notebooks import DATA_TYPE

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
        try:
            await super().async_execute_cell(cell, cell_index)
        except DeadKernelError:
            raise Failure(f"{where} ended the kernel: {line}") from None
        said = complaint(cell)
        if said and "raises-exception" not in cell.metadata.get("tags", []):
            raise Failure(f"{where} failed: {line}\n{said}")


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
    if any(lacks_picture(output.get("data", {})) for output in cell.outputs):
        lines = ["a figure came without its picture; run it again, or restart the kernel"]
    # Where cargo could not work, the lines that say why, out of all that it printed.
    if lines and lines[0].startswith("Compilation failed, but no parsable errors"):
        why = re.compile(r"^error: |\(os error |^Failed to wrap rustc: ")
        lines = list(dict.fromkeys(line for line in lines if why.search(line))) or lines
    if "Cannot start a runtime from within a runtime" in text:
        lines[1:] = [
            "a cell with a free `.await` ran before, since when all cells run in a runtime: "
            "restart the kernel"
        ]
    lines = [
        line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…" for line in lines
    ]
    return "\n".join("  " + line for line in (lines or ["it wrote to stderr"] * bool(said))[:12])


def lacks_picture(data):
    """Whether this is a figure as text alone: the kernel shows its `Debug` form where it had to
    compile the first `?` of a session twice."""
    text = data.get("text/plain", "")
    return " UTC on " in text and "image/png" not in data and DATA_TYPE not in data


async def execute(notebooks, asked):
    """Executes and renders each; a page is made while the next notebook is set up."""
    # Errors are judged here, cell by cell; times would change where results do not.
    settings = {
        "timeout": None,
        "startup_timeout": 600,
        # What a cell has shown is waited for, or missed: never left out without a word.
        "iopub_timeout": 600,
        "raise_on_iopub_timeout": True,
        "allow_errors": True,
        "record_timing": False,
        "coalesce_streams": True,
    }
    pages = []
    for path, notebook in notebooks.items():
        client = Client(notebook, kernel_name=asked["kernel"], **settings)
        client.path = path
        client.create_kernel_manager().connection_file = f"{asked['connection']}.json"
        try:
            await client.async_execute(
                cwd=path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except RuntimeError as error:
            raise Failure(f"{client.path.stem}: the kernel did not start: {error}") from None
        print(f"{client.path.stem}  rendering", flush=True)
        pages.append(asyncio.create_task(asyncio.to_thread(page, client.nb, path)))
    return await asyncio.gather(*pages)
