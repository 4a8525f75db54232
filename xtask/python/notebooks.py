"""Notebooks as files: their parameters, and what their cells showed."""

import collections
import re

import nbformat
from failure import Failure

Figure = collections.namedtuple("Figure", "cell png twin")
# A figure or a table as text: a title, a header, then rows; after an empty line a caption, which is
# no part of it.
Twin = collections.namedtuple("Twin", "title header rows")
PARAMETER = re.compile(r"^const (\w+)(: .+? = )(.+?);(?= *(?://|$))", re.MULTILINE)


def list_notebooks(folder):
    return sorted(folder.glob("[!.]*.ipynb"))


def read(path):
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
        return notebook
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except Exception as error:
        raise Failure(f"{path} is not a notebook: {str(error).splitlines()[0]}") from None


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


def figures(notebook):
    datas = [
        (cell.id, output.get("data", {}))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    return [
        Figure(cell, data["image/png"].replace("\n", ""), data.get("text/plain", ""))
        for cell, data in datas
        if "image/png" in data
    ]


def cover(notebook):
    """The figure to share: that of the cell tagged `cover`, or the first."""
    covers, shown = [cell.id for cell in tagged(notebook, "cover")], figures(notebook)
    return next((figure for figure in shown if figure.cell in covers), shown[0] if shown else None)


def shown(notebook, cell_id):
    """What the cell of this id printed, and the text of what it returned."""
    found = [
        output
        for cell in notebook.cells
        if cell.id == cell_id
        for output in cell.get("outputs", [])
    ]
    return "".join(
        o.get("text", "") if o.get("name") == "stdout" else o.get("data", {}).get("text/plain", "")
        for o in found
    )


def twin(text):
    lines = [line.strip() for line in text.strip("\n").split("\n\n")[0].splitlines()] or [""]
    rows = [re.split("  +", line) for line in lines[1:]]
    return Twin(lines[0], rows[0] if rows else [], rows[1:])
