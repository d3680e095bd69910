# SPDX-License-Identifier: MIT
"""A running smtpout for a test, at the host "out" of a world.

SMTPOUT_WRAPPER is put before the program.
"""

import email
import email.policy
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

import smtpin_fixture as fixture
import world as world_module


# A new queue fills its segments: for tests less than the default will do, but
# not less than twice the largest record.
SEGMENT = str(8 << 20)


def message(text="Hello.\n", subject="test", **headers):
    """A small message; MESSAGE_ID="x" makes Message-ID: x."""
    lines = ["From: <alice@home.example>", "To: <bob@example.org>",
             f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}"
              for name, value in headers.items()]
    return ("\n".join(lines) + "\n\n" + text).encode("latin-1")


class Refused(AssertionError):
    """A message was not taken; .reply says why."""

    def __init__(self, reply):
        super().__init__(str(reply))
        self.reply = reply


class Submission(fixture.Dialogue):
    """A client of smtpout."""

    def must(self, line, code=250):
        reply = self.say(line)
        if reply.code != code:
            raise Refused(reply)
        return reply

    def submit(self, content, *rcpts, sender="alice@home.example", mail="",
               rcpt=""):
        """Send CONTENT; a recipient may be a pair with its parameters.
        Return the id of the message."""
        self.must(f"MAIL FROM:<{sender}> {mail}".rstrip())
        for to in rcpts:
            to, more = (to, rcpt) if isinstance(to, str) else to
            self.must(f"RCPT TO:<{to}> {more}".rstrip())
        self.must("DATA", 354)
        reply = self.finish(content)
        if reply.code != 250:
            raise Refused(reply)
        return re.search(r"id=(\w+)|as (\w+)", reply).group().split(
            "=")[-1].split(" ")[-1]


class Smtpout(fixture.Smtpin):
    """One process with a queue below a directory of its own."""

    def __init__(self, world, *arguments, root=None, level="debug",
                 environment=None, host=None, dns=True, runner=(),
                 listen=("-l",)):
        """LISTEN: where, if ARGUMENTS have no -a; it may not be the default,
        which is one for all tests of the machine."""
        self.world = world
        self.host = host or world.out
        self.environment = environment or {}
        self.root = root or tempfile.mkdtemp(prefix="smtpout-test.")
        self.owns_root = root is None
        self.queue_dir = os.path.join(self.root, "queue")
        # On a disk of the test's own it is as for users.
        self.segment = ["--queue-segment", SEGMENT] if root is None else []
        self.arguments = list(arguments)
        if "-a" not in self.arguments and "-l" not in self.arguments:
            self.arguments += listen
        if dns:
            self.arguments += ["--dns", world.dns]
        self.level = level
        self.runner = list(runner)
        self.process = None
        self.lines = []
        self.reader = None

    def command(self):
        settings = [f"{name}={value}"
                    for name, value in self.environment.items()]
        return ["nsenter", "--net=" + self.host.path(), "setpriv",
                "--pdeathsig", "KILL", *self.runner, "env", *settings,
                *shlex.split(os.environ.get("SMTPOUT_WRAPPER", "")),
                world_module.program("smtpout"),
                *fixture.defaults(self.arguments, "-H", "out.example",
                                  "--mailname", "out.example", "-q",
                                  self.queue_dir, "-n", self.level,
                                  *self.segment),
                *self.arguments]

    def start(self, listeners=None):
        given = self.arguments.count("-a")
        wanted = listeners or given + (
            2 if given == 0 or "-l" in self.arguments else 0)
        self.spawn()
        fixture.until(lambda: self.text().count("listening on") >= wanted
                      or self.process.poll() is not None,
                      "smtpout did not listen: ", 3 * fixture.WAIT)
        if self.process.poll() is not None:
            self.reader.join(fixture.WAIT)
            raise AssertionError("smtpout ended with "
                                 f"{self.process.returncode}: {self.text()}")
        return self

    def restart(self, *arguments):
        """End it well, and start it again, with further options, or other
        values of those that it had."""
        self.stop()
        for name in arguments:
            if name.startswith("--") and name in self.arguments:
                at = self.arguments.index(name)
                del self.arguments[at:at + 2]
        self.arguments += arguments
        return self.start()

    def client(self, port=25, host="127.0.0.1"):
        with self.host.inside():
            return Submission(port, host)

    def submit(self, content, *rcpts, **options):
        with self.client() as client:
            return client.submit(content, *rcpts, **options)

    def ask(self, *words, inside=True):
        """smtpout queue WORDS, which must be answered."""
        done = self.try_ask(*words)
        if done.returncode != 0:
            raise AssertionError(
                f"queue {words}: {done.returncode} {done.stderr}")
        return done.stdout

    def try_ask(self, *words):
        with self.host.inside():
            return subprocess.run(
                [world_module.program("smtpout"), "queue", "-q",
                 self.queue_dir, *words], capture_output=True, text=True,
                errors="replace", timeout=3 * fixture.WAIT, check=False)

    def list(self):
        """The messages of the queue, as dictionaries."""
        return [json.loads(line)
                for line in self.ask("list", "--json").splitlines()]

    def ids(self):
        return sorted(m["id"] for m in self.list())

    def why(self, ident):
        return json.loads(self.ask("why", ident, "--json"))

    def show(self, ident):
        return json.loads(self.ask("show", ident, "--json"))

    def flush_until(self, condition, what, *words, wait=fixture.WAIT):
        """Flush, again and again, until CONDITION() is true: an attempt that
        had begun before may fail after the first time."""
        def attempt():
            self.ask("flush", *words)
            end = time.monotonic() + 1
            while not condition():
                if time.monotonic() > end:
                    return False
                time.sleep(0.02)
            return True
        fixture.until(attempt, what, wait)

    def flush_to(self, server, count=1):
        """Flush until SERVER has accepted COUNT messages."""
        self.flush_until(lambda: len(server.accepted) >= count,
                         f"{count} messages")
        return server.accepted

    def wait_empty(self, wait=fixture.WAIT):
        try:
            fixture.until(lambda: self.process.poll() is not None
                          or not self.list(), "", wait)
        except AssertionError:
            raise AssertionError("the queue is not empty:\n" + "\n".join(
                self.ask("why", ident) for ident in self.ids()[:3])
                + "".join(list(self.lines)[-30:])) from None
        if self.process.poll() is not None:
            raise AssertionError("smtpout has ended: " + self.text())

    def wait_log(self, pattern, count=1, wait=fixture.WAIT):
        """Wait for COUNT log lines with PATTERN, and return them."""
        def found():
            return len(self.said(pattern)) >= count
        fixture.until(found, f"{count} times {pattern!r} in the log", wait)
        return self.said(pattern)

    def said(self, pattern):
        return [line for line in list(self.lines) if re.search(pattern, line)]

    def warnings(self):
        """Those that it logged, but for those of the surroundings: tests run
        as root, and the system may have no authorities."""
        return self.said("(^<4>| warning )(?!running as root|"
                         "no certificate of a host is good|"
                         "mail for root goes to)")

    def attempts(self, ident=None, count=0):
        """What it logged of attempts, as dictionaries, once there are COUNT.
        Its log may be behind what others see it do."""
        lines = self.wait_log(r"\brelay=" if ident is None
                              else rf"id={ident}\b.*\brelay=", count)
        return [parse_line(line) for line in lines]

    def dead(self):
        return files_in(os.path.join(self.queue_dir, "dead"))

    def quarantine(self):
        return files_in(os.path.join(self.queue_dir, "quarantine"))

    def damage(self):
        """Why things are in quarantine/, but for what was being written when
        it was killed: nobody can tell that from damage."""
        reasons = []
        for path in self.quarantine():
            if path.endswith(".why"):
                with open(path, encoding="ascii") as file:
                    reasons.append(file.read())
        if any("nothing says that it was durable" in why for why in reasons):
            reasons = [why for why in reasons
                       if "nothing says that it was durable" not in why
                       and "no message in the log has this" not in why]
        return reasons

    def pid_of_daemon(self):
        """Of the process itself, behind whatever runs it."""
        return self.process.pid


def files_in(where):
    try:
        return sorted(os.path.join(where, name) for name in os.listdir(where))
    except FileNotFoundError:
        return []


def parse_line(line):
    """The fields key=value, or key="some words", of a log line."""
    return {m[1]: m[2] if m[2] is not None else m[3]
            for m in re.finditer(r'(\w+)=(?:"([^"]*)"|(\S*))', line)}


class Report:
    """A delivery status notification, taken apart (RFC 3464)."""

    def __init__(self, content):
        self.message = email.message_from_bytes(
            content, policy=email.policy.default)
        if self.message.get_content_type() != "multipart/report":
            raise AssertionError(f"no report: {content!r}")
        if self.message.get_param("report-type") != "delivery-status":
            raise AssertionError("report of another type")
        parts = list(self.message.iter_parts())
        self.text = parts[0].get_content()
        if parts[1].get_content_type() != "message/delivery-status":
            raise AssertionError(f"second part: {parts[1]}")
        fields = parts[1].get_payload()
        self.whole, self.rcpts = fields[0], fields[1:]
        self.original = parts[2] if len(parts) > 2 else None

    def rcpt(self, address):
        """The fields of one recipient."""
        for fields in self.rcpts:
            if fields["Final-Recipient"].split(";")[1].strip() == address:
                return fields
        raise AssertionError(f"nothing of {address} in {self.message}")

    @property
    def original_text(self):
        """The original or its header, whatever is there."""
        if self.original.get_content_type() == "message/rfc822":
            return self.original.get_payload(0).as_string()
        return self.original.get_content() if isinstance(
            self.original.get_content(), str) \
            else self.original.get_content().decode("latin-1")


def lacks_sanitizers(path):
    """Whether another library can be loaded before the program's."""
    text = subprocess.run(["ldd", path], capture_output=True, text=True,
                          check=False).stdout
    return "asan" not in text and "tsan" not in text


def is_listening(host, port=25, address="127.0.0.1"):
    try:
        with host.inside(), socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


def remove_tree(path):
    shutil.rmtree(path, ignore_errors=True)
