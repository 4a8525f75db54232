"""The data of the same figures in two runs, as tables of Markdown."""

import math
import re

from failure import Failure, fail
from page import summary

from notebooks import figures, list_notebooks, parameters, read, table


def compare(a, b):
    """The data of the same figures in two runs as tables, in Markdown that reads as well in a
    terminal."""
    said, ratios = [f"A: {a}  \nB: {b}"], []
    for side in (a, b):
        if not side.exists():
            raise Failure(f"cannot read {side}: No such file or directory")
    files = [
        {path.name: path for path in ([side] if side.is_file() else list_notebooks(side))}
        for side in (a, b)
    ]
    pairs = [(path, files[1][name]) for name, path in files[0].items() if name in files[1]]
    pairs = [(a, b)] if a.is_file() and b.is_file() else pairs
    for path_a, path_b in pairs or fail(f"{a} and {b} hold no notebook of the same name"):
        notebook = read(path_a)
        shown_a, shown_b = compared(path_a, notebook), compared(path_b, read(path_b))
        said.append(f"## {summary(notebook, path_a.stem)['title']}")
        both = [cell for cell in shown_a if cell in shown_b]
        said += [side_by_side(shown_a[cell], shown_b[cell], ratios) for cell in both]
        for side, shown, other in (("A", shown_a, shown_b), ("B", shown_b, shown_a)):
            alone = [shown[cell]["title"] for cell in shown if cell not in other]
            said += [f"Only {side} has the figure: {title}" for title in alone]
    apart = sum(not low <= 1 <= high for low, high in ratios)
    said.append(
        f"{apart} of {len(ratios)} ratios with an interval lie clearly above or below 1.\n"
        "Chance within the runs alone would set 1 in 20 apart. What changes on a machine from one "
        "run to the next adds\nto that: compare two runs of one machine first."
    )
    return "\n\n".join(said)


def compared(path, notebook):
    """What is compared: the stamp with the parameters, the verdicts, and each figure."""
    values = [[name, line.partition(" = ")[2]] for name, line in parameters(notebook).items()]
    setting = {
        "title": "Where and with what",
        "header": ["what", "value"],
        "rows": table(notebook, "stamp") + values,
    }
    verdicts = {
        "title": "Verdicts",
        "header": ["claim, or control", "outcome"],
        "rows": table(notebook, "verdict"),
    }
    drawn = {figure.cell: figure.data for figure in figures(notebook) if figure.data}
    return {"": setting, "verdict": verdicts} | (
        drawn or fail(f"{path} shows no figure: execute it with `cargo xtask run`")
    )


def side_by_side(a, b, ratios):
    """The rows of two tables side by side; where both are numbers with intervals, how many times as
    much B is as A."""
    header = a["header"]
    # A map has two places and what stands there; a stamp has what, and its value.
    keys = len(header) - 4 if header[-3:] == ["low", "high", "samples"] else len(header) // 2
    rows_b = {tuple(row[:keys]): row[keys:] for row in b["rows"]}
    rows_a = {tuple(row[:keys]): row[keys:] for row in a["rows"]}
    lines = [[*header[:keys], "A", "B", "B / A"]]
    for key in [*rows_a, *(key for key in rows_b if key not in rows_a)]:
        sides = [rows.get(key) for rows in (rows_a, rows_b)]
        lines.append([*key, *map(value, sides), ratio(*map(numbers, sides), ratios)])
    if not any(line[-1] for line in lines[1:]):
        lines = [line[:-1] for line in lines]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    lines.insert(1, ["-" * 3] * len(lines[0]))
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines
    )
    unit = f", {header[keys]}" if len(header) - keys == 4 else ""
    return f"### {a['title']}{unit}\n\n" + "\n".join(text)


def value(columns):
    if columns is None:
        return "not there"
    if len(columns) == 4:
        return (
            columns[0] if columns[1] == columns[2] else f"{columns[0]} [{columns[1]}, {columns[2]}]"
        )
    return ", ".join(columns)


def numbers(columns):
    """The value and its interval, where all three are numbers above 0."""
    texts = columns[:3] if columns and len(columns) == 4 else []
    found = [
        float(text.replace(",", ""))
        for text in texts
        if re.fullmatch(r"[\d,]*\.?\d+(e-?\d+)?", text)
    ]
    return found if len(found) == 3 and min(found) > 0 else None


def show(number):
    """A number with three digits."""
    places = min(max(2 - math.floor(math.log10(number)), 0), 9)
    return f"{number:.{places}f}"


def ratio(a, b, ratios):
    """B / A, and its interval from two that were measured apart: each end is as far from the ratio,
    on a logarithmic scale, as the root of the summed squares of the two distances that move it
    there.

    Zou and Donner, Construction of confidence limits about effect measures: A general approach,
    Statistics in Medicine 27 (2008), 1693-1702.
    """
    if not a or not b:
        return ""
    times = b[0] / a[0]
    down, up = (
        math.exp(math.hypot(math.log(a[i] / a[0]), math.log(b[3 - i] / b[0]))) for i in (2, 1)
    )
    # Both sides are single readings, or the same each time: then chance is not what sets them
    # apart.
    if a[1] == a[2] and b[1] == b[2]:
        return "" if times == 1 else show(times)
    ratios.append((times / down, times * up))
    return f"{show(times)} [{show(times / down)}, {show(times * up)}]"
