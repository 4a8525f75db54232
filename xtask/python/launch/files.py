"""Files that are whole whenever another process looks."""

import os


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def replace(path, make):
    """Makes a file beside its place and moves it there, so that it is whole whenever another kernel
    looks."""
    make(new := path.with_name(f"{path.name}.{os.getpid()}"))
    new.replace(path)
