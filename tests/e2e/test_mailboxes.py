# SPDX-License-Identifier: MIT
"""Mailboxes that are many, broken, or led astray by others."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture
from smtp_client import Lmtp

MANY = 999
USERS = fixture.USERS + "".join(
    f"u{i} : u{i}@example.org\n" for i in range(MANY))


class Many(unittest.TestCase):
    """R6: recipients cost no descriptors."""

    def setUp(self):
        # In memory: each new mailbox is made durable by itself.
        root = self.enterContext(tempfile.TemporaryDirectory(dir="/dev/shm"))
        self.smtpin = self.enterContext(fixture.Smtpin(
            users=USERS, root=root, prefix=["prlimit", "--nofile=1024:1024"],
            arguments=fixture.loopback() + ["--max-connections", "100"]))

    def client(self):
        return self.enterContext(fixture.Dialogue(self.smtpin.port))

    def files(self):
        return len(os.listdir(f"/proc/{self.smtpin.process.pid}/fd"))

    def test_descriptors(self):
        before = self.files()
        everybody = [f"u{i}@example.org" for i in range(MANY)]
        held = [self.client() for _ in range(3)]
        for client in held:
            client.begin(*everybody)
            client.send(b"Subject: x\r\n")
        other = self.client()
        other.deliver(fixture.plain(), "alice@example.org")
        self.assertEqual(len(self.smtpin.new("alice")), 1)
        self.assertLess(self.files(), before + 50)
        self.assertEqual(held[0].finish(b"\nx\n").code, 250)
        self.assertEqual(len(self.smtpin.new("u*")), MANY)
        for client in held:
            client.close()


class Links(unittest.TestCase):
    """R13: no link is followed below the fixed part of the pattern."""

    def setUp(self):
        self.smtpin = fixture.Smtpin()
        self.addCleanup(self.smtpin.remove)
        self.bob = self.smtpin.maildir("bob")
        self.alice = self.smtpin.maildir("alice")
        for part in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(self.bob, part))

    def test_size_of_what_is_not_read(self):
        """T9: the log has the size of a message that no mailbox took."""
        self.smtpin.start()
        with fixture.Dialogue(self.smtpin.port) as client:
            client.say("MAIL FROM:<ann@example.org>")
            client.say("RCPT TO:<bob@example.org>")
            shutil.rmtree(os.path.join(self.bob, "tmp"))
            os.symlink("cur", os.path.join(self.bob, "tmp"))
            client.say("DATA")
            self.assertEqual(client.finish(b"0123456\n").code, 451)
        fixture.until(lambda: "refused id=" in self.smtpin.text(), "refused")
        self.smtpin.await_words(" size=9 ")

    def test_deletes_nothing(self):
        old = os.path.join(self.bob, "cur", "1.M000002P3Q4.host:2,S")
        fresh = os.path.join(self.bob, "cur", "1.M000002P3Q5.host")
        for path in (old, fresh):
            with open(path, "w", encoding="ascii"):
                pass
            os.utime(path, (1000000000, 1000000000))
        os.makedirs(self.alice)
        os.symlink("../../bob/Maildir/cur", os.path.join(self.alice, "tmp"))
        # A round of cleaning comes at the start, before the first session.
        self.smtpin.start()
        with fixture.Dialogue(self.smtpin.port) as client:
            client.deliver(fixture.plain(), "bob@example.org")
        self.smtpin.stop()
        self.assertTrue(os.path.exists(old) and os.path.exists(fresh))

    def test_writes_nothing_outside(self):
        os.makedirs(self.alice)
        for part in ("tmp", "cur"):
            os.mkdir(os.path.join(self.alice, part))
        os.symlink("../../bob/Maildir/cur", os.path.join(self.alice, "new"))
        self.smtpin.start()
        with fixture.Dialogue(self.smtpin.port) as client:
            client.say("MAIL FROM:<sender@example.net>")
            reply = client.say("RCPT TO:<alice@example.org>")
            if reply.code == 250:
                client.say("DATA")
                reply = client.finish(fixture.plain())
            self.assertEqual(reply.codes, "451 4.3.5")
        self.smtpin.stop()
        self.assertEqual(os.listdir(os.path.join(self.bob, "cur")), [])


class Disk(unittest.TestCase):
    """Bob's mailbox may be on a disk of its own."""

    arguments = []

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(
            arguments=fixture.loopback() + self.arguments))

    def mount(self, options):
        os.makedirs(self.smtpin.maildir("bob"))
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "smtpin-test",
             self.smtpin.maildir("bob")],
            stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            fixture.cannot("no disk of its own: " + done.stderr.strip())
        self.addCleanup(subprocess.run,
                        ["umount", self.smtpin.maildir("bob")], check=True)


class FullLate(Disk):
    """What is found out while a message is written holds up only the mail of
    that mailbox, where each recipient has a reply."""

    arguments = ["--lmtp", "127.0.0.1:0"]
    LARGE = fixture.plain(("x" * 63 + "\n") * 50000)

    def test_lmtp(self):
        port = fixture.until(lambda: re.search(
            r"listening on 127\.0\.0\.1:(\d+) for LMTP", self.smtpin.text()),
            "no LMTP")[1]
        self.mount("size=1m")
        client = self.enterContext(Lmtp(int(port)))
        client.begin("bob@example.org", "alice@example.org")
        self.assertEqual(client.finish_all(self.LARGE, 2),
                         ["452 4.3.1", "250 2.0.0"])
        self.assertEqual(self.smtpin.only("alice")[1], self.LARGE)
        self.assertEqual(self.smtpin.new("bob") + self.smtpin.tmp(), [])

    def test_smtp(self):
        """There the message is refused for all, and nobody has it twice."""
        self.mount("size=1m")
        client = self.enterContext(fixture.Dialogue(self.smtpin.port))
        reply = client.deliver(self.LARGE, "bob@example.org",
                               "alice@example.org")
        self.assertEqual(reply.codes, "452 4.3.1")
        self.assertIn("<bob@example.org>", reply)
        self.assertEqual(self.smtpin.new() + self.smtpin.tmp(), [])


class Broken(Disk):
    """R14: one bad mailbox does not hold up the mail of others."""

    def setUp(self):
        super().setUp()
        self.client = self.enterContext(fixture.Dialogue(self.smtpin.port))

    def offer(self, parameters=""):
        """The replies for alice and bob; then alice has the message."""
        self.client.say("MAIL FROM:<sender@example.net>" + parameters)
        replies = [self.client.say(f"RCPT TO:<{user}@example.org>")
                   for user in ("alice", "bob", "alice")]
        self.assertEqual(self.client.say("DATA").code, 354)
        self.assertEqual(self.client.finish(fixture.plain()).code, 250)
        self.assertEqual(len(self.smtpin.new("alice")), 1)
        self.assertEqual(replies[0].code, 250)
        self.assertEqual(replies[2].code, 250)
        return replies[1]

    def test_file(self):
        os.makedirs(os.path.dirname(self.smtpin.maildir("bob")))
        with open(self.smtpin.maildir("bob"), "wb"):
            pass
        self.assertEqual(self.offer().codes, "451 4.3.5")
        fixture.until(lambda: "cannot deliver to" in self.smtpin.text(),
                      "no line in the log")

    def test_part_is_file(self):
        os.makedirs(self.smtpin.maildir("bob"))
        with open(os.path.join(self.smtpin.maildir("bob"), "new"), "wb"):
            pass
        self.assertEqual(self.offer().codes, "451 4.3.5")

    def test_part_is_missing(self):
        """It is made again."""
        self.client.deliver(fixture.plain(), "bob@example.org")
        for part in ("tmp", "cur"):
            os.rmdir(os.path.join(self.smtpin.maildir("bob"), part))
        self.assertEqual(self.offer().code, 250)
        self.assertEqual(len(self.smtpin.new("bob")), 2)

    def test_full(self):
        """As over quota: there is room, but not for this message."""
        self.mount("size=1m")
        self.assertEqual(self.offer(" SIZE=8000000").codes, "452 4.3.1")

    def test_read_only(self):
        self.mount("ro")
        self.assertEqual(self.offer().codes, "451 4.3.5")


if __name__ == "__main__":
    fixture.main()
