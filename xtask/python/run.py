"""Runs the notebooks that are asked for, or renders what they show; publishes all or nothing."""

import asyncio
import base64
import fcntl
import pathlib
import re
import tempfile

import nbformat
from execute import execute
from failure import Failure, fail
from page import index, page
from samples import samples

from notebooks import cover, figures, list_notebooks, parameters, read, set_parameter


def publish(files):
    """Writes each file beside its target, then renames all, so that each is whole at any time."""
    staged = [
        (target.with_name(f".{target.name}.partial"), target, content)
        for target, content in files.items()
    ]
    try:
        for partial, target, content in staged:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
        for partial, target, _ in staged:
            partial.rename(target)
            print(f"Wrote {target}", flush=True)
    except OSError as error:
        raise Failure(f"cannot write to {target.parent}: {error.strerror}") from None
    finally:
        for partial, _, _ in staged:
            partial.unlink(missing_ok=True)


def check(folder):
    """Finds a folder that takes no files before the notebooks run."""
    try:
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from None


def find(folder, name):
    """A notebook by its path, its name or the beginning of its name."""
    if pathlib.Path(name).is_file():
        return pathlib.Path(name).resolve()
    every = list_notebooks(folder)
    fitting = [path for path in every if path.stem == name] or [
        path for path in every if path.stem.startswith(name)
    ]
    names = ", ".join(path.stem for path in fitting or every)
    if len(fitting) > 1:
        raise Failure(f"{name} may be any of {names}; write more of the name")
    return fitting[0] if fitting else fail(f"no notebook {name}; there are: {names}")


def choose(asked):
    """The notebooks that were asked for, with the values that were given; what cannot be run is
    refused."""
    folder, output = pathlib.Path(asked["folder"]), pathlib.Path(asked["output"])
    paths = list(
        dict.fromkeys(find(folder, name) for name in asked["notebooks"])
    ) or list_notebooks(folder)
    paths = paths or fail(f"there is no notebook in {folder}")
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise Failure("two notebooks have the same name; run them one at a time")
    if output.resolve() in [path.parent.resolve() for path in paths]:
        raise Failure(
            "--output is the folder of a notebook, which it would overwrite; name another one"
        )
    if "index.ipynb" in names:
        raise Failure(
            "the page of a notebook named index would be overwritten by index.html; "
            "rename the notebook"
        )
    notebooks = {path: read(path) for path in paths}
    values = [[part.strip() for part in value.partition("=")] for value in asked["values"]]
    for given, (name, _, value) in zip(asked["values"], values):
        if not re.fullmatch(r"\w+", name) or not value or re.search(r";|//|\n", value):
            raise Failure(f"`-p {given}` is not NAME=VALUE with one Rust expression as the value")
        if [other[0] for other in values].count(name) > 1:
            raise Failure(f"-p gives {name} twice; give it once")
        # In every notebook that has the parameter, and at least one has it.
        if not [
            set_parameter(notebook, name, value)
            for notebook in notebooks.values()
            if name in parameters(notebook)
        ]:
            known = [
                f"\n  {path.stem}: {line}"
                for path, notebook in notebooks.items()
                for line in parameters(notebook).values()
            ]
            raise Failure(f"there is no parameter {name}; there are:{''.join(known)}")
    return notebooks, output


def run(asked):
    """Executes notebooks, then renders them: what `cargo xtask run` asks for."""
    notebooks, output = choose(asked)
    # Until no other run measures; the system takes the lock back when this process ends.
    lock = open(asked["lock"], "a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting until another run, which this one would disturb, has finished.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    for folder in {output, *(path.parent for path in notebooks if asked["in_place"])}:
        check(folder)
    for path, notebook in notebooks.items():
        made_page(notebook, path)  # what has no page is found before anything runs
    pages = asyncio.run(execute(notebooks, asked))
    files = {}
    if asked["in_place"]:
        for path, notebook in notebooks.items():
            files |= stored(path, notebook)
    publish(files | rendered(notebooks, pages, asked))


def render(asked):
    """Renders what notebooks hold, and executes nothing: what `cargo xtask render` asks for."""
    notebooks, output = choose(asked)
    check(output)
    pages = [made_page(notebook, path) for path, notebook in notebooks.items()]
    publish(rendered(notebooks, pages, asked))


def made_page(notebook, path):
    try:
        return page(notebook, path)
    except Exception as error:
        raise Failure(f"{path} cannot be shown as a page: {error}") from None


def rendered(notebooks, pages, asked):
    """The files of a run: of each notebook itself, its page and its samples; and the index."""
    files, output = {}, pathlib.Path(asked["output"])
    for (path, notebook), made in zip(notebooks.items(), pages):
        files[output / path.name] = written(notebook)
        files[output / f"{path.stem}.html"] = made
        files[output / f"{path.stem}.csv"] = samples(path.stem, figures(notebook))
        if asked["figures"]:
            files |= single(path.stem, notebook, output / "figures")
    named = {path.stem: notebook for path, notebook in notebooks.items()}
    return files | {output / "index.html": index(output, named)}


def single(name, notebook, folder):
    """Each figure by itself, named by its notebook and its title: picture, text and samples."""
    files = {}
    for figure in figures(notebook):
        words = re.findall(r"\w+", figure.data.get("title", figure.cell).lower())
        path = folder / f"{name}-{'-'.join(words)}.png"
        if path in files:  # another one of that title
            path = path.with_stem(f"{path.stem}-{figure.cell}")
        files[path] = base64.b64decode(figure.png)
        files[path.with_suffix(".txt")] = figure.text.encode()
        files[path.with_suffix(".csv")] = samples(name, [figure])
    return files


def stored(path, notebook):
    """The notebook itself; and its cover, where a picture stands beside it under its name, for
    pages that show one."""
    files = {path: written(notebook)}
    picture = path.with_suffix(".png")
    figure = cover(notebook)
    if picture.exists() and figure:
        files[picture] = base64.b64decode(figure.png)
    return files


def written(notebook):
    return (nbformat.writes(notebook) + "\n").encode()
