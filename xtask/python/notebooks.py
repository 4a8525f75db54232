"""Notebooks as files: their parameters, and what their cells showed."""

import collections
import re

import nbformat
from failure import Failure

Figure = collections.namedtuple("Figure", "cell png text data")
# As which a notebook keeps the data of a figure or a table: its title, a header and rows as they
# are written; of a figure its axes, series and caption, too.
DATA_TYPE = "application/vnd.guard-time-weigh+json"
PARAMETER = re.compile(r"^const (\w+)(: .+? = )(.+?);(?= *(?://|$))", re.MULTILINE)


def list_notebooks(folder):
    return sorted(folder.glob("[!.]*.ipynb"))


def read(path):
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        with_ids(notebook)
        nbformat.validate(notebook)
        return notebook
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except Exception as error:
        raise Failure(f"{path} is not a notebook: {str(error).splitlines()[0]}") from None


def with_ids(notebook):
    """Gives each cell a name, which older formats have not."""
    if notebook.nbformat_minor < 5:
        notebook.nbformat_minor = 5
        for number, cell in enumerate(notebook.cells, 1):
            cell.setdefault("id", f"cell-{number}")


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def parameters(notebook):
    """The constants of the parameter cell: for each name, the name, type and value as written."""
    matches = (
        match
        for cell in tagged(notebook, "parameters")
        for match in PARAMETER.finditer(cell.source)
    )
    return {match[1]: "".join(match.groups()) for match in matches}


def set_parameter(notebook, name, value):
    """Gives a constant of the parameter cell another value; whether there is one of that name."""

    def change(match):
        return f"const {name}{match[2]}{value};" if match[1] == name else match[0]

    for cell in tagged(notebook, "parameters"):
        cell.source = PARAMETER.sub(change, cell.source)
    return name in parameters(notebook)


def outputs(notebook, cell_id=None):
    """What the cell of this id showed, or all cells, as pairs of a cell's id and an output."""
    return [
        (cell.id, output)
        for cell in notebook.cells
        if cell_id in (None, cell.id)
        for output in cell.get("outputs", [])
    ]


def data_of(output):
    """The data of a figure or a table, or nothing."""
    return output.get("data", {}).get(DATA_TYPE, {})


def figures(notebook):
    return [
        Figure(
            cell,
            output.data["image/png"].replace("\n", ""),
            output.data.get("text/plain", ""),
            data_of(output),
        )
        for cell, output in outputs(notebook)
        if "image/png" in output.get("data", {})
    ]


def cover(notebook):
    """The figure to share: that of the cell tagged `cover`, or the first."""
    covers, shown = [cell.id for cell in tagged(notebook, "cover")], figures(notebook)
    return next((figure for figure in shown if figure.cell in covers), shown[0] if shown else None)


def table(notebook, cell_id):
    """The rows of the table that the cell of this id showed."""
    rows = [data_of(output).get("rows", []) for _, output in outputs(notebook, cell_id)]
    return sum(rows, [])
