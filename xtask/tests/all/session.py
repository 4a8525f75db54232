"""Executes cells in one Rust kernel, as long as standard input is open.

Runs below guard.py. Argument: the kernel's working folder. A line of standard input asks for cells, a line of standard output answers,
both in JSON: {"cells": [source], "seconds": limit of each cell, "interrupts": [seconds since a cell's start]}, then
for each cell what it showed, how long it took and how it ended. {"write": path, "notebook": …} writes a notebook.
"""
import json
import os
import queue
import subprocess
import sys
import tempfile
import time

import nbformat
from jupyter_client import KernelManager
from nbformat.v4 import output_from_msg

QUIET = 0.3  # seconds without a message from the kernel
SHOWN = ("stream", "display_data", "execute_result", "error")


class Kernel:
    def __init__(self, folder, temporary):
        self.manager = KernelManager(kernel_name="rust")
        environment = dict(os.environ, TMPDIR=temporary)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(cwd=folder, env=environment, **quiet)
        self.client = self.manager.client()
        self.client.start_channels()
        self.outputs = {}  # of the cells asked for together, by the message that asked

    def receive(self, seconds):
        """Keeps what the next message shows; returns the message, or nothing."""
        try:
            message = self.client.get_iopub_msg(timeout=seconds)
        except queue.Empty:
            return None
        if message["msg_type"] in SHOWN and self.outputs:
            last = next(reversed(self.outputs))
            shown = self.outputs.get(message["parent_header"].get("msg_id"), self.outputs[last])
            output = output_from_msg(message)
            if shown and output.output_type == "stream" and shown[-1].get("name") == output.name:
                shown[-1].text += output.text
            else:
                shown.append(output)
        return message

    def run(self, source, limit, interrupts):
        """Runs one cell to its end, or interrupts it when it takes too long, and says how it ended."""
        asked = self.client.execute(source, allow_stdin=False)
        self.outputs[asked] = outputs = []
        said = {"outputs": outputs, "execution_count": None, "end": "finished"}
        start, interrupts = time.monotonic(), sorted(interrupts)
        while True:
            said["seconds"] = passed = time.monotonic() - start
            if interrupts and passed >= interrupts[0]:
                interrupts.pop(0)
                self.manager.interrupt_kernel()
            if passed > limit and said["end"] == "finished":
                said["end"] = "timed out"
                self.manager.interrupt_kernel()
            if not self.manager.is_alive() or passed > limit + 60:
                said["end"] = "dead"
                return said
            message = self.receive(0.02 if interrupts else 0.2)
            if message and message["parent_header"].get("msg_id") == asked:
                if message["content"].get("execution_state") == "idle":
                    said["execution_count"] = self.reply(asked)["content"]["execution_count"]
                    return said

    def reply(self, asked):
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == asked:
                return reply

    def answer(self, request):
        self.outputs.clear()
        said = []
        for source in request["cells"]:
            said.append(self.run(source, request["seconds"], request["interrupts"]))
            if said[-1]["end"] == "dead":
                break
        # The kernel sends what a cell writes from a thread of its own, which may be later than its word that the
        # cell has finished: the text of a failed `?` mostly is.
        while self.receive(QUIET):
            pass
        return said


def write(path, notebook):
    nbformat.write(nbformat.from_dict(notebook), path)


temporary = tempfile.mkdtemp()
kernel = Kernel(sys.argv[1], temporary)
with guard(kernel.manager, temporary):
    try:
        kernel.client.wait_for_ready(timeout=120)
        print("ready", flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            answer = write(request["write"], request["notebook"]) if "write" in request else kernel.answer(request)
            print(json.dumps(answer), flush=True)
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
