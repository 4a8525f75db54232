"""Notebooks as pages that hold no script and ask no other host for anything."""

import json
import pathlib
import re
import urllib.parse

import jinja2
from bs4 import BeautifulSoup
from failure import Failure
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from traitlets.config import Config

from notebooks import cover, list_notebooks, read, table

TEMPLATE = pathlib.Path(__file__).parent / "template"


def page(notebook, path):
    """The page of a notebook, with the pictures that lie beside it: what Jupyter's own export gives
    in this environment, and no script that an output holds."""
    exporter = HTMLExporter(
        config=Config(json.loads((TEMPLATE / "config.json").read_text("utf-8")))
    )
    beside = {"metadata": {"name": path.stem, "path": str(path.parent)}}
    text, _ = exporter.from_notebook_node(notebook, resources=beside)
    if "<script" in text.lower():
        soup = BeautifulSoup(text, "html.parser")
        for script in soup.select("script"):
            script.decompose()
        text = str(soup)
    return text.encode()


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
    loader = jinja2.FileSystemLoader(TEMPLATE)
    settings = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    template = jinja2.Environment(loader=loader, **settings).get_template("overview.html.j2")
    return template.render(entries=entries).encode()
