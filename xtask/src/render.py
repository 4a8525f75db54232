"""Renders an executed notebook as HTML that holds no script: contents, text, code, and what it showed."""
import html
import re

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from traitlets.config import Config

LONGEST = 1000  # characters of an alternative text, which is listened to from its start to its end

FIGURE = """
{%- extends 'basic/index.html.j2' -%}
{%- block data_png -%}
{%- set twin = output.data['text/plain'] or '' -%}
{%- set data, _, caption = twin.partition('\n\n') -%}
<figure>
<img alt="{{ data | alternative_text | e }}" src="data:image/png;base64,{{ output.data['image/png'] | e }}">
{%- if caption %}
<figcaption>{{ caption | e }}</figcaption>
{%- endif %}
{%- if twin %}
<details><summary>The figure as text</summary><pre>{{ twin | e }}</pre></details>
{%- endif %}
</figure>
{%- endblock -%}
"""


def alternative_text(twin):
    """The title of a figure and the rows of its data, as many as can be listened to."""
    title, *rows = [", ".join(re.split("  +", line.strip())) for line in twin.splitlines()] or ["A figure without data"]
    kept = rows
    while kept and len("; ".join(kept)) > LONGEST:
        kept = kept[:-1]
    data = f" Data: {'; '.join(kept)}" if kept else ""
    more = f"; and {len(rows) - len(kept)} more rows in the text below" if len(kept) < len(rows) else ""
    return title + data + more


def contents(headings):
    links = (f'<li class="{h.name}"><a href="#{html.escape(h["id"])}">{h.decode_contents()}</a></li>' for h in headings)
    return f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'


def render(notebook):
    """The body of the page of a notebook."""
    # Not HTML before the others, nor JavaScript at all.
    priority = ["image/png", "image/jpeg", "text/markdown", "text/html", "text/latex", "text/plain"]
    exporter = HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": priority}),
        template_name="basic",
        raw_template=FIGURE,
        filters={"alternative_text": alternative_text},
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    soup = BeautifulSoup(body, "html.parser")
    for element in soup.select("script, .anchor-link"):
        element.decompose()
    headings = soup.select("h2[id], h3[id]")
    if headings:
        # The first cell says what it is all about.
        soup.select_one(".cell").insert_after(BeautifulSoup(contents(headings), "html.parser"))
    return str(soup)


