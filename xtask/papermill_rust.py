"""papermill for these notebooks, with its own command line.

papermill knows no Rust, so this teaches it the constants of a parameter cell, and which cells have failed.
"""
import pathlib
import re
import sys

import click
import papermill.engines
import papermill.execute
from nbclient.exceptions import CellExecutionError
from nbclient.util import run_sync
from papermill.cli import papermill as main
from papermill.clientwrap import PapermillNotebookClient
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

sys.path.append(str(pathlib.Path(__file__).parent / "src"))
from execute import complaint, first_line, receive_late_text

CONSTANT = re.compile(r"^const (\w+): (.+?) = (.+?);[ \t]*(?://[ \t]*(.*))?$", re.MULTILINE)


def rust(value, kind):
    """The value as an expression of that type; nothing where it does not fit."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "bool" and isinstance(value, bool):
        return str(value).lower()
    if kind == "&str" and isinstance(value, str):
        return '"' + re.sub(r'[\\"\x00-\x1f\x7f]', lambda found: f"\\u{{{ord(found[0]):x}}}", value) + '"'
    if kind == "f64" and number and abs(value) <= sys.float_info.max:
        return repr(float(value))
    if whole := re.fullmatch(r"([ui])(8|16|32|64|128|size)", kind):
        bits = 64 if whole[2] == "size" else int(whole[2])
        least, end = (0, 2**bits) if whole[1] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        return str(value) if number and isinstance(value, int) and least <= value < end else None
    if (items := re.fullmatch(r"&\[(.+)\]", kind)) and isinstance(value, list):
        items = [rust(item, items[1]) for item in value]
        return None if None in items else f"&[{', '.join(items)}]"
    return None


class Rust(Translator):
    constants = {}

    def inspect(self, cell):
        """Called first, with the parameter cell: only there stand the types."""
        found = (Parameter(name, kind, value, help) for name, kind, value, help in CONSTANT.findall(cell.source))
        self.constants = {constant.name: constant for constant in found}
        return list(self.constants.values())

    def codify(self, parameters, comment="Parameters"):
        lines = [f"// {comment}"]
        for name, value in parameters.items():
            if name not in self.constants:
                raise click.ClickException(f"there is no parameter {name}; there are: {', '.join(self.constants)}")
            kind, help = self.constants[name].inferred_type_name, self.constants[name].help
            expression = rust(value, kind)
            if expression is None:
                raise click.ClickException(f"`{value}` does not fit {name}: {kind}")
            lines.append(f"const {name}: {kind} = {expression}; // {help}".removesuffix(" // "))
        return "\n".join(lines)


class Client(PapermillNotebookClient):
    """Stops at a cell that failed; papermill's own takes the kernel's word that it succeeded."""

    async def async_execute_cell(self, cell, index, *rest, **named):
        await super().async_execute_cell(cell, index, *rest, **named)
        if cell.cell_type == "code":
            await receive_late_text(self, cell, index)
            if failure(cell):
                raise CellExecutionError("", "", "")
        return cell

    execute_cell = run_sync(async_execute_cell)


def failure(cell):
    """Why a cell failed that is not there to fail, or nothing."""
    if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
        if said := complaint(cell):
            return f"a cell failed: {first_line(cell)}\n{said}"


def complain(notebook, output_path):
    """Instead of papermill's own, which takes an error that a cell is there to show for a failure."""
    for said in filter(None, map(failure, notebook.cells)):
        raise click.ClickException(said)


if __name__ == "__main__":
    papermill_translators.register("rust", Rust())
    papermill.engines.PapermillNotebookClient = Client
    papermill.execute.raise_for_execution_errors = complain
    main()
