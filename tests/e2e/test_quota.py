# SPDX-License-Identifier: MIT
"""Mailboxes with a quota, by the map and by --quota."""

import os
import re
import unittest

import smtpin_fixture as fixture
from smtp_client import Lmtp

USERS = """\
alice : alice@example.org postmaster@example.org
bob quota=100K : bob@example.org
carol quota=0 : carol@example.org
dave quota=1G : dave@example.org
team@example.org -> alice, bob
"""


def message(size):
    """One that has about SIZE octets in a mailbox."""
    return fixture.plain("x" * 62 + "\n" + ("y" * 63 + "\n") * (size // 64))


class Case(unittest.TestCase):
    arguments = []

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(
            users=USERS, arguments=fixture.loopback() + self.arguments))

    def client(self):
        return self.enterContext(fixture.Dialogue(self.smtpin.port))

    def fill(self, user, size):
        """As the owner's programs do."""
        cur = os.path.join(self.smtpin.maildir(user), "cur")
        os.makedirs(cur, exist_ok=True)
        for part in ("new", "tmp"):
            os.makedirs(os.path.join(self.smtpin.maildir(user), part),
                        exist_ok=True)
        path = os.path.join(cur, f"1.x.host,S={size}:2,S")
        with open(path, "wb"):
            pass
        return path

    def counts(self, *users):
        return [len(self.smtpin.new(user)) for user in users]

    def expect_line(self, text):
        fixture.until(lambda: text in self.smtpin.text(), "no line in the log")

    def rcpts(self, *users, size=None, sender="sender@example.net"):
        """The replies to RCPT for USERS and a message of SIZE."""
        client = self.client()
        client.say(f"MAIL FROM:<{sender}>"
                   + (f" SIZE={size}" if size else ""))
        return client, [client.say(f"RCPT TO:<{user}@example.org>").codes
                        for user in users]


class Smtp(Case):
    def test_refused_at_rcpt(self):
        """One that is full does not hold up the mail of others."""
        self.fill("bob", 100 * 1024)
        client, replies = self.rcpts("alice", "bob", "carol", "team")
        self.assertEqual(replies, ["250 2.1.5", "452 4.2.2", "250 2.1.5",
                                   "452 4.2.2"])
        client.say("DATA")
        self.assertEqual(client.finish(message(1000)).code, 250)
        self.assertEqual(self.counts("alice", "bob", "carol"), [1, 0, 1])
        self.expect_line("bob/Maildir: the quota of user bob is used up, "
                         "102400 of 102400 bytes: no room for 1 more")

    def test_size(self):
        self.fill("bob", 90 * 1024)
        for size, reply in ((10 * 1024, "250 2.1.5"),
                            (10 * 1024 + 1, "452 4.2.2"),
                            (100 * 1024, "452 4.2.2"),
                            (100 * 1024 + 1, "552 5.2.2")):
            with self.subTest(size):
                self.assertEqual(self.rcpts("bob", size=size)[1], [reply])

    def test_found_out_late(self):
        """A client that says no size learns it at the end of the message, and
        at RCPT when it tries again."""
        self.fill("bob", 90 * 1024)
        client = self.client()
        reply = client.deliver(message(20000), "bob@example.org",
                               "alice@example.org")
        self.assertEqual(reply.codes, "452 4.2.2")
        self.assertIn("<bob@example.org>", reply)
        self.expect_line("bob/Maildir: the quota of user bob is used up, "
                         "92160 of 102400 bytes: no room for 20")
        self.assertEqual(self.counts("alice", "bob"), [0, 0])
        self.assertEqual(self.smtpin.tmp(), [])
        self.assertEqual(self.rcpts("bob", sender="other@example.net")[1],
                         ["250 2.1.5"])
        client, replies = self.rcpts("bob", "alice")
        self.assertEqual(replies, ["452 4.2.2", "250 2.1.5"])
        client.say("DATA")
        self.assertEqual(client.finish(message(20000)).code, 250)
        self.assertEqual(self.counts("alice", "bob"), [1, 0])

    def test_too_large(self):
        reply = self.client().deliver(message(200000), "bob@example.org")
        self.assertEqual(reply.codes, "552 5.2.2")
        self.assertEqual(self.rcpts("bob")[1], ["250 2.1.5"])
        self.assertEqual(self.rcpts("bob", size=102401)[1], ["552 5.2.2"])
        self.expect_line("a message of 102401 bytes is larger than the quota "
                         "of user bob, 102400 bytes")

    def test_too_large_for_one(self):
        """The others get it when the client tries again."""
        reply = self.client().deliver(message(200000), "bob@example.org",
                                      "alice@example.org")
        self.assertEqual(reply.codes, "452 4.2.2")
        self.assertEqual(self.rcpts("bob", "alice")[1],
                         ["452 4.2.2", "250 2.1.5"])

    def test_deliveries_count(self):
        """And what the owner deletes makes room."""
        for _ in range(3):
            self.client().deliver(message(30000), "bob@example.org")
        self.assertEqual(self.counts("bob"), [3])
        self.assertEqual(self.rcpts("bob", size=30000)[1], ["452 4.2.2"])
        os.unlink(self.smtpin.new("bob")[0])
        fixture.until(lambda: self.rcpts("bob", size=30000)[1]
                      == ["250 2.1.5"], "no room")

    def test_no_limit(self):
        self.fill("carol", 1 << 40)
        self.fill("alice", 1 << 40)
        self.assertEqual(self.rcpts("alice", "carol")[1], ["250 2.1.5"] * 2)


class Option(Case):
    """Who has no quota in the map has that of --quota."""

    arguments = ["--quota", "50K"]

    def test_default(self):
        for user in ("alice", "bob", "carol", "dave"):
            self.fill(user, 60 * 1024)
        self.assertEqual(
            self.rcpts("alice", "bob", "carol", "dave")[1],
            ["452 4.2.2", "250 2.1.5", "250 2.1.5", "250 2.1.5"])

    def test_reload(self):
        self.fill("alice", 60 * 1024)
        self.assertEqual(self.rcpts("alice")[1], ["452 4.2.2"])
        self.smtpin.write_map(USERS.replace("alice :", "alice quota=70K :"))
        self.smtpin.process.send_signal(1)
        fixture.until(lambda: self.rcpts("alice")[1] == ["250 2.1.5"],
                      "the map was not read")


class PerRecipient(Case):
    """RFC 2033: Each has a reply of its own, also at the end of the message."""

    arguments = ["--lmtp", "127.0.0.1:0"]

    def lmtp(self):
        port = fixture.until(lambda: re.search(
            r"listening on 127\.0\.0\.1:(\d+) for LMTP", self.smtpin.text()),
            "no LMTP")[1]
        return self.enterContext(Lmtp(int(port)))

    def check(self, size, reply):
        """Bob, who comes first, has no room for a message of SIZE."""
        client = self.lmtp()
        client.begin("bob@example.org", "carol@example.org",
                     "team@example.org")
        self.assertEqual(client.finish_all(message(size), 3),
                         [reply, "250 2.0.0", reply])
        self.assertEqual(self.counts("alice", "bob", "carol"), [0, 0, 1])
        self.assertEqual(self.smtpin.tmp(), [])
        self.assertEqual(self.smtpin.only("carol")[1], message(size))

    def test_full(self):
        self.fill("bob", 90 * 1024)
        self.check(20000, "452 4.2.2")

    def test_full_and_large(self):
        self.fill("bob", 20 * 1024)
        self.check(90000, "452 4.2.2")

    def test_too_large(self):
        self.check(300000, "552 5.2.2")


if __name__ == "__main__":
    fixture.main()
