# SPDX-License-Identifier: MIT
"""smtpin behind a mail server that hands mail on by LMTP (RFC 2033), and what
becomes of a message for several recipients."""

import os
import re
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture
from exim_client import Exim
from private_postfix import Postfix
from smtp_client import Lmtp

MESSAGE = fixture.plain()


class Case(unittest.TestCase):
    arguments = ["--lmtp", "127.0.0.1:0"]

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(
            arguments=fixture.loopback() + self.arguments))
        self.lmtp = int(self.listener(r"127\.0\.0\.1:(\d+)"))

    def listener(self, pattern):
        match = fixture.until(
            lambda: re.search(f"listening on {pattern} for LMTP$",
                              self.smtpin.text(), re.M), "no LMTP")
        return match[1]

    def client(self):
        return self.enterContext(Lmtp(self.lmtp))

    def smtp(self):
        return self.enterContext(fixture.Dialogue(self.smtpin.port))

    def lead_astray(self, user):
        """Break the mailbox of USER, which was there at RCPT."""
        tmp = os.path.join(self.smtpin.maildir(user), "tmp")
        shutil.rmtree(tmp)
        os.symlink("cur", tmp)

    def take(self, user):
        """The messages of USER, which are removed."""
        paths = self.smtpin.new(user)
        messages = [fixture.take_apart(fixture.read(path)) for path in paths]
        for path in paths:
            os.unlink(path)
        return messages


class Replies(Case):
    """RFC 2033, 4.2"""

    def test_for_each(self):
        client = self.client()
        client.begin("alice@example.org", "bob@example.org",
                     "alice@example.org", "x@catch.example")
        self.lead_astray("bob")
        self.assertEqual(client.finish_all(MESSAGE, 4), [
            "250 2.0.0", "451 4.3.5", "250 2.0.0", "250 2.0.0"])
        self.assertEqual(len(self.take("alice")), 1)
        self.assertEqual(len(self.take("carol")), 1)
        self.assertEqual(self.smtpin.tmp("[ac]*"), [])
        fixture.until(lambda: re.search(
            r"^.*recipient id=\w+ to=<bob@example\.org> session=\d+ "
            r"status=451$", self.smtpin.text(), re.M), "no line for bob")
        self.smtpin.await_pattern(
            r"stored id=\w+ .*to=<alice@example\.org> .* status=250 ")

    def test_for_nobody(self):
        client = self.client()
        client.begin("bob@example.org")
        self.lead_astray("bob")
        self.assertEqual(client.finish_all(MESSAGE, 1), ["451 4.3.5"])
        client.begin("alice@example.org")
        self.assertEqual(client.finish_all(MESSAGE, 1), ["250 2.0.0"])
        self.assertEqual(len(self.take("alice")), 1)

    def test_one_for_all_in_smtp(self):
        """Nobody has the message when one cannot: it comes again for all."""
        client = self.smtp()
        client.begin("alice@example.org", "bob@example.org")
        self.lead_astray("bob")
        self.assertEqual(client.finish(MESSAGE).codes, "451 4.3.5")
        self.assertEqual(self.take("alice"), [])


class Loops(Case):
    """RFC 5321, 6.3: A message comes to no address again."""

    LOOP = b"Delivered-To: Bob@Example.org\n" + MESSAGE

    def test_lmtp(self):
        client = self.client()
        client.begin("alice@example.org", "bob@example.org")
        self.assertEqual(client.finish_all(self.LOOP, 2),
                         ["250 2.0.0", "554 5.4.6"])
        self.assertEqual(self.take("alice")[0][1], self.LOOP)
        self.assertEqual(self.take("bob"), [])

    def test_smtp(self):
        client = self.smtp()
        reply = client.deliver(self.LOOP, "alice@example.org",
                               "bob@example.org")
        self.assertEqual(reply.codes, "554 5.4.6")
        self.assertIn("bob@example.org", reply)
        self.assertEqual(self.take("alice") + self.take("bob"), [])

    def test_fields(self):
        """Where the address stands, and where it does not count."""
        for text, code in (
                (b"delivered-to:\n\tbob@example.org \nSubject: x\n\nx\n", 554),
                (b"Received: x\nDelivered-To: a@b\n"
                 b"Delivered-To: bob@example.org\n\nx\n", 554),
                (b"Delivered-To: bob@example.org.uk\n\nx\n", 250),
                (b"X-Delivered-To: bob@example.org\n\nx\n", 250),
                (b"Subject: x\n Delivered-To: bob@example.org\n\nx\n", 250),
                (b"Subject: x\n\nDelivered-To: bob@example.org\n", 250),
                (b"\nDelivered-To: bob@example.org\n", 250),
                (b"Delivered-To:\n", 250)):
            with self.subTest(text):
                reply = self.smtp().deliver(text, "bob@example.org")
                self.assertEqual(reply.code, code, reply)

    def test_large(self):
        """What is behind the beginning arrives too."""
        message = MESSAGE + b"0123456789abcdef\n" * 20000
        self.smtp().deliver(message, "bob@example.org")
        self.assertEqual(self.take("bob")[0][1], message)


class Clients(Case):
    """Programs that speak LMTP."""

    def check(self, *users):
        for user in users:
            (headers, rest), = self.take(user)
            self.assertRegex(headers[b"Received"], rb" with LMTP id ")
            self.assertIn(MESSAGE.partition(b"\n\n")[2], rest)

    def test_smtplib(self):
        with smtplib.LMTP("127.0.0.1", self.lmtp, "smtplib.example") as client:
            client.timeout = fixture.WAIT
            client.sendmail("sender@example.net", ["alice@example.org"],
                            MESSAGE)
        self.check("alice")

    def test_swaks(self):
        done = subprocess.run(
            [fixture.need("swaks"), "--protocol", "LMTP", "--server",
             f"127.0.0.1:{self.lmtp}", "--from", "sender@example.net",
             "--to", "alice@example.org,bob@example.org",
             "--data", MESSAGE.decode("ascii")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=fixture.WAIT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.check("alice", "bob")

    def test_smtp_source(self):
        path = os.path.join(self.smtpin.root, "message")
        with open(path, "wb") as file:
            file.write(MESSAGE)
        subprocess.run(
            [fixture.need("smtp-source"), "-L", "-m", "3", "-f",
             "sender@example.net", "-t", "alice@example.org", "-F", path,
             f"127.0.0.1:{self.lmtp}"], timeout=fixture.WAIT, check=True)
        self.assertEqual(len(self.take("alice")), 3)


class Tls(Case):
    """RFC 3207: STARTTLS is there too, and "with" names it (RFC 3848)."""

    def setUp(self):
        certs = os.environ.get("CERTS")
        if not certs:
            fixture.cannot("CERTS does not name the certificates")
        place = self.enterContext(tempfile.TemporaryDirectory())
        self.arguments = Case.arguments + ["--tls-port", "0"]
        for option, name in (("-c", "a.pem"), ("-k", "a.key")):
            self.arguments += [
                option, shutil.copy(os.path.join(certs, name), place)]
        super().setUp()

    def test_starttls(self):
        client = self.client()
        self.assertEqual(client.say("STARTTLS").code, 220)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client.wrap(context)
        self.assertIn("PIPELINING", client.say("LHLO client.example.net"))
        client.begin("alice@example.org", "bob@example.org")
        self.assertEqual(client.finish_all(MESSAGE, 2), ["250 2.0.0"] * 2)
        (headers, _), = self.take("alice")
        self.assertRegex(headers[b"Received"], rb" with LMTPS id ")


class Relay(Case):
    """Postfix's client of LMTP hands mail on."""

    MAIN = """\
myhostname = relay.example
mynetworks = 127.0.0.0/8
relay_domains = example.org
relay_transport = lmtp:inet:127.0.0.1:%d
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""

    def maillog(self, recipient, status):
        """Wait for the line of its log about RECIPIENT."""
        pattern = rf"to=<{recipient}>, relay=127\.0\.0\.1.*status={status} .*"
        return fixture.until(lambda: re.search(
            pattern, self.postfix.said()), pattern)[0]

    def test_postfix(self):
        self.postfix = self.enterContext(Postfix(self.MAIN % self.lmtp))
        loop = b"Delivered-To: bob@example.org\n" + MESSAGE
        with smtplib.SMTP("127.0.0.1", self.postfix.port, "x.example",
                          fixture.WAIT) as client:
            client.sendmail("", ["alice@example.org", "bob@example.org",
                                 "nobody@example.org"], loop)
        self.maillog("alice@example.org", "sent")
        self.assertIn("554 5.4.6", self.maillog("bob@example.org", "bounced"))
        self.assertIn("550 5.1.1",
                      self.maillog("nobody@example.org", "bounced"))
        (headers, _), = self.take("alice")
        self.assertRegex(headers[b"Received"], rb" with LMTP id ")
        self.assertEqual(self.take("bob"), [])


class OfExim(Case):
    """Exim's, over one connection."""

    def test_exim(self):
        if os.geteuid() != 0:
            self.skipTest("Exim needs root to start")
        exim = Exim(self.enterContext(tempfile.TemporaryDirectory()),
                    self.lmtp, "  protocol = lmtp\n")
        path = os.path.join(exim.dir, "message")
        with open(path, "wb") as file:
            file.write(b"Delivered-To: bob@example.org\n" + MESSAGE)
        subprocess.run(exim.command(
            self.lmtp, path, "alice@example.org", "bob@example.org",
            "nobody@example.org"), check=False, capture_output=True,
            timeout=3 * fixture.WAIT)
        lines = {re.search(r"(\w+)@", line)[1]: line
                 for line in exim.deliveries()}
        self.assertRegex(lines["alice"], '[=-]> .*C="250 2')
        self.assertRegex(lines["bob"], r"\*\* .*554 5\.4\.6")
        self.assertRegex(lines["nobody"], r"\*\* .*550 5\.1\.1")
        (headers, _), = self.take("alice")
        self.assertRegex(headers[b"Received"], rb" with LMTP id ")
        self.assertEqual(self.take("bob"), [])


class Listening(unittest.TestCase):
    def test_alone(self):
        """With nothing else to listen on there is no SMTP; and a socket."""
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "lmtp")
            smtpin = fixture.Smtpin(arguments=["--lmtp", path])
            self.addCleanup(smtpin.remove)
            smtpin.spawn()
            fixture.until(lambda: f"listening on {path} for LMTP"
                          in smtpin.text(), "smtpin did not listen")
            self.assertEqual(smtpin.text().count("listening on"), 1)
            with smtplib.LMTP(path) as client:
                refused = client.sendmail(
                    "sender@example.net",
                    ["alice@example.org", "nobody@example.org"], MESSAGE)
            self.assertEqual(list(refused), ["nobody@example.org"])
            headers, _ = smtpin.only("alice")
            self.assertRegex(headers[b"Received"], rb" with LMTP id ")
            smtpin.stop()
            self.assertFalse(os.path.exists(path))

    def test_mistakes(self):
        """RFC 2033, 5"""
        for address, words in (("127.0.0.1", "give a port"),
                               ("127.0.0.1:25", "port 25 is for SMTP"),
                               ("[::1]:25", "port 25 is for SMTP"),
                               ("here:24", "is not an address")):
            with self.subTest(address):
                smtpin = fixture.Smtpin(arguments=["--lmtp", address])
                self.addCleanup(smtpin.remove)
                smtpin.spawn()
                self.assertEqual(smtpin.process.wait(fixture.WAIT), 64)
                smtpin.reader.join(fixture.WAIT)
                smtpin.await_words(words)


if __name__ == "__main__":
    fixture.main()
