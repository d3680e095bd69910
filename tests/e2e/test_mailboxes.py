# SPDX-License-Identifier: MIT
"""Mailboxes that are many, broken, or led astray by others."""

import os
import tempfile
import unittest

import smtpin_fixture as fixture

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


if __name__ == "__main__":
    fixture.main()
