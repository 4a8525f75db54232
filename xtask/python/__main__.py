"""Runs or renders notebooks, or compares two runs. Argument: what is asked, in JSON.

Results and progress go to stdout; the one reason for a failure to stderr. However this process
ends, its kernel ends too, by itself.
"""

import json
import logging
import os
import pathlib
import signal
import sys
import threading

from compare import compare
from failure import Failure
from run import render, run


def work(asked):
    failure = None
    try:
        if "compare" in asked:
            print(compare(*map(pathlib.Path, asked["compare"])), flush=True)
        elif "lock" in asked:
            run(asked)
        else:
            render(asked)
    except BrokenPipeError:
        pass  # whoever reads this has seen enough, as `head` has
    except Failure as error:
        failure = str(error)
    except Exception as error:
        failure = f"the notebook could not be executed or rendered: {error!r}"
    end(failure)


def end(failure):
    """At once: nbclient would complain of a kernel that has not started."""
    if failure:
        os.write(2, f"error: {failure}\n".encode())
    os._exit(1 if failure else 0)


if __name__ == "__main__":
    logging.disable()
    hears_terminal = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN  # not under nohup
    for stop in (signal.SIGINT, signal.SIGTERM, *[signal.SIGHUP] * hears_terminal):
        signal.signal(stop, lambda *_: end("stopped; nothing was published"))
    # Not in the thread that hears the signals, which nbclient would take.
    worker = threading.Thread(target=work, args=[json.loads(sys.argv[1])], daemon=True)
    worker.start()
    worker.join()
