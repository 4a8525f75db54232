"""Executes cells in one Rust kernel, as long as standard input is open.

Runs below guard.py. Argument: the kernel's working folder. A line of standard input asks for a cell, a line of standard
output answers, both in JSON: {"source", "seconds": limit, "sign": text that the cell prints, or none, "interrupts":
[seconds since the sign, or since the request]}, then what the cell showed, how long it took and how it ended.
"""
import json
import os
import queue
import subprocess
import sys
import tempfile
import time

from jupyter_client import KernelManager
from nbformat.v4 import output_from_msg

SILENCE = 0.1  # seconds
SHOWN = ("stream", "display_data", "execute_result", "error")


def receive(seconds):
    try:
        return client.get_iopub_msg(timeout=seconds)
    except queue.Empty:
        return None


def keep(message, outputs):
    """Keeps what a message shows, whichever request it names: a text may come late."""
    if message["msg_type"] in SHOWN:
        output = output_from_msg(message)
        if outputs and output.output_type == "stream" and outputs[-1].get("name") == output.name:
            outputs[-1].text += output.text
        else:
            outputs.append(output)


def execute(source, seconds, sign, interrupts):
    """Runs a cell to its end, or interrupts it when it takes too long."""
    asked, start, outputs, end = client.execute(source, allow_stdin=False), time.monotonic(), [], "finished"
    said = lambda: {"outputs": outputs, "seconds": time.monotonic() - start, "end": end}
    began = None if sign else start
    while True:
        message, now = receive(0.01 if interrupts else 0.2), time.monotonic()
        if message:
            keep(message, outputs)
            if began is None and sign in message["content"].get("text", ""):
                began = now
        if began is not None and interrupts and now >= began + interrupts[0]:
            interrupts.pop(0)
            manager.interrupt_kernel()
        if now > start + seconds and end == "finished":
            end = "timed out"
            manager.interrupt_kernel()
        if not manager.is_alive() or now > start + seconds + 60:
            end = "dead"
            return said()
        ours = message and message["parent_header"].get("msg_id") == asked
        if ours and message["content"].get("execution_state") == "idle":
            break
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != asked:
        pass
    answer = said()
    # What a cell writes on stderr comes from a thread of its own, mostly after the kernel's word that the cell has
    # finished, and would be taken for the next cell's: a sign is waited for, and the text of a failed `?`, which no
    # cell has that shows a result or an error.
    shows = any(output.output_type in ("execute_result", "error") for output in outputs)
    awaited = sign if began is None else ""
    while awaited or not shows:
        message = receive(60 if awaited else SILENCE)
        if not message:
            break
        keep(message, outputs)
        awaited = "" if awaited in message["content"].get("text", "") else awaited
    return answer


temporary = tempfile.mkdtemp()
manager = KernelManager(kernel_name="rust")
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
manager.start_kernel(cwd=sys.argv[1], env=dict(os.environ, TMPDIR=temporary), **quiet)
client = manager.client()
with guard(manager, temporary):
    try:
        client.start_channels()
        client.wait_for_ready(timeout=120)
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(execute(**json.loads(line))), flush=True)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
