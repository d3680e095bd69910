# SPDX-License-Identifier: MIT
"""Nothing but CRLF.CRLF ends a message (RFC 5321, 4.1.1.4), wherever the input
is divided, in TLS or not: never two messages, never a byte that is changed in
another way than the settings say.

Each look-alike stands before commands that would send a second message.  What
becomes of it is what the model of the session says.  SMUGGLE_EDGES=1 tries each
edge of the buffers as well.
"""

import contextlib
import os
import socket
import ssl
import sys
import unittest

import smtpin_fixture as fixture

sys.path.append(os.path.join(os.path.dirname(__file__), "../model"))
import session
from messages import decode

LOOK_ALIKES = {
    "LF . LF": b"\n.\n", "LF . CRLF": b"\n.\r\n", "CRLF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r", "CR . CRLF": b"\r.\r\n", "CRLF . CR": b"\r\n.\r",
    "LF . CR": b"\n.\r", "CR . LF": b"\r.\n", "LFCR . LFCR": b"\n\r.\n\r",
    "CRLF . CRCRLF": b"\r\n.\r\r\n", "LF . CRCRLF": b"\n.\r\r\n",
    "CRLF NUL . CRLF": b"\r\n\0.\r\n", "CRLF . NUL CRLF": b"\r\n.\0\r\n",
    "CR NUL LF . CRLF": b"\r\0\n.\r\n", "CRLF . CR NUL LF": b"\r\n.\r\0\n",
    "NUL LF . LF": b"\0\n.\n", "LF NUL . LF": b"\n\0.\n",
    "CRLF blank . CRLF": b"\r\n .\r\n", "CRLF . blank CRLF": b"\r\n. \r\n",
    "CRLF .. CRLF": b"\r\n..\r\n", "VT . VT": b"\v.\v", "FF . FF": b"\f.\f",
    "NEL . NEL": b"\x85.\x85", "LS . LS": b"\xe2\x80\xa8.\xe2\x80\xa8",
    "CRLF . FF": b"\r\n.\f\r\n", "LF LF . LF LF": b"\n\n.\n\n",
    "CRLF LF . CRLF": b"\r\n\n.\r\n", "CRCR . CRCR": b"\r\r.\r\r",
}
SECOND = (b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<bob@example.org>\r\n"
          b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n")
HEAD = b"Subject: first\r\n\r\n"

# The input buffer of a session and its neighbours; a record of TLS.
EDGES = (4096, 8192, 16384, 65536)


def text(look, pad=0):
    """A message in which LOOK begins at octet PAD at least."""
    line = b"0123456789abcde\r\n"
    first = HEAD + b"line"
    fill = max(0, pad - len(first))
    return HEAD + line * (fill // len(line)) + b"x" * (
        fill % len(line)) + b"line" + look + SECOND


def expected(raw, settings):
    """The codes that refuse it, and what is stored, with lines ended by LF."""
    content, rest = decode(raw)
    if rest:
        raise AssertionError(f"two messages: {rest}")
    faults, stored = session.Session(settings).faults_of(content)
    return faults, stored.replace(b"\r\n", b"\n")


class Case:
    """What smtpin does with them, which has the default settings."""

    options = ()

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(
            arguments=["-a", "127.0.0.1:0", *self.options]))
        self.session = None
        self.addCleanup(lambda: self.session and self.session.close())

    def client(self):
        """Each write is a packet, or a record, of its own."""
        client = fixture.Dialogue(self.smtpin.port)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def try_message(self, raw, cut):
        """Send it in two parts.  A session that was refused one is not used
        again, since refusals cost time."""
        faults, stored = expected(raw, {})
        with contextlib.ExitStack() as stack:
            client = self.session or self.client()
            self.session = None
            stack.enter_context(client)
            self.send_parts(client, raw, cut, faults, stored)
            if not faults:
                self.session = client
                stack.pop_all()

    def send_parts(self, client, raw, cut, faults, stored):
        client.begin("alice@example.org")
        for part in (raw[:cut], raw[cut:]):
            client.send(part)
        codes = client.reply().codes
        # What came in the same write would be answered before this.
        self.assertEqual(client.say("NOOP").codes, "250 2.0.0")
        self.assertEqual(self.smtpin.new("bob"), [])
        messages = self.smtpin.new("alice")
        if faults:
            self.assertIn(codes, faults)
            self.assertEqual(messages, [])
            return
        self.assertEqual(codes, "250 2.0.0")
        headers, rest = self.smtpin.only("alice")
        self.assertEqual(headers[b"Return-Path"], b"<sender@example.net>")
        # Text without a header gets the empty line that ends ours.
        self.assertIn(rest, (stored, b"\n" + stored))
        os.unlink(messages[0])

    def cuts(self, raw, look):
        """Before and behind each octet of the look-alike."""
        start = raw.index(look + SECOND)
        return range(start, start + len(look) + 1)

    def test_divided_anywhere(self):
        for name, look in LOOK_ALIKES.items():
            raw = text(look)
            for cut in self.cuts(raw, look):
                with self.subTest(name, cut=cut - raw.index(look + SECOND)):
                    self.try_message(raw, cut)

    def test_chunks(self):
        """RFC 3030, 2: in BDAT nothing is an end, nor stuffed, divided or
        not."""
        for name, look in LOOK_ALIKES.items():
            raw = text(look)
            for cut in self.cuts(raw, look):
                with self.subTest(name, cut=cut - raw.index(look + SECOND)):
                    self.try_chunks(raw[:cut], raw[cut:])

    def try_chunks(self, *parts):
        """The second is the last; where the first is refused it is too."""
        faults, stored = session.Session({}).faults_of(b"".join(parts))
        with self.client() as client:
            client.say("MAIL FROM:<sender@example.net>")
            client.say("RCPT TO:<alice@example.org>")
            for i, part in enumerate(parts):
                client.send(b"BDAT %d%b\r\n%b" % (
                    len(part), b" LAST" * i, part))
            codes = [client.reply().codes for _ in parts]
            self.assertEqual(client.say("NOOP").codes, "250 2.0.0")
        if faults:
            self.assertIn(codes, [["250 2.0.0", f] for f in faults]
                          + [[f, "503 5.5.1"] for f in faults])
            self.assertEqual(self.smtpin.new(), [])
            return
        self.assertEqual(codes, ["250 2.0.0"] * 2)
        _, rest = self.smtpin.only("alice")
        self.assertEqual(rest, stored.replace(b"\r\n", b"\n"))
        os.unlink(self.smtpin.new()[0])

    def test_edges_of_buffers(self):
        """In one write, with the look-alike across an edge."""
        every = os.environ.get("SMUGGLE_EDGES")
        for edge in EDGES if every else EDGES[:2]:
            for name, look in LOOK_ALIKES.items():
                inside = range(1, len(look)) if every else [len(look) // 2]
                for back in inside:
                    raw = text(look, edge - back)
                    with self.subTest(name, edge=edge, back=back):
                        self.try_message(raw, len(raw))

    def test_beginning_of_the_message(self):
        """RFC 5321, 4.5.2: a dot there is the end only with CRLF."""
        for name, look in LOOK_ALIKES.items():
            raw = look.lstrip(b"\r\n") + SECOND
            if not raw.startswith(b".\r\n"):
                with self.subTest(name):
                    self.try_message(raw, len(raw))


class Plain(Case, unittest.TestCase):
    pass


class Tls(Case, unittest.TestCase):
    def setUp(self):
        certs = os.environ["CERTS"]
        self.options = ["-c", os.path.join(certs, "a.pem"), "-k",
                        os.path.join(certs, "a.key")]
        try:
            super().setUp()
        except AssertionError as error:
            if "built without TLS" in str(error):
                self.skipTest("built without TLS")
            raise

    def client(self):
        client = super().client()
        client.say("STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client.wrap(context)
        client.say("EHLO client.example.net")
        return client


if __name__ == "__main__":
    fixture.main()
