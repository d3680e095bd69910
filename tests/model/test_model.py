# SPDX-License-Identifier: MIT
"""A model of the session beside a server: both are told the same random
sequences, and must agree on every reply, and on all that the program is told.

MODEL_SEQUENCES says how many (3000), MODEL_FIRST the number of the first (0).
Each number stands for the same sequence always: one that fails is shown in the
form of tests/talk/README, as short as it can be made, with its number.
"""

import base64
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import sequences
import session
from messages import show

WAIT = 20 * float(os.environ.get("SMTPIN_SLOW", "1"))
COUNT = int(os.environ.get("MODEL_SEQUENCES", "3000"))
FIRST = int(os.environ.get("MODEL_FIRST", "0"))
PER_SERVER = 20  # sequences


class Differ(Exception):
    """The server and the model say different things."""


class Server:
    """One with the settings CHOSEN."""

    def __init__(self, chosen, where):
        self.chosen = chosen
        self.path = os.path.join(where, "socket")
        settings = os.path.join(where, "settings")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(sequences.lines(chosen))
        pair = [os.path.join(os.environ["CERTS"], "a." + kind)
                for kind in ("pem", "key")] if "tls" in chosen else []
        self.process = subprocess.Popen(
            [os.environ["MODEL_HOST"], settings, self.path, *pair],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii")
        self.news = threading.Condition()
        self.events = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait_event("ready")

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.events.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.events.append("server ended")
            self.news.notify_all()

    def wait_event(self, word):
        """Wait for an event that begins so, and take all up to it."""
        def ended():
            return any(e.startswith((word, "server ended"))
                       for e in self.events)
        with self.news:
            if not self.news.wait_for(ended, WAIT):
                raise Differ(f"no {word}, but {self.events}")
            events, self.events = self.events, []
        if events[-1] == "server ended":
            raise Differ(f"the server ended with {self.process.wait(WAIT)}")
        return events

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(WAIT)
        self.reader.join(WAIT)
        self.process.stdout.close()
        if status != 0:
            raise Differ(f"the server ended with {status}")


class Client:
    """A connection, and what went over it, as a conversation file has it."""

    def __init__(self, path, rng):
        self.rng = rng
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(WAIT)
        self.socket.connect(path)
        self.input = b""
        self.said = []

    def send(self, data):
        """In one write, or in several."""
        self.said += ["c: " + show(line)
                      for line in data.splitlines(keepends=True)]
        cuts = sorted(self.rng.sample(range(len(data)), min(
            len(data), self.rng.choice((0, 0, 0, 1, 3)))))
        for start, end in zip([0, *cuts], [*cuts, len(data)]):
            self.socket.sendall(data[start:end])

    def line(self):
        while b"\r\n" not in self.input:
            data = self.socket.recv(65536)
            if not data:
                raise Differ("the server closed")
            self.input += data
        line, _, self.input = self.input.partition(b"\r\n")
        self.said.append("S: " + show(line))
        return line.decode("latin-1")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def expect(self, want):
        lines = self.reply()
        match = re.match(r"(\d{3})[ -](?:(\d\.\d+\.\d+) )?", lines[-1])
        codes = " ".join(filter(None, match.groups())) if match else lines[-1]
        if codes not in want.codes:
            raise Differ(f"{want}")
        if want.lines is not None:
            # Keywords may stand in any order, and a date is that of now.
            if sorted(re.sub(r"^(FUTURERELEASE \d+) \S+$", r"\1 DATE",
                             line[4:]) for line in lines) != sorted(
                    line[4:] for line in want.lines):
                raise Differ(f"{want.lines}")
        return lines[-1]

    def wrap(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)
        self.said.append("# TLS")

    def ended(self):
        """The server says no more."""
        try:
            more = self.input + self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            more = self.input
        if more:
            raise Differ(f"that the server closes, not {more}")
        self.said.append("X")

    def close(self):
        self.socket.close()


def run_exchange(client, model, attempt):
    """Answer each challenge; the last reply is to AUTH."""
    wants = model.exchange(attempt)
    for line, want in zip(attempt.lines, wants):
        challenge = client.expect(want)
        if callable(line):
            line = line(base64.b64decode(challenge[4:]))
        client.send(line + b"\r\n")
    client.expect(wants[-1])


def run_unit(client, model, unit):
    wants, last = [], None
    for i, command in enumerate(unit):
        last = command
        wants += model.take(command, i < len(unit) - 1)
        if model.closed:
            break
    client.send(b"".join(command.raw for command in unit))
    for want in wants:
        client.expect(want)
    if model.waiting == "message":
        client.send(last.body)
        for want in model.message(last.body):
            client.expect(want)
    elif model.waiting == "exchange":
        run_exchange(client, model, last.attempt)
    elif model.waiting == "handshake":
        client.wrap()
        model.handshake()


def compare_events(model, events):
    def fits(want, event):
        """ "end refused 501|550": any of these."""
        if not re.search(r"^end .*\|", want):
            return want == event
        return re.fullmatch(re.sub(r"(\d+(?:\|\d+)+)", r"(?:\1)", want),
                            event)

    for i in range(max(len(events), len(model.events))):
        want = model.events[i] if i < len(model.events) else "no event"
        event = events[i] if i < len(events) else "no event"
        if not fits(want, event):
            raise Differ(f"event {want}\nnot event {event}")


def converse(server, rng, header, units):
    """One session.  Return what was said, and how it differed, or None."""
    model = session.Session(server.chosen)
    client = Client(server.path, rng)
    try:
        if header is not None:
            client.send(header.raw)
        for want in model.begin(header):
            client.expect(want)
        for unit in units:
            if model.closed:
                break
            run_unit(client, model, unit)
        if model.closed:
            client.ended()
        model.gone()
        client.close()
        if model.events:
            compare_events(model, server.wait_event("disconnect"))
    except (Differ, OSError) as difference:
        return client.said, difference
    finally:
        client.close()
    return client.said, None


class Fresh:
    """A server for each try of a sequence that failed: the one before may be
    in any state."""

    def __init__(self, chosen, number):
        self.chosen = chosen
        self.number = number

    def try_units(self, header, units):
        with tempfile.TemporaryDirectory(prefix="model.") as where:
            server = Server(self.chosen, where)
            try:
                said = converse(server, random.Random(self.number), header,
                                units)
                server.close()
            except Differ as difference:
                return [], difference
            finally:
                server.process.kill()
                server.process.wait()
            return said

    def shorten(self, header, units, difference):
        """Leave out what is not needed for it to fail by DIFFERENCE, or one
        of its kind."""
        kind = str(difference)[:12]
        i = 0
        while i < len(units):
            less = units[:i] + units[i + 1:]
            if str(self.try_units(header, less)[1]).startswith(kind):
                units = less
            else:
                i += 1
        return units


def generate(number, chosen):
    return sequences.Generator(random.Random(f"sequence {number}"),
                               chosen).sequence()


def report(number, chosen, header, units):
    fresh = Fresh(chosen, number)
    said, difference = fresh.try_units(header, units)
    if difference is not None:
        said, difference = fresh.try_units(
            header, fresh.shorten(header, units, difference))
    print(f"# sequence {number}: MODEL_FIRST={number} MODEL_SEQUENCES=1",
          sequences.lines(chosen), *said, sep="\n")
    print(f"the model wants: {difference}" if difference is not None
          else "alone it does not fail")


def able():
    """What the library was built with."""
    result = {}
    for name in ("smtputf8", "tls"):
        with tempfile.TemporaryDirectory(prefix="model.") as where:
            try:
                server = Server({"errors_hard": "20", name: "1"}, where)
                server.close()
                result[name] = True
            except Differ:
                result[name] = False
    return result


def main():
    built = able()
    failed = 0
    server = None
    where = tempfile.TemporaryDirectory(prefix="model.")
    for number in range(FIRST, FIRST + COUNT):
        chosen = sequences.settings(
            random.Random(f"settings {number // PER_SERVER}"), built)
        if server is None or server.chosen != chosen:
            if server is not None:
                server.close()
            where.cleanup()
            where = tempfile.TemporaryDirectory(prefix="model.")
            server = Server(chosen, where.name)
        header, units = generate(number, chosen)
        _, difference = converse(server, random.Random(number), header, units)
        if difference is not None:
            failed += 1
            server.process.kill()
            server.process.wait()
            server = None
            report(number, chosen, header, units)
            if failed == 5:
                break
    if server is not None:
        server.close()
    print(f"{COUNT} sequences from number {FIRST} on, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
