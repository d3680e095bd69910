# SPDX-License-Identifier: MIT
"""Mail readers find what smtpin stored."""

import email
import mailbox
import os
import pty
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture


class Readers(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin())
        with fixture.Dialogue(self.smtpin.port) as client:
            for i in range(3):
                message = fixture.plain(f"This is text {i}.\n.\n", f"no {i}")
                client.deliver(message, "alice@example.org")

    def test_mailbox(self):
        box = mailbox.Maildir(self.smtpin.maildir("alice"), create=False)
        subjects = sorted(message["subject"] for message in box)
        self.assertEqual(subjects, ["no 0", "no 1", "no 2"])
        for message in box:
            self.assertEqual(message.get_subdir(), "new")
            self.assertEqual(message.defects, [])
            self.assertIsNotNone(email.utils.parsedate_to_datetime(
                message["received"].rpartition(";")[2]))

    def run_mutt(self, commands):
        """Run mutt on a terminal of its own: it takes no other."""
        master, slave = pty.openpty()
        with tempfile.TemporaryDirectory() as home:
            mutt = subprocess.Popen(
                [fixture.need("mutt"), "-R", "-n", "-F", "/dev/null",
                 "-e", "set wait_key=no pipe_decode=no",
                 "-e", f"push '{commands}'",
                 "-f", self.smtpin.maildir("alice")],
                stdin=slave, stdout=slave, stderr=slave,
                env=dict(os.environ, TERM="vt100", HOME=home))
            os.close(slave)
            try:
                self.drain(master)
                self.assertEqual(mutt.wait(fixture.WAIT), 0)
            finally:
                mutt.kill()
                mutt.wait()
                os.close(master)

    @staticmethod
    def drain(master):
        """Read what mutt draws, until it is gone."""
        try:
            while os.read(master, 4096):
                pass
        except OSError:
            pass

    def test_mutt(self):
        """It finds each message by its subject, and shows what was stored."""
        stored = [fixture.read(path) for path in self.smtpin.new("alice")]
        for i in range(3):
            with tempfile.TemporaryDirectory() as out:
                self.run_mutt(f"<limit>~s no.{i}<enter>"
                              f"<pipe-message>cat >{out}/seen<enter><exit>")
                seen = fixture.read(out + "/seen")
            self.assertIn(seen, stored)
            self.assertIn(b"This is text %d" % i, seen)


if __name__ == "__main__":
    fixture.main()
