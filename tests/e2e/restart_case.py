# SPDX-License-Identifier: MIT
"""Clients that count, while a daemon is started anew, and what systemd would
hear of it.

RESTARTS (3) sets how often.
"""

import os
import socket
import threading
import time

import smtpin_fixture as fixture

RESTARTS = int(os.environ.get("RESTARTS", "3"))


class Senders:
    """Threads that connect, deliver one message and go, again and again.  One
    that is refused, cut off or told anything but what is usual is noted."""

    def __init__(self, deliver, count=4):
        self.deliver = deliver
        self.stopping = threading.Event()
        self.sent, self.faults = [], []
        self.threads = [threading.Thread(target=self.run, args=(i,))
                        for i in range(count)]

    def run(self, number):
        n = 0
        while not self.stopping.is_set():
            subject = f"{number}-{n}"
            n += 1
            try:
                self.deliver(subject)
                self.sent.append(subject)
            except Exception as error:  # pylint: disable=broad-except
                self.faults.append(f"{subject}: {error!r}")
            time.sleep(0.01)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def wait_more(self, count=20):
        """Until so many more messages went through."""
        wanted = len(self.sent) + count
        fixture.until(lambda: len(self.sent) >= wanted or self.faults,
                      f"messages do not go through: {self.faults[:5]}")


class NotifySocket:
    """The end of systemd."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path[0] == "@" else path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(fixture.WAIT)
        self.heard = []

    def close(self):
        self.socket.close()

    def next(self, *beginnings):
        """The next state that begins with one of BEGINNINGS, as a dict, with
        the process that told it as "pid"; others are passed over."""
        while True:
            data, control, _, _ = self.socket.recvmsg(
                4096, socket.CMSG_SPACE(12))
            state = dict(line.split("=", 1)
                         for line in data.decode().splitlines())
            state["pid"] = int.from_bytes(control[0][2][:4], "little")
            self.heard.append(state)
            if any(state.get(name) == value for name, value in (
                    beginning.split("=") for beginning in beginnings)):
                return state
