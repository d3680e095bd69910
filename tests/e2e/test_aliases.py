# SPDX-License-Identifier: MIT
"""Aliases of the map, and addresses with several users."""

import os
import re
import shutil
import tempfile
import unittest

import smtpin_fixture as fixture
from smtp_client import Lmtp

MESSAGE = fixture.plain()
USERS = """\
alice : alice@example.org postmaster@example.org
bob : bob@example.org, bob@example.com
carol :
team@example.org -> alice, bob
all@example.com -> team@example.org, carol, bob@example.com
"""


class Case(unittest.TestCase):
    arguments = []

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(
            users=USERS, arguments=fixture.loopback() + self.arguments))

    def client(self):
        return self.enterContext(fixture.Dialogue(self.smtpin.port))

    def deliver(self, *recipients):
        """Send them a message; each mailbox has its Delivered-To."""
        reply = self.client().deliver(MESSAGE, *recipients)
        self.assertEqual(reply.code, 250, reply)

    def counts(self, *users):
        return [len(self.smtpin.new(user)) for user in users]

    def delivered_to(self, user):
        headers, rest = self.smtpin.only(user)
        self.assertEqual(rest, MESSAGE)
        return headers[b"Delivered-To"].decode("ascii")

    def break_mailbox(self, user):
        os.makedirs(self.smtpin.maildir(user), exist_ok=True)
        shutil.rmtree(self.smtpin.maildir(user))
        with open(self.smtpin.maildir(user), "wb"):
            pass


class Delivery(Case):
    def test_several_users(self):
        self.deliver("team@example.org")
        for user in ("alice", "bob"):
            self.assertEqual(self.delivered_to(user), "team@example.org")
        self.assertEqual(self.counts("carol"), [0])
        fixture.until(lambda: len(re.findall(
            r"to=<team@example\.org> mailbox=<\S+/(?:alice|bob)/Maildir> ",
            self.smtpin.text())) == 2, "no line for each mailbox")

    def test_once_for_each(self):
        """A mailbox that comes twice has one copy, for the first address."""
        self.deliver("bob@example.org", "all@example.com", "team@example.org",
                     "bob@example.com")
        self.assertEqual(self.counts("alice", "bob", "carol"), [1, 1, 1])
        self.assertEqual(self.delivered_to("bob"), "bob@example.org")
        self.assertEqual(self.delivered_to("alice"), "all@example.com")

    def test_loop(self):
        message = b"Delivered-To: team@example.org\n" + MESSAGE
        reply = self.client().deliver(message, "team@example.org")
        self.assertEqual(reply.codes, "554 5.4.6")

    def test_reload(self):
        self.smtpin.write_map(USERS + "x@example.org -> y@example.org\n")
        self.smtpin.process.send_signal(1)
        fixture.until(lambda: "the old configuration stays in use" in
                      self.smtpin.text(), "the map was taken")
        self.assertIn(":6: no such address in the map: \"y@example.org\"",
                      self.smtpin.text())
        self.deliver("team@example.org")


class ByDomain(Case):
    """Where a user has a Maildir for each domain, an alias leads to that of the
    address at its end."""

    def setUp(self):
        self.smtpin = fixture.Smtpin(users=USERS)
        self.addCleanup(self.smtpin.remove)
        self.smtpin.arguments += [
            "-m", os.path.join(self.smtpin.mail, "%d-%u")]
        self.smtpin.start()

    def test_domains(self):
        self.deliver("all@example.com")
        self.assertEqual(
            sorted(os.listdir(self.smtpin.mail)),
            ["example.com-bob", "example.com-carol", "example.org-alice",
             "example.org-bob"])


class Many(unittest.TestCase):
    """What a client can do with many aliases is bounded."""

    def test_limit(self):
        users = "".join(f"u{i} :\nall@example.org -> u{i}\n"
                        for i in range(1000))
        users += "".join(f"a{i}@example.org -> all@example.org\n"
                         for i in range(10))
        # In memory: each new mailbox is made durable by itself.
        root = self.enterContext(tempfile.TemporaryDirectory(dir="/dev/shm"))
        smtpin = self.enterContext(fixture.Smtpin(users=users, root=root))
        client = self.enterContext(fixture.Dialogue(smtpin.port))
        client.say("MAIL FROM:<sender@example.net>")
        for i in range(10):
            self.assertEqual(client.say(f"RCPT TO:<a{i}@example.org>").code,
                             250)
        reply = client.say("RCPT TO:<all@example.org>")
        self.assertEqual(reply.codes, "452 4.5.3")


class Broken(Case):
    """All mailboxes of an address get a message, or none: smtpin cannot tell
    the sender later."""

    arguments = ["--lmtp", "127.0.0.1:0"]

    def test_refused_alone(self):
        self.break_mailbox("bob")
        client = self.client()
        client.say("MAIL FROM:<sender@example.net>")
        replies = [client.say(f"RCPT TO:<{address}>").codes
                   for address in ("team@example.org", "alice@example.org")]
        self.assertEqual(replies, ["451 4.3.5", "250 2.1.5"])
        client.say("DATA")
        self.assertEqual(client.finish(MESSAGE).code, 250)
        self.assertEqual(self.delivered_to("alice"), "alice@example.org")

    def test_later(self):
        """One that is found out behind RCPT, by LMTP."""
        match = fixture.until(lambda: re.search(
            r"listening on 127\.0\.0\.1:(\d+) for LMTP", self.smtpin.text()),
            "no LMTP")
        client = self.enterContext(Lmtp(int(match[1])))
        client.begin("team@example.org", "alice@example.org",
                     "all@example.com")
        self.break_mailbox("bob")
        self.assertEqual(client.finish_all(MESSAGE, 3),
                         ["451 4.3.5", "250 2.0.0", "451 4.3.5"])
        self.assertEqual(self.delivered_to("alice"), "alice@example.org")
        self.assertEqual(self.counts("carol"), [0])


if __name__ == "__main__":
    fixture.main()
