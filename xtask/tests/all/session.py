"""Executes cells in one Rust kernel, as long as standard input is open. Argument: the kernel's working folder.

Each line of standard input asks, each of standard output answers, in JSON: {"source", "seconds":
limit, "sign": text that the cell prints, or none, "interrupts": [seconds since the sign, or since the request]}, then
the outputs as a notebook holds them, or null where the kernel ended or the cell did not.
"""

import json
import queue
import subprocess
import sys
import time

from jupyter_client import KernelManager
from nbformat.v4 import output_from_msg

SHOWN = ("stream", "display_data", "execute_result", "error")


def receive(seconds, outputs):
    """Keeps what the next message shows, whichever request it names, and returns the message, or
    nothing."""
    try:
        message = client.get_iopub_msg(timeout=seconds)
    except queue.Empty:
        return {}
    if message["msg_type"] in SHOWN:
        outputs.append(output_from_msg(message))
    return message


def execute(source, seconds, sign, interrupts):
    asked, start, outputs = client.execute(source, allow_stdin=False), time.monotonic(), []
    began, idle = None if sign else start, False
    while not idle:
        message, now = receive(0.01 if interrupts else 0.2, outputs), time.monotonic()
        if began is None and sign in message.get("content", {}).get("text", ""):
            began = now
        if began is not None and interrupts and now >= began + interrupts[0]:
            interrupts.pop(0)
            manager.interrupt_kernel()
        if not manager.is_alive() or now > start + seconds:
            return None
        idle = message.get("parent_header", {}).get("msg_id") == asked
        idle = idle and message["content"].get("execution_state") == "idle"
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != asked:
        pass
    return outputs


manager = KernelManager(kernel_name="guard-time-weigh")
manager.start_kernel(cwd=sys.argv[1], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
client = manager.client()
try:
    client.start_channels()
    client.wait_for_ready(timeout=120)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(execute(**json.loads(line))), flush=True)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
