#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""The example programs greylist and allow_list: GREYLIST and ALLOW_LIST name
them."""

import os
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture
from smtpin_fixture import Dialogue


class Judges(unittest.TestCase):
    def start(self, name, *arguments):
        """Start the program of NAME; return its port."""
        process = subprocess.Popen([os.environ[name], "127.0.0.1:0",
                                    *arguments], stdout=subprocess.PIPE,
                                   encoding="ascii")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return int(process.stdout.readline().rsplit(":", 1)[1])

    def rcpt(self, port, sender):
        with Dialogue(port) as dialogue:
            reply = dialogue.say(f"MAIL FROM:<{sender}>")
            if reply.code == 250:
                reply = dialogue.say("RCPT TO:<b@example.org>")
            return reply.codes

    def test_greylist(self):
        """A stranger is taken when it comes again, and no earlier."""
        port = self.start("GREYLIST", "86400")
        self.assertEqual(self.rcpt(port, "a@example.net"), "451 4.7.1")
        self.assertEqual(self.rcpt(port, "a@example.net"), "451 4.7.1")
        port = self.start("GREYLIST", "1")
        self.assertEqual(self.rcpt(port, "a@example.net"), "451 4.7.1")
        fixture.until(lambda: self.rcpt(port, "a@example.net") == "250 2.1.5",
                      "it is still not taken")
        self.assertEqual(self.rcpt(port, "c@example.net"), "451 4.7.1")

    def test_allow_list(self):
        """Senders in the file are taken, and others are not."""
        directory = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(directory, "list")
        fixture.write(path, "# friends\na@example.net\n@example.com\n")
        port = self.start("ALLOW_LIST", path)
        for sender, codes in (("A@example.net", "250 2.1.5"),
                              ("any@Example.com", "250 2.1.5"),
                              ("b@example.net", "550 5.7.1"),
                              ("", "550 5.7.1"),
                              ("a@sub.example.com", "550 5.7.1")):
            with self.subTest(sender=sender):
                self.assertEqual(self.rcpt(port, sender), codes)
        os.unlink(path)
        self.assertEqual(self.rcpt(port, "a@example.net"), "451 4.3.0")


if __name__ == "__main__":
    fixture.main()
