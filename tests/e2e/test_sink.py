# SPDX-License-Identifier: MIT
"""examples/sink: it takes all mail, and counts it."""

import os
import smtplib
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture


class Sink(unittest.TestCase):
    def start(self, *arguments):
        self.process = subprocess.Popen(
            [fixture.program(), *arguments, "127.0.0.1:0"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)
        said = self.process.stderr.readline()
        self.assertIn("listening on 127.0.0.1:", said)
        return int(said.rpartition(":")[2])

    def end(self):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=fixture.WAIT)
        self.assertEqual(self.process.returncode, 0)
        return said.rpartition(", ")[0]

    def test_counts(self):
        port = self.start()
        for _ in range(30):
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.sendmail("", ["a@x.example", "b@y.example"], "hi")
        self.assertEqual(self.end(),
                         "30 messages, 60 recipients, 30 connections")

    def test_lmtp(self):
        port = self.start("--lmtp")
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("a@x.example", ["b@x.example"], "hi")
        self.assertEqual(self.end(), "1 messages, 1 recipients, 1 connections")

    def test_maildir(self):
        with tempfile.TemporaryDirectory() as root:
            port = self.start("--maildir", root + "/Maildir")
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.sendmail("a@x.example", "b@x.example", "Subject: x")
            new = os.listdir(root + "/Maildir/new")
            self.assertEqual(len(new), 1)
            stored = fixture.read(root + "/Maildir/new/" + new[0])
        self.assertRegex(stored, rb"^Received: (.|\n)*\nSubject: x\n")
        self.end()

    def test_usage(self):
        for option, status in (("--help", 0), ("--verbose", 64)):
            done = subprocess.run([fixture.program(), option], text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, status)
            said = done.stdout if status == 0 else done.stderr
            self.assertIn("Usage: sink ", said)


if __name__ == "__main__":
    fixture.main()
