"""What notebooks show: as pages that hold no script and ask no other host for anything, and as tables of two runs."""
import collections
import html
import math
import pathlib
import re
import urllib.parse

import jinja2
import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from traitlets.config import Config

LONGEST = 1000  # characters of an alternative text, which is listened to from its start to its end


Figure = collections.namedtuple("Figure", "cell png twin")
# A figure or a table as text: a title, a header, then rows; after an empty line a caption, which is no part of it.
Twin = collections.namedtuple("Twin", "title header rows")


class Failure(Exception):
    """What went wrong, as a sentence."""


def fail(sentence):
    raise Failure(sentence)


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


PARAMETER = re.compile(r"^const (\w+)(: .+? = )(.+?);(?= *(?://|$))", re.M)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def parameters(notebook):
    """The constants of the parameter cell: for each name, the name, type and value as written."""
    matches = (match for cell in tagged(notebook, "parameters") for match in PARAMETER.finditer(cell.source))
    return {match[1]: "".join(match.groups()) for match in matches}


def set_parameter(notebook, name, value):
    change = lambda match: f"const {name}{match[2]}{value};" if match[1] == name else match[0]
    for cell in tagged(notebook, "parameters"):
        cell.source = PARAMETER.sub(change, cell.source)
    return True


def figures(notebook):
    datas = [(cell.id, output.get("data", {})) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [Figure(cell, data["image/png"].replace("\n", ""), data.get("text/plain", "")) for cell, data in datas if "image/png" in data]


def cover(notebook):
    """The figure to share: that of the cell tagged `cover`, or the first."""
    covers, shown = [cell.id for cell in tagged(notebook, "cover")], figures(notebook)
    return next((figure for figure in shown if figure.cell in covers), shown[0] if shown else None)


def shown(notebook, cell_id):
    """What the cell of this id printed, and the text of what it returned."""
    found = [output for cell in notebook.cells if cell.id == cell_id for output in cell.get("outputs", [])]
    return "".join(o.get("text", "") if o.get("name") == "stdout" else o.get("data", {}).get("text/plain", "") for o in found)


def twin(text):
    lines = [line.strip() for line in text.strip("\n").split("\n\n")[0].splitlines()] or [""]
    rows = [re.split("  +", line) for line in lines[1:]]
    return Twin(lines[0], rows[0] if rows else [], rows[1:])


def alternative_text(text):
    """The title of a figure and the rows of its data, as many as can be listened to."""
    title, header, rows = twin(text)
    told = [", ".join(row) for row in [header, *rows] if row]
    kept = told
    while kept and len("; ".join(kept)) > LONGEST:
        kept = kept[:-1]
    data = f" Data: {'; '.join(kept)}" if kept else ""
    more = f"; and {len(told) - len(kept)} more rows in the text below" if len(kept) < len(told) else ""
    return (title or "A figure without data") + data + more


def page(notebook, name, templates):
    # Not HTML before the others, nor JavaScript at all.
    priority = ["image/png", "image/jpeg", "text/markdown", "text/html", "text/latex", "text/plain"]
    exporter = HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": priority}),
        template_name="basic",
        raw_template=templates["figure"],
        filters={"alternative_text": alternative_text},
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    soup = BeautifulSoup(exporter.from_notebook_node(notebook)[0], "html.parser")
    for element in soup.select("script, .anchor-link"):
        element.decompose()
    headings = soup.select("h2[id], h3[id]")
    if headings:
        links = (f'<li class="{h.name}"><a href="#{html.escape(h["id"])}">{h.decode_contents()}</a></li>' for h in headings)
        contents = f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'
        # The first cell says what it is all about.
        soup.select_one(".cell").insert_after(BeautifulSoup(contents, "html.parser"))
    return rendered(templates, title=summary(notebook, name)["title"], body=str(soup))


def rendered(templates, **values):
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(templates["page"])
    return (template.render(style=templates["style"], **values) + "\n").encode()


def summary(notebook, name):
    """What the index says of a notebook."""
    texts = [BeautifulSoup(markdown2html(cell.source), "html.parser") for cell in notebook.cells if cell.cell_type == "markdown"]
    first = {tag: next((found for text in texts if (found := text.find(tag))), None) for tag in (re.compile("h[1-6]"), "p")}
    heading, lead = first.values()
    for anchor in heading.select(".anchor-link") if heading else []:
        anchor.decompose()
    stamp = {row[0]: row[1] + " cores" * (row[0] == "cores") for row in twin(shown(notebook, "stamp")).rows if len(row) == 2}
    judged = re.compile(r"(.*: )(supported|refuted|inconclusive)( \(.*\))?")
    verdict = shown(notebook, "verdict").splitlines()
    return {
        "address": urllib.parse.quote(f"{name}.html"),
        "title": heading.get_text() if heading else name,
        "lead": lead.get_text() if lead else "",
        "cover": cover(notebook),
        "verdict": [match.groups("") if (match := judged.fullmatch(line)) else (line, "", "") for line in verdict],
        "measured": ", ".join(stamp[row] for row in ("date", "processor", "cores", "memory") if row in stamp),
    }


def index(output, notebooks, templates):
    """One page over the notebooks of this run, and those that earlier runs have left with their pages."""
    known = dict(notebooks)
    for path in list_notebooks(output):
        if path.stem not in known and path.with_suffix(".html").exists():
            try:
                known[path.stem] = read(path)
            except Failure as error:
                print(f"index.html leaves one out: {error}", flush=True)
    entries = [summary(known[name], name) for name in sorted(known)]
    return rendered(templates, title="Rendered notebooks", entries=entries)


def compare(a, b):
    """The data of the same figures in two runs as tables, in Markdown that reads as well in a terminal."""
    said, ratios = [f"A: {a}  \nB: {b}"], []
    for side in (a, b):
        if not side.exists():
            raise Failure(f"cannot read {side}: No such file or directory")
    files = [{path.name: path for path in ([side] if side.is_file() else list_notebooks(side))} for side in (a, b)]
    pairs = [(path, files[1][name]) for name, path in files[0].items() if name in files[1]]
    pairs = [(a, b)] if a.is_file() and b.is_file() else pairs
    for path_a, path_b in pairs or fail(f"{a} and {b} hold no notebook of the same name"):
        notebook = read(path_a)
        twins_a, twins_b = twins(path_a, notebook), twins(path_b, read(path_b))
        said.append(f"## {summary(notebook, path_a.stem)['title']}")
        said += [table(twins_a[cell], twins_b[cell], ratios) for cell in twins_a if cell in twins_b]
        said += [f"Only A has the figure: {twins_a[cell].title}" for cell in twins_a if cell not in twins_b]
        said += [f"Only B has the figure: {twins_b[cell].title}" for cell in twins_b if cell not in twins_a]
    apart = sum(not low <= 1 <= high for low, high in ratios)
    said.append(
        f"{apart} of {len(ratios)} ratios with an interval lie clearly above or below 1.\n"
        "Chance within the runs alone would set 1 in 20 apart. What changes on a machine from one run to the next adds\n"
        "to that: compare two runs of one machine first."
    )
    return "\n\n".join(said)


def twins(path, notebook):
    """What is compared: the stamp with the parameters, the verdict line by line, and each figure."""
    rows = [[name, line.partition(" = ")[2]] for name, line in parameters(notebook).items()]
    setting = Twin("Where and with what", ["what", "value"], twin(shown(notebook, "stamp")).rows + rows)
    lines = enumerate(shown(notebook, "verdict").splitlines(), 1)
    verdict = Twin("Verdict", ["line", "said"], [[str(number), line] for number, line in lines])
    drawn = {figure.cell: twin(figure.twin) for figure in figures(notebook)}
    return {"": setting, "verdict": verdict} | (drawn or fail(f"{path} shows no figure: execute it with `cargo xtask run`"))


def table(a, b, ratios):
    """The rows of two twins side by side; where both are numbers with intervals, how many times as much B is as A."""
    # A map has two places and what stands there; a stamp has what, and its value.
    keys = len(a.header) - 4 if a.header[-3:] == ["low", "high", "samples"] else len(a.header) // 2
    rows_b = {tuple(row[:keys]): row[keys:] for row in b.rows}
    rows_a = {tuple(row[:keys]): row[keys:] for row in a.rows}
    lines = [[*a.header[:keys], "A", "B", "B / A"]]
    for key in [*rows_a, *(key for key in rows_b if key not in rows_a)]:
        sides = [rows.get(key) for rows in (rows_a, rows_b)]
        lines.append([*key, *map(value, sides), ratio(*map(numbers, sides), ratios)])
    if not any(line[-1] for line in lines[1:]):
        lines = [line[:-1] for line in lines]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    lines.insert(1, ["-" * 3] * len(lines[0]))
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = ("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)
    unit = f", {a.header[keys]}" if len(a.header) - keys == 4 else ""
    return f"### {a.title}{unit}\n\n" + "\n".join(text)


def value(columns):
    if columns is None:
        return "not there"
    if len(columns) == 4:
        return columns[0] if columns[1] == columns[2] else f"{columns[0]} [{columns[1]}, {columns[2]}]"
    return ", ".join(columns)


def numbers(columns):
    """The value and its interval, where all three are numbers above 0."""
    texts = columns[:3] if columns and len(columns) == 4 else []
    found = [float(text.replace(",", "")) for text in texts if re.fullmatch(r"[\d,]*\.?\d+(e-?\d+)?", text)]
    return found if len(found) == 3 and min(found) > 0 else None


def ratio(a, b, ratios):
    """B / A, and its interval from two that were measured apart: each end is as far from the ratio, on a logarithmic
    scale, as the root of the summed squares of the two distances that move it there.

    Zou and Donner, Construction of confidence limits about effect measures: A general approach, Statistics in Medicine
    27 (2008), 1693-1702.
    """
    if not a or not b:
        return ""
    times = b[0] / a[0]
    down, up = (math.exp(math.hypot(math.log(a[i] / a[0]), math.log(b[3 - i] / b[0]))) for i in (2, 1))
    show = lambda number: f"{number:.{min(max(2 - math.floor(math.log10(number)), 0), 9)}f}"
    # Both sides are single readings, or the same each time: then chance is not what sets them apart.
    if a[1] == a[2] and b[1] == b[2]:
        return "" if times == 1 else show(times)
    ratios.append((times / down, times * up))
    return f"{show(times)} [{show(times / down)}, {show(times * up)}]"
