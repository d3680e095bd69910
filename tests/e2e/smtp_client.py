# SPDX-License-Identifier: MIT
"""The SMTP client of the tests: it says what a test likes, in TLS or not.

SMTPIN_SLOW multiplies its deadline.
"""

import os
import re
import socket

# Only what hangs waits so long.
WAIT = 40 * float(os.environ.get("SMTPIN_SLOW", "1"))


class Reply(str):
    """The text of a reply, its lines divided by newlines, with its codes."""

    def __new__(cls, lines):
        self = super().__new__(cls, "\n".join(lines))
        self.code = int(lines[-1][:3])
        match = re.match(r"\d{3}[ -](\d\.\d{1,3}\.\d{1,3}) ", lines[-1])
        self.enhanced = match[1] if match else ""
        return self

    @property
    def codes(self):
        """ "550 5.1.1", say. """
        return f"{self.code} {self.enhanced}".strip()


class Dialogue:
    """A connection on which a test says what it likes."""

    def __init__(self, port, host="127.0.0.1", greet=True, wait=WAIT,
                 source=None):
        self.socket = socket.create_connection(
            (host, port), wait, (source, 0) if source else None)
        self.socket.settimeout(wait)
        self.file = self.socket.makefile("rb")
        if greet:
            self.greet()

    def wrap(self, context, name=None, session=None):
        """Begin TLS at once; a context of ssl says what is trusted."""
        self.file.close()
        self.socket = context.wrap_socket(
            self.socket, server_hostname=name, session=session,
            suppress_ragged_eofs=False)
        self.file = self.socket.makefile("rb")

    def greet(self):
        """Read the greeting, say EHLO, and return the reply to that."""
        try:
            self.reply()
            return self.say("EHLO client.example.net")
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise ConnectionError(f"closed after {lines} {line}")
            lines.append(line[:-2].decode("ascii"))
            if lines[-1][3:4] != "-":
                return Reply(lines)

    def say(self, line):
        """Send a command and return the reply."""
        self.send(line.encode("latin-1") + b"\r\n")
        return self.reply()

    def begin(self, *recipients, sender="sender@example.net"):
        """From MAIL to the answer of DATA, all of which must go well."""
        replies = [self.say(f"MAIL FROM:<{sender}>")]
        replies += [self.say(f"RCPT TO:<{to}>") for to in recipients]
        replies.append(self.say("DATA"))
        if [r.code for r in replies] != [250] * (len(replies) - 1) + [354]:
            raise AssertionError(f"refused: {replies}")

    def finish(self, message):
        """Send MESSAGE, which has LF line ends, and its final dot."""
        text = message.replace(b"\n", b"\r\n")
        text = re.sub(rb"(?m)^\.", b"..", text)
        self.send(text + b".\r\n")
        return self.reply()

    def deliver(self, message, *recipients, sender="sender@example.net"):
        self.begin(*recipients, sender=sender)
        return self.finish(message)

    def quit(self):
        reply = self.say("QUIT")
        self.close()
        return reply

    def close(self):
        self.file.close()
        self.socket.close()


class Lmtp(Dialogue):
    """A client that says LHLO (RFC 2033)."""

    def greet(self):
        self.reply()
        return self.say("LHLO client.example.net")

    def finish_all(self, message, count):
        """The COUNT replies to MESSAGE."""
        first = self.finish(message)
        return [first.codes] + [self.reply().codes for _ in range(count - 1)]
