# SPDX-License-Identifier: MIT
"""A running smtpin for a test, and a client that speaks to it line by line.

SMTPIN names the program (or the first argument of a test file that does not
begin with a hyphen); SMTPIN_WRAPPER is put before it, for example
"valgrind -q --error-exitcode=99".  SMTPIN_SLOW multiplies all deadlines.
E2E_STRICT=1 makes a missing tool a failure instead of a skip.
"""

import glob
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from smtp_client import WAIT, Dialogue

SLOW = float(os.environ.get("SMTPIN_SLOW", "1"))

USERS = """\
# The users of the tests.
alice : alice@example.org
alice : postmaster@example.org
bob   : bob@example.org
carol : @catch.example
carol : postmaster@catch.example
"""


def program():
    """The smtpin to test."""
    path = os.environ.get("SMTPIN")
    if not path:
        cannot("SMTPIN does not name the program to test")
    return path


def main():
    """Run the tests of the calling file; see above for the argument."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") \
            and os.access(sys.argv[1], os.X_OK):
        os.environ["SMTPIN"] = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


def cannot(reason):
    """Skip the present test, or fail where everything must be there."""
    if os.environ.get("E2E_STRICT"):
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


def need(tool):
    """The path of a program that a test uses."""
    path = shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        cannot(f"{tool} is not installed")
    return path


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
            return True
    except OSError:
        return False


def loopback():
    """Options to listen on free ports of all loopback addresses."""
    options = ["-a", "127.0.0.1:0"]
    return options + ["-a", "[::1]:0"] if has_ipv6() else options


RESERVED = []


def free_port():
    """A port for a program that cannot be asked which one it took.  The system
    gives it to nobody, since it is below those that it gives away, and no other
    test takes it: a name that only one can have is held to our end."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as file:
        lowest = int(file.read().split()[0])
    for port in random.sample(range(max(1024, lowest - 20000), lowest), 1000):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0libsmtpd-test-port-{port}")
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            name.close()
            continue
        RESERVED.append(name)
        return port
    raise AssertionError("no free port")


def until(condition, what, wait=WAIT):
    """Wait until CONDITION() is true, and return what it returned.  One that
    takes long to find out is asked less often."""
    end = time.monotonic() + wait
    while True:
        start = time.monotonic()
        result = condition()
        now = time.monotonic()
        if result:
            return result
        if now > end:
            raise AssertionError("timed out: " + what)
        time.sleep(max(0.02, 4 * (now - start)))


def defaults(arguments, *pairs):
    """Those of PAIRS, option and value, that ARGUMENTS do not have: most
    options are refused when they are given twice."""
    result = []
    for option, value in zip(pairs[::2], pairs[1::2]):
        if not any(a == option or a.startswith(option + "=") or (
                option[1] != "-" and a.startswith(option) and a[1:2] != "-")
                for a in arguments):
            result += [option, value]
    return result


class Smtpin:
    """One process with a map and Maildirs under a directory of its own."""

    def __init__(self, users=USERS, arguments=None, root=None, level="debug",
                 prefix=()):
        self.root = root or tempfile.mkdtemp(prefix="smtpin-test.")
        self.owns_root = root is None
        self.map = os.path.join(self.root, "map")
        self.mail = os.path.join(self.root, "mail")
        os.makedirs(self.mail, exist_ok=True)
        self.write_map(users)
        self.arguments = loopback() if arguments is None \
            else list(arguments)
        self.level = level
        self.prefix = list(prefix)
        self.process = None
        self.lines = []
        self.reader = None

    def write_map(self, text):
        """Replace the map as an administrator should: by rename."""
        with open(self.map + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.map + ".new", self.map)

    def command(self):
        return self.prefix + shlex.split(
            os.environ.get("SMTPIN_WRAPPER", "")) + [
                program(),
                *defaults(self.arguments, "-H", "mx.example.org",
                          "-u", self.map, "-m", self.mail + "/%u/Maildir",
                          "--max-per-address", "0", "-n", self.level),
                *self.arguments]

    def spawn(self):
        """Start it, and collect what it says."""
        self.lines = []
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            encoding="utf-8", errors="replace")
        self.reader = threading.Thread(target=self.read_lines, daemon=True)
        self.reader.start()

    def read_lines(self):
        with self.process.stderr as stderr:
            for line in stderr:
                self.lines.append(line.rstrip("\n"))

    def start(self, listeners=None):
        """Start it, and return when it listens on all its addresses."""
        wanted = listeners or self.arguments.count("-a") or 1
        self.spawn()
        until(lambda: len(self.addresses()) >= wanted
              or self.process.poll() is not None, "smtpin did not listen")
        if self.process.poll() is not None:
            self.reader.join(WAIT)
            raise AssertionError("smtpin ended with "
                                 f"{self.process.returncode}: {self.text()}")
        return self

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self.remove()

    def remove(self):
        """End it in any case, and remove all it made."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.owns_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def text(self):
        """All it said so far."""
        return "\n".join(self.lines)

    def await_words(self, words):
        """Until it has said WORDS: a line may come after the reply that it is
        about."""
        until(lambda: words in self.text(), f"it did not say: {words}")

    def await_pattern(self, pattern):
        """The same for a regular expression.  Return the match."""
        return until(lambda: re.search(pattern, self.text()),
                     f"it did not say: {pattern}")

    def addresses(self):
        """(host, port) of each listener."""
        matches = [re.search(r"listening on (?:\[(.*?)\]|([0-9.]+)):(\d+)$",
                             line) for line in list(self.lines)]
        return [(match[1] or match[2], int(match[3]))
                for match in matches if match]

    @property
    def port(self):
        """Of the first IPv4 listener."""
        return next(port for host, port in self.addresses() if "." in host)

    @property
    def port6(self):
        return next(port for host, port in self.addresses() if ":" in host)

    def stop(self, wait=3 * WAIT):
        """End it as an administrator would; it must end well."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(wait)

    def ended(self, wait=3 * WAIT):
        """Wait for its end, which must be a good one."""
        status = self.process.wait(wait)
        self.reader.join(WAIT)
        if status != 0:
            raise AssertionError(f"smtpin ended with {status}:\n"
                                 + "\n".join(self.lines[-60:]))

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()
        self.reader.join(WAIT)

    def maildir(self, user):
        return os.path.join(self.mail, user, "Maildir")

    def new(self, user="*"):
        """The paths of all messages in new/ of USER."""
        return sorted(glob.glob(os.path.join(self.maildir(user), "new/*")))

    def tmp(self, user="*"):
        return sorted(glob.glob(os.path.join(self.maildir(user), "tmp/*")))

    def only(self, user):
        """The one message that USER has: its headers and the rest."""
        files = self.new(user)
        if len(files) != 1:
            raise AssertionError(f"{user} has {len(files)} messages")
        return take_apart(read(files[0]))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def take_apart(stored):
    """A stored message in the headers that smtpin put on top, as a dict of
    names to unfolded values, and the message as it was sent."""
    names = (b"Return-Path", b"Delivered-To", b"X-Original-To", b"Received")
    headers = {}
    while True:
        name, colon, _ = stored.partition(b":")
        if not colon or name not in names or name in headers:
            return headers, stored
        match = re.match(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", stored)
        value = match[0][len(name) + 1:]
        headers[name] = re.sub(rb"\s+", b" ", value).strip()
        stored = stored[match.end():]


def plain(text="Hello.\n", subject="test"):
    """A small message."""
    return (f"From: <sender@example.net>\nTo: <alice@example.org>\n"
            f"Subject: {subject}\n"
            "Date: Thu, 01 Jan 2026 00:00:00 +0000\n"
            "Message-ID: <1@example.net>\n\n" + text).encode("ascii")
