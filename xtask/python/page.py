"""Notebooks as pages that hold no script and ask no other host for anything."""

import html
import pathlib
import re
import urllib.parse

import jinja2
from bs4 import BeautifulSoup
from failure import Failure
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from traitlets.config import Config

from notebooks import cover, data_of, list_notebooks, read, table

LONGEST = 1000  # characters of an alternative text, which is listened to from its start to its end
HERE = pathlib.Path(__file__).parent


def beside(name):
    return (HERE / name).read_text("utf-8")


def alternative_text(output):
    """The title of a figure and the rows of its data, as many as can be listened to."""
    data = data_of(output)
    if not data:
        return "A figure without data"
    told = [", ".join(filter(None, row)) for row in [data["header"], *data["rows"]]]
    kept = told
    while kept and len("; ".join(kept)) > LONGEST:
        kept = kept[:-1]
    rows = f" Data: {'; '.join(kept)}" if kept else ""
    left_out = len(told) - len(kept)
    more = f"; and {left_out} more rows in the text below" if left_out else ""
    return data["title"] + rows + more


# What is shown of an output: not HTML before the others, nor JavaScript at all.
PRIORITY = [
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "text/markdown",
    "text/html",
    "text/latex",
    "text/plain",
]


def page(notebook, path):
    """The page of a notebook, with the pictures that lie beside it."""
    exporter = HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": PRIORITY}),
        template_name="basic",
        raw_template=beside("figure.html.j2"),
        filters={"alternative_text": alternative_text},
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
    )
    beside_it = {"metadata": {"path": str(path.parent)}}
    body, _ = exporter.from_notebook_node(notebook, resources=beside_it)
    soup = BeautifulSoup(body, "html.parser")
    for element in soup.select("script, .anchor-link"):
        element.decompose()
    headings = soup.select("h2[id], h3[id]")
    if headings:
        links = (
            f'<li class="{h.name}"><a href="#{html.escape(h["id"])}">{h.decode_contents()}</a></li>'
            for h in headings
        )
        contents = f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'
        # The first cell says what it is all about.
        soup.select_one(".cell").insert_after(BeautifulSoup(contents, "html.parser"))
    return rendered(title=summary(notebook, path.stem)["title"], body=str(soup))


def rendered(**values):
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(beside("page.html.j2"))
    return (template.render(style=beside("page.css"), **values) + "\n").encode()


def summary(notebook, name):
    """What the index says of a notebook."""
    texts = [
        BeautifulSoup(markdown2html(cell.source), "html.parser")
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    ]
    first = {
        tag: next((found for text in texts if (found := text.find(tag))), None)
        for tag in (re.compile("h[1-6]"), "p")
    }
    heading, lead = first.values()
    for anchor in heading.select(".anchor-link") if heading else []:
        anchor.decompose()
    stamp = {
        row[0]: row[1] + " cores" * (row[0] == "cores")
        for row in table(notebook, "stamp")
        if len(row) == 2
    }
    outcomes = re.compile(r"(supported|refuted|inconclusive)(.*)")
    verdicts = [
        (row[0], *match.groups())
        for row in table(notebook, "verdict")
        if len(row) == 2 and (match := outcomes.fullmatch(row[1]))
    ]
    return {
        "address": urllib.parse.quote(f"{name}.html"),
        "title": heading.get_text() if heading else name,
        "lead": lead.get_text() if lead else "",
        "cover": cover(notebook),
        "verdict": verdicts,
        "measured": ", ".join(
            stamp[row] for row in ("date", "processor", "cores", "memory") if row in stamp
        ),
    }


def index(output, notebooks):
    """One page over the notebooks of this run, and those that earlier runs have left with their
    pages."""
    known = dict(notebooks)
    for path in list_notebooks(output):
        if path.stem not in known and path.with_suffix(".html").exists():
            try:
                known[path.stem] = read(path)
            except Failure as error:
                print(f"index.html leaves one out: {error}", flush=True)
    entries = [summary(known[name], name) for name in sorted(known)]
    return rendered(title="Rendered notebooks", entries=entries)
