# SPDX-License-Identifier: MIT
"""Mail with addresses and a header in UTF-8 (RFC 6531), from usual clients into
the Maildirs."""

import email
import email.message
import email.policy
import os
import smtplib
import subprocess
import unittest

import smtpin_fixture as fixture

# "ü" is composed in one line of the map and not in the other; domains are in
# U-labels in one and in A-labels in the other.
USERS = """\
alice : jürgen@bücher.example, postmaster@bücher.example
bob   : bu\u0308cher@xn--fsqu00a.example
bob   : postmaster@xn--fsqu00a.example
"""


def message():
    m = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
    m["From"] = "Jörg <jörg@straße.example>"
    m["To"] = "jürgen@bücher.example"
    m["Subject"] = "Grüße, Ωμέγα"
    m["Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    m["Message-ID"] = "<1@example.net>"
    m.set_content("Grüße\n", cte="8bit")
    return m


class Utf8(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with fixture.Smtpin() as smtpin, smtplib.SMTP(
                "127.0.0.1", smtpin.port, timeout=fixture.WAIT) as client:
            client.ehlo()
            if not client.has_extn("SMTPUTF8"):
                fixture.cannot("smtpin was built without libidn2")

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(users=USERS))
        self.client = self.enterContext(smtplib.SMTP(
            "127.0.0.1", self.smtpin.port, "client.example",
            timeout=fixture.WAIT))
        self.client.ehlo()

    def send(self, *rcpts, sender="jörg@straße.example"):
        refused = self.client.sendmail(
            sender, rcpts, message().as_bytes(),
            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assertEqual(refused, {})

    def test_python(self):
        """RFC 6531, 3.7.3; RFC 6531, 4.3; RFC 6152, 3"""
        self.assertTrue(self.client.has_extn("8BITMIME"))
        self.client.send_message(
            message(), "jörg@straße.example", ["jürgen@bücher.example"])
        headers, rest = self.smtpin.only("alice")
        self.assertEqual(headers[b"Return-Path"].decode(),
                         "<jörg@straße.example>")
        self.assertEqual(headers[b"Delivered-To"].decode(),
                         "jürgen@bücher.example")
        self.assertRegex(headers[b"Received"].decode(),
                         r"with UTF8SMTP id \w+ for <jürgen@bücher\.example>;")
        self.assertEqual(rest, message().as_bytes().replace(b"\r", b""))
        parsed = email.message_from_bytes(rest, policy=email.policy.SMTPUTF8)
        self.assertEqual(parsed["Subject"], "Grüße, Ωμέγα")

    def test_spellings(self):
        """All spellings of an address have one mailbox
        (RFC 5890, 2.3.2.1; RFC 6530, 10.1)."""
        for rcpt in ("jürgen@bücher.example", "JÜRGEN@BÜCHER.EXAMPLE",
                     "ju\u0308rgen@bu\u0308cher.example",
                     "jürgen@xn--bcher-kva.example",
                     "jürgen+tag@bücher.example"):
            self.send(rcpt)
        self.assertEqual(len(self.smtpin.new("alice")), 5)
        for rcpt in ("bücher@例子.example", "bu\u0308cher@例子.example",
                     "Bücher@XN--FSQU00A.example"):
            self.send(rcpt)
        self.assertEqual(len(self.smtpin.new("bob")), 3)

    def test_loop(self):
        """It is the same address, however it was written (RFC 5321, 6.3)."""
        for before in ("jürgen@bücher.example", "JÜRGEN@xn--bcher-kva.example",
                       "ju\u0308rgen@bücher.example"):
            content = f"Delivered-To: {before}\n".encode() + \
                message().as_bytes()
            with self.assertRaises(smtplib.SMTPDataError) as refusal:
                self.client.sendmail(
                    "a@example.net", ["jürgen@bücher.example"], content,
                    mail_options=["SMTPUTF8", "BODY=8BITMIME"])
            self.assertEqual(refusal.exception.smtp_code, 554)
        self.assertEqual(self.smtpin.new("alice"), [])

    def test_ascii_address_of_such_a_domain(self):
        """Which needs no parameter in A-labels, and does in U-labels."""
        self.client.sendmail("a@example.net",
                             ["postmaster@xn--bcher-kva.example"],
                             fixture.plain())
        self.send("postmaster@bücher.example", sender="a@example.net")
        self.assertEqual(len(self.smtpin.new("alice")), 2)

    def test_unknown_recipients(self):
        """The reply names the address in UTF-8 (RFC 6531, 3.7.4)."""
        self.client.mail("a@example.net", ["SMTPUTF8"])
        self.client.command_encoding = "utf-8"
        self.assertEqual(self.client.rcpt("jurgen@bücher.example"), (
            550, "5.1.1 <jurgen@bücher.example>: User unknown".encode()))
        self.assertEqual(self.client.rcpt("jürgen@bucher.example"), (
            550, "5.7.1 <jürgen@bucher.example>: Domain not handled by this "
                 "server".encode()))
        self.assertEqual(self.client.rcpt("jürgen@bücher.example")[0], 250)

    def test_swaks_without_the_parameter(self):
        """swaks knows no SMTPUTF8 (RFC 6531, 3.5)."""
        done = subprocess.run(
            [fixture.need("swaks"), "--server",
             f"127.0.0.1:{self.smtpin.port}", "--helo", "swaks.example.net",
             "--from", "a@example.net", "--to", "jürgen@bücher.example"],
            timeout=fixture.WAIT, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 24, done.stdout)
        self.assertIn(b"553 5.6.7 Non-ASCII addresses require the parameter "
                      b"SMTPUTF8", done.stdout)
        self.assertEqual(self.smtpin.new(), [])

    def test_curl(self):
        """curl says the parameter, and the domain in A-labels."""
        done = subprocess.run(
            [fixture.need("curl"), "--silent", "--show-error",
             "--mail-from", "jörg@straße.example",
             "--mail-rcpt", "jürgen@bücher.example", "--upload-file", "-",
             f"smtp://127.0.0.1:{self.smtpin.port}/curl.example.net"],
            input=message().as_bytes(), timeout=fixture.WAIT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, 0, done.stdout)
        headers, _ = self.smtpin.only("alice")
        self.assertIn(b"with UTF8SMTP id", headers[b"Received"])

    def test_map_that_is_none(self):
        """What is no UTF-8, and a domain without A-labels, is no address."""
        for address in (b"j\xfcrgen@example.org", b"a@\xcc\x88.example"):
            with open(self.smtpin.map, "wb") as file:
                file.write(b"alice : " + address + b"\n")
            done = subprocess.run(
                self.smtpin.command(), timeout=fixture.WAIT,
                stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn(b"map:1: not an address", done.stderr)


if __name__ == "__main__":
    fixture.main()
