# SPDX-License-Identifier: MIT
"""Mail readers find what smtpin stored."""

import email
import fcntl
import mailbox
import os
import pty
import select
import signal
import struct
import tempfile
import termios
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

    def headers(self, message):
        """Deliver MESSAGE to bob; what a reader makes of it."""
        for path in self.smtpin.new("bob"):
            os.unlink(path)
        with fixture.Dialogue(self.smtpin.port) as client:
            self.assertEqual(
                client.deliver(message, "bob@example.org").code, 250)
        path, = self.smtpin.new("bob")
        return email.message_from_bytes(fixture.read(path))

    def test_forged_trace(self):
        """R11, RU4: the first line neither continues our header nor ends
        it."""
        for text in (b" for <ceo@example.org>;\n\tFri, 1 Jan 2027 00:00:00 "
                     b"+0000\nFrom: boss@example.org\n\nx\n",
                     b"\tfolded\n\nx\n",
                     b"Hello, there is no header.\n",
                     b"From ceo@example.org Fri Jan  1 00:00:00 2027\n"
                     b"Subject: x\n\nx\n",
                     b">From x\nSubject: x\n\nx\n",
                     b": x\n\n", b"\n folded\n", b"x" * 900 + b": y\n"):
            message = self.headers(text)
            self.assertEqual(message.keys(),
                             ["Return-Path", "Delivered-To", "Received"])
            self.assertEqual(message.defects, [])
            self.assertNotIn("ceo", str(message["received"]))
            self.assertEqual(message.get_payload().removeprefix("\n"),
                             text.decode().removeprefix("\n"))

    def test_header_stays(self):
        """R11: nothing comes between our header and the sender's."""
        for text in (b"Subject: x\n\nx\n", b"A:\n"):
            message = self.headers(text)
            self.assertEqual(len(message.keys()), 4)

    def run_mutt(self, keys):
        """Type KEYS once mutt shows the mailbox; it needs a terminal."""
        with tempfile.TemporaryDirectory() as home:
            os.mkdir(home + "/Mail")
            pid, terminal = pty.fork()
            if pid == 0:
                # Of 0x0 at first, which ncurses does not take.
                fcntl.ioctl(0, termios.TIOCSWINSZ,
                            struct.pack("HHHH", 24, 80, 0, 0))
                os.execve(fixture.need("mutt"), [
                    "mutt", "-R", "-n", "-F", "/dev/null",
                    "-e", "set wait_key=no pipe_decode=no",
                    "-f", self.smtpin.maildir("alice"),
                ], dict(os.environ, TERM="vt100", HOME=home, LC_ALL="C"))
            shown = self.watch(terminal, pid, keys)
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)

    @staticmethod
    def watch(terminal, pid, keys):
        """Read what mutt draws until it is gone, but not for ever."""
        shown = b""
        try:
            while select.select([terminal], [], [], fixture.WAIT)[0]:
                shown += os.read(terminal, 4096)
                if b"Msgs:3" in shown and keys:
                    os.write(terminal, keys)
                    keys = b""
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
        return shown

    def test_mutt(self):
        """It finds each message by its subject, and shows what was stored."""
        stored = [fixture.read(path) for path in self.smtpin.new("alice")]
        for i in range(3):
            with tempfile.TemporaryDirectory() as out:
                self.run_mutt(f"l~s no.{i}\n"
                              f"|cat >{out}/seen\nx".encode("ascii"))
                seen = fixture.read(out + "/seen")
            self.assertIn(seen, stored)
            self.assertIn(b"This is text %d" % i, seen)


if __name__ == "__main__":
    fixture.main()
