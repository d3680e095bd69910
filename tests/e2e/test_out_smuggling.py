# SPDX-License-Identifier: MIT
"""What smtpout takes as one message arrives as one message, and as it was
taken, whatever in it looks like an end: at smtpin, Postfix and Exim; and what
Postfix took, at smtpin."""

import contextlib
import os
import re
import unittest

import private_postfix
import smtpin_fixture as fixture
import world
from receivers import Authority, Exim, Postfix, Smtpin, without_trace
from smtpout_fixture import Smtpout
from test_smuggling import LOOK_ALIKES, SECOND, expected, text

ZONE = """
postfix.example.	MX 10 mx1.example.
exim.example.	MX 10 mx2.example.
smtpin.example.	MX 10 mx3.example.
"""

HEAD = ("From: <alice@home.example>\r\nSubject: {name}\r\n"
        "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
        "Message-ID: <x@home.example>\r\n\r\nHello")


class Smuggling(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.zone(ZONE)
        cls.ca = Authority(os.path.join(cls.world.root, "ca"))

    def smtpout(self, *options):
        return self.enterContext(Smtpout(
            self.world, "--tls-ca", self.ca.ca, "--retry-min", "1", *options))

    def receivers(self):
        """By their domains, those that are to be had."""
        result = {"smtpin.example": self.enterContext(Smtpin(
            self.mx3, "smtpin.example", "bob"))}
        for kind, host in ((Postfix, self.mx1), (Exim, self.mx2)):
            domain = kind.__name__.lower() + ".example"
            with contextlib.suppress(unittest.SkipTest):
                result[domain] = self.enterContext(kind(
                    self.world, host, domain,
                    self.ca.sign(host.name + ".example"), "bob"))
        return result

    @staticmethod
    def submit(client, raw, domains):
        """Whether it was taken."""
        client.must("MAIL FROM:<alice@home.example>")
        for domain in domains:
            client.must(f"RCPT TO:<bob@{domain}>")
        client.must("DATA", 354)
        client.send(raw)
        code = client.reply().code
        client.must("NOOP")
        return code == 250

    def try_all(self, smtpout, settings, receivers):
        """Submit each to all RECEIVERS, and compare what they have."""
        taken = {}
        with smtpout.client() as client:
            for name, look in LOOK_ALIKES.items():
                raw = HEAD.format(name=name).encode() + look + SECOND
                faults, stored = expected(raw, settings)
                with self.subTest(name):
                    good = self.submit(client, raw, receivers)
                    self.assertEqual(good, not faults, faults)
                    if good:
                        taken[name] = stored
        smtpout.wait_empty()
        for domain, receiver in receivers.items():
            messages = receiver.wait(len(taken), "bob")
            self.assertEqual(len(messages), len(taken), domain)
            for name, stored in taken.items():
                with self.subTest(name, receiver=domain):
                    mine = [m for m in map(without_trace, messages)
                            if f"\nSubject: {name}\n".encode() in m]
                    self.assertEqual([m.rstrip(b"\n") for m in mine],
                                     [stored.rstrip(b"\n")])

    def test_as_it_is(self):
        self.try_all(self.smtpout(), {}, self.receivers())

    def test_repaired(self):
        receivers = {"smtpin.example": self.enterContext(Smtpin(
            self.mx3, "smtpin.example", "bob"))}
        self.try_all(self.smtpout("--repair-cr"), {"bare_cr": "repair"},
                     receivers)


class BehindPostfix(unittest.TestCase):
    """What Postfix took for a message, whatever that was, stays one when it
    passes it on.  It is as trustful as it was before 3.9."""

    MAIN = """\
myhostname = filter.example
mynetworks = 127.0.0.0/8
default_transport = smtp:[127.0.0.1]:%d
smtp_tls_security_level = none
smtpd_forbid_bare_newline = no
smtpd_forbid_unauth_pipelining = no
"""

    def take(self, client, raw):
        """Say RAW to Postfix, and return how many messages it took: it may be
        one that takes a look-alike for an end."""
        client.begin("alice@example.org", sender="")
        client.send(raw + b"NOOP\r\n")
        taken = 0
        while True:
            reply = client.reply()
            if reply.endswith("2.0.0 Ok"):
                return taken
            taken += "queued as" in reply

    def test_postfix(self):
        smtpin = self.enterContext(fixture.Smtpin())
        postfix = self.enterContext(
            private_postfix.Postfix(self.MAIN % smtpin.port))
        with fixture.Dialogue(postfix.port) as client:
            taken = sum(self.take(client, text(look))
                        for look in LOOK_ALIKES.values())
        self.assertGreaterEqual(taken, len(LOOK_ALIKES))

        def ends(how):
            """The messages that left it so, by its log."""
            return re.findall(r"relay=127\.0\.0\.1.* status=" + how,
                              postfix.said())
        fixture.until(lambda: len(ends("(?:sent|bounced)")) >= taken,
                      "what Postfix took did not leave it", 2 * fixture.WAIT)
        self.assertEqual(len(smtpin.new()), len(ends("sent")))


if __name__ == "__main__":
    world.main()
