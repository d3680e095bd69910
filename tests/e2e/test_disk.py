# SPDX-License-Identifier: MIT
"""A full disk: mail has to wait, and goes on when there is room again."""

import os
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture

KIB = 1024
MIB = 1024 * KIB

SMALL = fixture.plain()
LARGE = fixture.plain() + (b"z" * 75 + b"\n") * 14000  # one MiB


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="smtpin-disk.")
        self.addCleanup(os.rmdir, self.root)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=200",
             "smtpin-test", self.root], stderr=subprocess.PIPE, text=True,
            check=False)
        if done.returncode:
            fixture.cannot("no small disk: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", self.root], check=True)
        self.smtpin = self.enterContext(fixture.Smtpin(root=self.root))
        self.client = self.enterContext(fixture.Dialogue(self.smtpin.port))
        self.ballast = os.path.join(self.root, "ballast")
        # The Maildirs are made by a first message.
        self.users = ["alice@example.org", "bob@example.org",
                      "x@catch.example"]
        self.client.deliver(SMALL, *self.users)

    def fill(self, left):
        """Leave room for LEFT octets."""
        disk = os.statvfs(self.root)
        with open(self.ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0,
                               disk.f_bavail * disk.f_frsize - left)

    def fill_inodes(self):
        os.mkdir(self.ballast + "s")
        try:
            for i in range(1000):
                open(f"{self.ballast}s/{i}", "wb").close()
        except OSError:
            pass

    def attempt(self, message):
        """The reply that decides, wherever in the transaction it comes."""
        self.client.say("RSET")
        reply = self.client.say("MAIL FROM:<sender@example.net>")
        if reply.code != 250:
            return reply
        for user in self.users:
            reply = self.client.say(f"RCPT TO:<{user}>")
            if reply.code != 250:
                return reply
        reply = self.client.say("DATA")
        return self.client.finish(message) if reply.code == 354 else reply

    def nothing_but(self, *messages):
        """In each mailbox are MESSAGES, and none has a trace of others."""
        for user in ("alice", "bob", "carol"):
            stored = [fixture.take_apart(fixture.read(path))[1]
                      for path in self.smtpin.new(user)]
            self.assertEqual(stored, list(messages))
        self.assertEqual(self.smtpin.tmp(), [])

    def goes_on(self, *before):
        """There is room again: mail is taken within some seconds."""
        fixture.until(lambda: self.attempt(SMALL).code == 250, "still full")
        self.nothing_but(*before, SMALL)

    def test_full_before(self):
        """RFC 1870, 6.1"""
        self.fill(100 * KIB)
        self.assertEqual(self.attempt(LARGE).codes, "452 4.3.1")
        self.nothing_but(SMALL)
        os.unlink(self.ballast)
        self.goes_on(SMALL)

    def test_full_while_it_arrives(self):
        self.client.begin(*self.users)
        self.fill(100 * KIB)
        self.assertEqual(self.client.finish(LARGE).codes, "452 4.3.1")
        self.nothing_but(SMALL)
        os.unlink(self.ballast)
        self.goes_on(SMALL)

    def test_all_or_none(self):
        """There is room for some of the copies."""
        self.client.begin(*self.users)
        self.fill(5 * MIB // 2)
        self.assertEqual(self.client.finish(LARGE).codes, "452 4.3.1")
        self.nothing_but(SMALL)
        os.unlink(self.ballast)
        self.assertEqual(self.attempt(LARGE).code, 250)
        self.nothing_but(SMALL, LARGE)

    def test_no_inodes(self):
        self.fill_inodes()
        self.assertEqual(self.attempt(SMALL).codes, "452 4.3.1")
        self.nothing_but(SMALL)
        for name in os.listdir(self.ballast + "s"):
            os.unlink(f"{self.ballast}s/{name}")
        self.goes_on(SMALL)


if __name__ == "__main__":
    fixture.main()
