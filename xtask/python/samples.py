"""The numbers behind the figures of a notebook, as a table for programs: a row a sample."""

import csv
import io

HEADER = [
    "notebook",
    "figure",
    "group",
    "series",
    "style",
    "position",
    "sample",
    "value",
    "unit",
    "settings",
]


def samples(name, figures):
    """All samples of these figures of a notebook, as CSV (RFC 4180), in their order."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for figure in figures:
        writer.writerows([name, *row] for row in rows(figure.data))
    return text.getvalue().encode()


def rows(data):
    """The rows of one figure; of one that plotters drew, its cells as they are written."""
    title = data.get("title", "")
    settings = "; ".join(
        f"{name} {value}" for name, value in data.get("caption", {}).get("settings", {}).items()
    )
    if "series" not in data:
        unit = ", ".join(data.get("header", []))
        for number, cells in enumerate(data.get("rows", []), 1):
            yield [title, "", "", "table", number, "", ", ".join(cells), unit, settings]
        return
    for series in data["series"]:
        for point in series["points"]:
            place = point.get("name", point["at"])
            known = [title, point.get("group", ""), series["label"], series["style"], place]
            # What has no samples is one number that was read, computed or guessed.
            numbered = list(enumerate(point.get("samples", []), 1)) or [("", point["value"])]
            for sample, value in numbered:
                yield [*known, sample, value, data["value"]["label"], settings]
