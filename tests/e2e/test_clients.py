# SPDX-License-Identifier: MIT
"""What usual clients send is found, byte for byte, in the Maildir."""

import os
import smtplib
import subprocess
import tempfile
import threading
import unittest

import smtpin_fixture as fixture
from exim_client import Exim

# Clients add From, Date and Message-ID where they are missing.
HEADER = fixture.plain("")

MESSAGES = {
    "plain": HEADER + b"Hello.\n",
    "dots": HEADER + b".\n..\n.x\n...\nx.\n\n.\n.\n",
    "long lines": HEADER + b"y" * 998 + b"\n" + b"." + b"z" * 997 + b"\n",
    "eight bits": HEADER + bytes(range(0x80, 0x100)) + b"\n"
                  + "Grüße, Ωμέγα\n".encode("utf-8"),
    "no body": HEADER,
    "empty lines at the end": HEADER + b"text\n\n\n\n",
    "looks like a command": HEADER + b"QUIT\nRSET\n\n.QUIT\n",
    "from line": HEADER + b"From here it goes on.\n>From there, too.\n",
    "many lines": HEADER + b"".join(b"line %d\n" % i for i in range(20000)),
}


def with_swaks(port, path):
    """Swaks stuffs no dots when it is told to leave a message alone."""
    stuffed = path + ".stuffed"
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    lines = [b"." + line if line[:1] == b"." else line for line in lines]
    with open(stuffed, "wb") as file:
        file.write(b"\r\n".join(lines) + b".")
    return [fixture.need("swaks"), "--silent", "3", "--no-data-fixup",
            "--server", f"127.0.0.1:{port}", "--helo", "swaks.example.net",
            "--from", "sender@example.net", "--to", "alice@example.org",
            "--data", "@" + stuffed]


def with_curl(port, path):
    """curl takes the line ends as they are."""
    crlf = path + ".crlf"
    with open(path, "rb") as file, open(crlf, "wb") as out:
        out.write(file.read().replace(b"\n", b"\r\n"))
    return [fixture.need("curl"), "--silent", "--show-error",
            "--mail-from", "sender@example.net",
            "--mail-rcpt", "alice@example.org", "--upload-file", crlf,
            f"smtp://127.0.0.1:{port}/curl.example.net"]


def with_msmtp(port, path):
    return ["sh", "-c", 'exec "$@" <' + path, "sh", fixture.need("msmtp"),
            "--file=/dev/null", "--host=127.0.0.1", f"--port={port}",
            "--domain=msmtp.example.net", "--from=sender@example.net",
            "--set-from-header=off", "--set-date-header=off",
            "--", "alice@example.org"]


def with_smtp_source(port, path):
    return [fixture.need("smtp-source"), "-f", "sender@example.net",
            "-t", "alice@example.org", "-M", "source.example.net",
            "-F", path, f"127.0.0.1:{port}"]


def with_smtpsend(port, path):
    """It sends chunks, where these are offered."""
    return ["sh", "-c", 'exec "$@" <' + path, "sh", os.environ["SMTPSEND"],
            "-s", f"127.0.0.1:{port}", "-f", "sender@example.net",
            "alice@example.org"]


class Clients(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin())
        self.dir = self.enterContext(tempfile.TemporaryDirectory())

    def check(self, message):
        """The only message of alice is MESSAGE, and is gone then."""
        paths = self.smtpin.new("alice")
        stored = [fixture.read(path) for path in paths]
        sizes = [int(path.rpartition(",S=")[2]) for path in paths]
        modes = [os.stat(path).st_mode & 0o777 for path in paths]
        for path in paths:
            os.unlink(path)
        self.assertEqual(sizes, [len(content) for content in stored])
        self.assertEqual(modes, [0o600])
        self.check_content(stored[0], message)
        self.assertEqual(self.smtpin.tmp(), [])

    def check_content(self, stored, message):
        """smtp-source says HELO, the others EHLO."""
        self.assertNotIn(b"\r", stored)
        headers, rest = fixture.take_apart(stored)
        self.assertEqual(list(headers),
                         [b"Return-Path", b"Delivered-To", b"Received"])
        self.assertEqual(headers[b"Return-Path"], b"<sender@example.net>")
        self.assertIn(b"alice@example.org", headers[b"Delivered-To"])
        self.assertRegex(headers[b"Received"],
                         rb"^from .*\[127\.0\.0\.1\].* by mx\.example\.org "
                         rb".*with (?:E|UTF8)?SMTP id ")
        self.assertEqual(rest, message)

    def run_client(self, command, added=b""):
        path = os.path.join(self.dir, "message")
        for name, message in MESSAGES.items():
            with self.subTest(name):
                with open(path, "wb") as file:
                    file.write(message)
                done = subprocess.run(
                    command(self.smtpin.port, path), timeout=fixture.WAIT,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    check=False)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.check(message + added)

    def test_swaks(self):
        self.run_client(with_swaks)

    def test_curl(self):
        self.run_client(with_curl)

    def test_msmtp(self):
        self.run_client(with_msmtp)

    def test_smtp_source(self):
        """It appends a line end to what it reads."""
        self.run_client(with_smtp_source, b"\n")

    def test_smtpsend(self):
        self.run_client(with_smtpsend)

    def test_exim(self):
        """It marks what went by BDAT with a K."""
        if os.geteuid() != 0:
            self.skipTest("Exim needs root to start")
        exim = Exim(self.enterContext(tempfile.TemporaryDirectory()),
                    self.smtpin.port)
        self.run_client(exim.command)
        sent = exim.deliveries()
        self.assertEqual(len(sent), len(MESSAGES))
        self.assertEqual([line for line in sent if " K " not in line], [])

    def test_chunks(self):
        """By smtplib's hand: however a message is divided, it is the same."""
        with smtplib.SMTP("127.0.0.1", self.smtpin.port,
                          "smtplib.example.net", fixture.WAIT) as client:
            client.ehlo()
            self.assertTrue(client.has_extn("chunking"))
            for name, message in MESSAGES.items():
                data = message.replace(b"\n", b"\r\n")
                for size in (1, 7, 4096, 65537, len(data)):
                    if len(data) // size > 2000:
                        continue
                    with self.subTest(name, size=size):
                        client.docmd("MAIL FROM:<sender@example.net>")
                        client.docmd("RCPT TO:<alice@example.org>")
                        self.send_chunks(client, data, size)
                        self.check(message)

    def test_chunk_for_nobody(self):
        """A client that pipelines learns too late that no recipient was
        accepted."""
        with smtplib.SMTP("127.0.0.1", self.smtpin.port,
                          "smtplib.example.net", fixture.WAIT) as client:
            client.ehlo()
            for rcpts in ([], ["nobody@example.org"]):
                client.docmd("MAIL FROM:<sender@example.net>")
                for rcpt in rcpts:
                    self.assertEqual(client.docmd(f"RCPT TO:<{rcpt}>")[0], 550)
                client.send(b"BDAT 3 LAST\r\nabc")
                self.assertIn(client.getreply()[0], (503, 554))
            client.sendmail("sender@example.net", ["alice@example.org"],
                            MESSAGES["plain"].replace(b"\n", b"\r\n"))
            self.check(MESSAGES["plain"])
        fixture.until(lambda: self.smtpin.text().count(" nrcpt=0 ") == 2,
                      "two lines of refused messages")

    def send_chunks(self, client, data, size):
        """All in one group, as RFC 2920 allows."""
        chunks = [data[at:at + size] for at in range(0, len(data), size)]
        group = b"".join(b"BDAT %d\r\n%s" % (len(c), c) for c in chunks)
        thread = threading.Thread(
            target=client.sock.sendall, args=[group + b"BDAT 0 LAST\r\n"])
        thread.start()
        replies = [client.getreply() for _ in range(len(chunks) + 1)]
        thread.join()
        self.assertEqual({code for code, _ in replies}, {250})
        self.assertIn(b"id=", replies[-1][1])

    def test_smtplib(self):
        with smtplib.SMTP("127.0.0.1", self.smtpin.port,
                          "smtplib.example.net", fixture.WAIT) as client:
            for name, message in MESSAGES.items():
                with self.subTest(name):
                    client.sendmail(
                        "sender@example.net", ["alice@example.org"],
                        message.replace(b"\n", b"\r\n"), ["BODY=8BITMIME"])
                    self.check(message)

    def test_by_hand(self):
        """Also what no client sends.  Text without a header gets the empty
        line that ends ours."""
        odd = {
            "nothing at all": b"",
            "one empty line": b"\n",
            "a very long line": HEADER + b"x" * 60000 + b"\n",
        }
        texts = {
            "one dot": b".\n",
            "no header": b"just text\n",
        }
        with fixture.Dialogue(self.smtpin.port) as client:
            for name, message in {**MESSAGES, **odd}.items():
                with self.subTest(name):
                    reply = client.deliver(message, "alice@example.org")
                    self.assertEqual(reply.codes, "250 2.0.0")
                    self.check(message)
            for name, message in texts.items():
                with self.subTest(name):
                    client.deliver(message, "alice@example.org")
                    self.check(b"\n" + message)

    def test_one_byte_at_a_time(self):
        message = MESSAGES["dots"]
        with fixture.Dialogue(self.smtpin.port) as client:
            client.begin("alice@example.org")
            text = message.replace(b"\n", b"\r\n").replace(
                b"\n.", b"\n..") + b".\r\n"
            for i in range(len(text)):
                client.send(text[i:i + 1])
            self.assertEqual(client.reply().code, 250)
            self.check(message)

    def test_pipelined(self):
        message = MESSAGES["dots"]
        text = message.replace(b"\n", b"\r\n").replace(b"\n.", b"\n..")
        with fixture.Dialogue(self.smtpin.port) as client:
            for _ in range(3):
                client.send(b"MAIL FROM:<sender@example.net>\r\n"
                            b"RCPT TO:<alice@example.org>\r\nDATA\r\n")
                codes = [client.reply().code for _ in range(3)]
                self.assertEqual(codes, [250, 250, 354])
                client.send(text + b".\r\n")
                self.assertEqual(client.reply().code, 250)
                self.check(message)

    def test_null_sender(self):
        """RFC 5321, 4.4; RFC 5321, 4.5.5"""
        with fixture.Dialogue(self.smtpin.port) as client:
            client.deliver(MESSAGES["plain"], "bob@example.org", sender="")
        headers, _ = self.smtpin.only("bob")
        self.assertEqual(headers[b"Return-Path"], b"<>")


if __name__ == "__main__":
    fixture.main()
