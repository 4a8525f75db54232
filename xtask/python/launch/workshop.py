"""A folder to build in, for one kernel, which is gone when the kernel is."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import time

from files import script

ROOM = 500_000_000  # bytes; a notebook's cells take 200 MB
NO_ROOM = "no temporary folder has 500 MB of room and lets programs run: set TMPDIR to one"


def workshop(project):
    """Has a process of its own make a folder to build in, wait until this one and its kernel have
    ended, in whatever way, and clear up behind them.

    Returns the folder, that process, and what it waits for: the end of all who hold it.
    """
    ended, held = os.pipe()
    told, tell = os.pipe()
    if child := os.fork():
        os.close(ended)
        os.close(tell)
        os.set_inheritable(held, True)
        with os.fdopen(told) as answer:
            made = answer.read()
        if not made:
            raise OSError(NO_ROOM)
        return pathlib.Path(made), child, held
    os.setsid()  # first: whoever ends this group does not end it
    os.close(held)
    os.close(told)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    try:
        build = folder(project)
    except OSError:
        os._exit(1)
    with contextlib.suppress(OSError), os.fdopen(tell, "w") as answer:  # it may have ended
        answer.write(str(build))
    os.read(ended, 1)
    for _ in range(100):  # a compiler that ends now may write for a moment
        shutil.rmtree(build, ignore_errors=True)
        if not build.exists():
            break
        time.sleep(0.1)
    os._exit(0)


def folder(project):
    """Makes a folder to build in: the kernel takes no spaces in its path, and programs run
    there."""
    for place in [tempfile.gettempdir(), "/tmp", "/var/tmp", project / "target"]:
        try:
            if shutil.disk_usage(place).free < ROOM:
                continue
            made = pathlib.Path(tempfile.mkdtemp(prefix="kernel-", dir=place)).resolve()
        except OSError:
            continue
        script(made / "try", "")
        if os.access(made / "try", os.X_OK) and re.fullmatch(r"[!-~]+", str(made)):
            return made
        shutil.rmtree(made)
    raise OSError(NO_ROOM)
