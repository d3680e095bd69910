# SPDX-License-Identifier: MIT
"""A server of the library under test, led by a test, and clients for it.

TLS_HOST names the program (tests/tls/host.c has its commands), CERTS the
certificates of the tests.  TLS_SLOW multiplies all deadlines.
"""

import atexit
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(__file__), "../e2e"))
import smtp_client

SLOW = float(os.environ.get("TLS_SLOW", "1"))
# Only what hangs waits so long.
WAIT = 60 * SLOW

DIR = tempfile.mkdtemp(prefix="smtpd-tls.")
atexit.register(shutil.rmtree, DIR, True)


def at(name):
    return os.path.join(DIR, name)


def main():
    if subprocess.run([os.environ["TLS_HOST"]], stdin=subprocess.DEVNULL,
                      check=False).returncode == 77:
        sys.exit(77)
    shutil.copytree(os.environ["CERTS"], DIR, dirs_exist_ok=True)
    unittest.main(verbosity=2)


def need(tool):
    path = shutil.which(tool)
    if path is None:
        raise unittest.SkipTest(f"{tool} is not installed")
    return path


class Host:
    """One server; its settings are given by name."""

    def __init__(self, **settings):
        words = [str(word) for item in settings.items() for word in item]
        self.process = subprocess.Popen(
            [os.environ["TLS_HOST"]] + words, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, encoding="utf-8")
        self.lines = []
        self.answers = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.ports = []

    def read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            with self.news:
                (self.answers if line[0] in "=!" else self.lines).append(line)
                self.news.notify_all()

    def post(self, *words):
        """Give a command without waiting for its answer."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        with self.news:
            if not self.news.wait_for(lambda: self.answers, WAIT):
                raise AssertionError("no answer")
            return self.answers.pop(0)

    def ask(self, *words):
        """Give a command, which must succeed, and return what it says."""
        self.post(*words)
        answer = self.answer()
        if answer[0] != "=":
            raise AssertionError(f"{words}: {answer}")
        return answer[2:]

    def context(self, name, *pairs, **settings):
        """A context with pairs of files, "a" for a.pem and a.key."""
        self.ask("context", name, *[f"{k}={v}" for k, v in settings.items()])
        for pair in pairs:
            self.ask("add", name, at(pair + ".pem"), at(pair + ".key"))

    def listen(self, *flags):
        address = self.ask("listen", "127.0.0.1:0", *flags)
        self.ports.append(int(address.rsplit(":", 1)[1]))
        return self.ports[-1]

    def saw(self, pattern, wait=WAIT):
        """Wait for a line that matches, and return the match."""
        def find():
            for line in self.lines:
                match = re.search(pattern, line)
                if match:
                    return match
            return None
        with self.news:
            match = self.news.wait_for(find, wait)
        if not match:
            raise AssertionError(f"no {pattern!r} in:\n"
                                 + "\n".join(self.lines[-40:]))
        return match

    def events(self):
        """What the program was told, without the numbers of sessions."""
        return [re.sub(r"^(\w+) \d+", r"\1", line) for line in self.lines
                if not line.startswith("log ")]

    def wait_events(self, pattern, count):
        """Wait for COUNT events that match, and return them."""
        def find():
            return [line for line in self.events()
                    if re.search(pattern, line)]
        with self.news:
            self.news.wait_for(lambda: len(find()) >= count, WAIT)
        if len(find()) != count:
            raise AssertionError(f"not {count} of {pattern!r} in:\n"
                                 + "\n".join(self.lines[-40:]))
        return find()

    def counter(self, name):
        return int(self.ask("counter", name))

    def counts(self, name, number):
        """Wait until the counter NAME says NUMBER."""
        until(lambda: self.counter(name) >= number, f"{name} at {number}")
        if self.counter(name) != number:
            raise AssertionError(f"{name} is {self.counter(name)}")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(WAIT)
        self.reader.join(WAIT)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError(f"the server ended with {status}")


def serve(test, *pairs, start=True, settings=None, **server):
    """The usual server: context "first", a plain and a TLS listener."""
    host = Host(**server)
    test.addCleanup(host.close)
    host.listen()
    host.listen("tls")
    if pairs:
        host.context("first", *pairs, **(settings or {}))
        host.ask("set", "first")
    if start:
        host.ask("start")
    return host


def client_context(name=None, top=None, ca="ca.pem", cert=None, ciphers=None):
    """TLS of a client that trusts CA, or anyone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(at(ca)) if ca else None
    if not ca or not name:
        context.check_hostname = False
    if not ca:
        context.verify_mode = ssl.CERT_NONE
    if top:
        context.maximum_version = top
    if cert:
        context.load_cert_chain(at(cert + ".pem"), at(cert + ".key"))
    if ciphers:
        context.set_ciphers(ciphers)
    return context


class Client(smtp_client.Dialogue):
    """A connection, in TLS from the first byte if there is a CONTEXT."""

    def __init__(self, port, context=None, name=None, session=None):
        super().__init__(port, greet=False, wait=WAIT)
        if context:
            self.wrap(context, name, session)

    @staticmethod
    def expect(begin, text):
        if not text.startswith(begin):
            raise AssertionError(f"{text!r} does not begin with {begin!r}")
        return text

    def starttls(self, context, name=None, session=None):
        """From the greeting to the end of the handshake."""
        self.greet()
        self.expect("220 2.0.0 ", self.say("STARTTLS"))
        self.wrap(context, name, session)

    def deliver(self, text="Subject: test\r\n\r\nHello.\r\n"):
        self.begin("b@example.org")
        return self.expect("250", self.say(text + "."))

    def quit(self):
        self.expect("221", self.say("QUIT"))
        rest = self.file.read()
        self.close()
        return rest

    def rest(self):
        """What comes until the end; a reset is an end."""
        data = b""
        try:
            while True:
                more = self.socket.recv(65536)
                if not more:
                    return data
                data += more
        except (ConnectionError, ssl.SSLError):
            return data


def until(condition, what):
    end = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("timed out: " + what)
        time.sleep(0.01)
