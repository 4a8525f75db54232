"""Stands between the front end and the kernel, and mends what evcxr 0.22 says too early, or not.

A kernel that is slow to start answers a front end that has gone, and then hears nothing more: here
a connection that stays. The text of a failed `?` may come after the word that its cell has ended,
when nobody listens any more: that word waits, and with it the next cell. A last line without an end
hides the mark by which the kernel knows that its cell has ended: it gets another one. And where the
front end speaks through files, the kernel, which cannot, is spoken to through ports.
"""

import collections
import hashlib
import hmac
import json
import pathlib
import random
import socket
import threading
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

DELIMITER = b"<IDS|MSG>"
END_MARK = "EVCXR_EXECUTION_COMPLETE"
# Seconds without a message after which a cell has said all; a late text is less than a thousandth
# late.
QUIET = 0.01
# Seconds after which a cell has ended all the same: a thread that it left may write for ever.
LATEST = 0.2
LONGEST_START = 120_000  # milliseconds
ENDLESS = (
    "\nThe kernel waits for the end of this line: interrupt it, and end the line with `println!`.\n"
)
HOST = "127.0.0.1"
CHANNELS = ("shell", "control", "stdin", "hb")


class Relay:
    """Passes on what either side says, from a thread of its own.

    `kernel` is set when it has started: its number as a process.
    """

    def __init__(self, connection, build):
        settings = json.loads(pathlib.Path(connection).read_text())
        self.key = settings["key"].encode()
        self.kernel = None
        self.context = zmq.Context()
        own = settings | {"transport": "tcp", "ip": HOST}
        for name, port in zip((*CHANNELS, "iopub"), free_ports(), strict=False):
            own[f"{name}_port"] = port
        self.connection = build / "connection.json"
        self.connection.write_text(json.dumps(own))
        self.fronts = {name: self.front(name, zmq.ROUTER, settings) for name in CHANNELS}
        self.backs = {name: self.back(name, zmq.DEALER, own) for name in CHANNELS}
        self.shown = self.front("iopub", zmq.PUB, settings)
        self.said = self.back("iopub", zmq.SUB, own)
        self.said.subscribe(b"")
        # Before the kernel starts: it may be there sooner than the thread that waits for it.
        self.arrival = self.said.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.cells = collections.deque()  # those that wait, as messages
        self.running = None  # the number of the message whose cell runs
        self.end = None  # the message that its cell has ended
        self.quiet_from = self.latest = 0.0  # when it may pass, and when it has to
        self.replies = []  # what waits until then

    def front(self, name, kind, settings):
        made = self.context.socket(kind)
        made.sndhwm = 0  # no line is dropped
        between = "-" if settings["transport"] == "ipc" else ":"
        place = f"{settings['ip']}{between}{settings[f'{name}_port']}"
        made.bind(f"{settings['transport']}://{place}")
        return made

    def back(self, name, kind, settings):
        made = self.context.socket(kind)
        made.rcvhwm = 0
        made.reconnect_ivl = 10  # milliseconds; the kernel is about to start
        made.identity = b"relay"  # where a cell came from, there its questions go
        made.connect(f"tcp://{HOST}:{settings[f'{name}_port']}")
        return made

    def start(self):
        threading.Thread(target=self.pass_on, daemon=True).start()

    def pass_on(self):
        self.wait_for_kernel()
        handlers = {
            self.said: self.hear,
            self.fronts["shell"]: self.ask,
            self.backs["shell"]: self.answer,
        }
        for name in CHANNELS:
            front, back = self.fronts[name], self.backs[name]
            handlers.setdefault(front, back.send_multipart)
            handlers.setdefault(back, front.send_multipart)
        poller = zmq.Poller()
        for one in handlers:
            poller.register(one, zmq.POLLIN)
        while True:
            for one, _ in poller.poll(self.patience()):
                handlers[one](one.recv_multipart())
            if self.end and time.monotonic() >= min(self.quiet_from, self.latest):
                self.end_cell()

    def wait_for_kernel(self):
        """Until it is there, and knows that we listen: what it says to nobody is lost."""
        if self.arrival.poll(LONGEST_START):
            recv_monitor_message(self.arrival)
        self.said.disable_monitor()

    def patience(self):
        """Milliseconds, or none where nothing is held back."""
        if not self.end:
            return None
        left = min(self.quiet_from, self.latest) - time.monotonic()
        return max(0, 1_000 * left)

    def ask(self, message):
        """What the front end asks on the shell's channel; a cell waits until the last has ended."""
        if kind(message) == "execute_request":
            self.cells.append(message)
            self.begin_cell()
        else:
            self.backs["shell"].send_multipart(message)

    def begin_cell(self):
        if self.running is None and self.cells:
            message = self.cells.popleft()
            self.running = header(message)["msg_id"]
            self.backs["shell"].send_multipart(message)

    def answer(self, message):
        """What the kernel answers; whoever has the answer of a cell soon stops to listen."""
        if self.running and kind(message) == "execute_reply":
            self.replies.append(message)
        else:
            self.fronts["shell"].send_multipart(message)

    def hear(self, message):
        """What the kernel tells all who listen."""
        if hides_mark(message):
            message = self.without_mark(message)
        now = time.monotonic()
        self.quiet_from = now + QUIET
        if self.is_end(message):
            self.end, self.latest = message, now + LATEST
        else:
            self.shown.send_multipart(message)

    def is_end(self, message):
        if self.running is None or kind(message) != "status":
            return False
        is_of_cell = json.loads(parts(message)[2]).get("msg_id") == self.running
        return is_of_cell and content(message)["execution_state"] == "idle"

    def end_cell(self):
        self.shown.send_multipart(self.end)
        for reply in self.replies:
            self.fronts["shell"].send_multipart(reply)
        self.end, self.running, self.replies = None, None, []
        self.begin_cell()

    def without_mark(self, message):
        """The same text without the mark, which the kernel then gets on a line of its own."""
        said = content(message)
        said["text"] = said["text"].rstrip("\n").removesuffix(END_MARK)
        if not write_to_cells(self.kernel, f"{END_MARK}\n"):
            said["text"] += ENDLESS
        message[-1] = json.dumps(said).encode()
        place = message.index(DELIMITER) + 1
        if self.key:
            signed = b"".join(message[place + 1 :])
            message[place] = hmac.new(self.key, signed, hashlib.sha256).hexdigest().encode()
        return message


def parts(message):
    """The signature, and in JSON the header, the parent's header, metadata and content."""
    return message[message.index(DELIMITER) + 1 :]


def header(message):
    return json.loads(parts(message)[1])


def kind(message):
    return header(message)["msg_type"]


def content(message):
    return json.loads(parts(message)[4])


def hides_mark(message):
    """Whether the mark stands at the end of a line that begins with something else."""
    if END_MARK.encode() not in message[-1] or kind(message) != "stream":
        return False
    return content(message)["text"].rstrip("\n").endswith(END_MARK)


def free_ports():
    """Where systems give no port to whoever asks for any."""
    for port in random.sample(range(10_000, 32_768), 1_000):
        with socket.socket() as asking:
            if asking.connect_ex((HOST, port)) != 0:
                yield port


def write_to_cells(kernel, text):
    """Writes where the process that runs the kernel's cells does; whether that is possible."""
    try:
        program = pathlib.Path(f"/proc/{kernel}/exe").readlink()
        children = [
            child
            for task in pathlib.Path(f"/proc/{kernel}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        cells = [child for child in children if runs(child, program)]
        for child in cells:
            pathlib.Path(f"/proc/{child}/fd/1").write_text(text)
    except OSError:
        return False
    return bool(cells)


def runs(process, program):
    try:
        return pathlib.Path(f"/proc/{process}/exe").readlink() == program
    except OSError:
        return False  # it has ended
