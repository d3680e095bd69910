# SPDX-License-Identifier: MIT
"""smtpout signs, and others verify (RFC 6376)."""

import email
import email.policy
import os
import random
import re
import signal
import subprocess
import unittest

import smtpin_fixture as fixture
import world
from odd_mail import SEVEN, leaves, odd_message
from retry_case import ZONE, RetryCase
from rspamd import Rspamd
from scripted_server import Scripted
from smtpout_fixture import message

try:
    import dkim
except ImportError:
    dkim = None

# So many random messages are verified.
MESSAGES = int(os.environ.get("DKIM_MESSAGES", "1000"))
SEED = os.environ.get("SEED", "smtpout")


class Author:
    """Writes messages that are odd, and may be sent."""

    NAMES = ("Subject", "To", "Cc", "X-Odd", "Reply-To", "Date", "Sender",
             "Message-ID", "Content-Type", "List-Unsubscribe", "Received",
             "Resent-From", "MIME-Version", "In-Reply-To", "X-" + 50 * "y")
    FROM = (b"alice@home.example", b"<alice@home.example>",
            b"alice", b"root (Cron Daemon)",
            b"\"Alice, (not bob@one.example)\" <alice@home.example>",
            b"Alice (a comment, <x@one.example>)\n\t<alice@HOME.example>",
            b"eve@two.example, alice@home.example",
            b"=?utf-8?q?=C3=84?= <\n alice@home.example\n >",
            b"Friends: bob@one.example, alice@home.example;",
            "Älice <alice@home.example>".encode(),
            b"@relay.example:alice@home.example <alice @ home . example>")
    WORDS = (b"word", b"  ", b" ", b"\t", b" \t ", b".", b"..", b"a:b", b"=",
             b";", b"\xc3\xa9", b"\xe9\xff", b"\x01", b"b=", b"--", b"From ")
    ENDS = (b"", b" ", b"\t", b" \t \t")

    def __init__(self, seed):
        self.random = random.Random(seed)

    def words(self, count):
        return b"".join(self.random.choices(self.WORDS, k=count))

    def case(self, name):
        return "".join(self.random.choice((c.upper(), c.lower()))
                       for c in name).encode()

    def value(self):
        """Folded in any way, perhaps empty."""
        lines = [self.words(self.random.randrange(8))
                 for _ in range(self.random.choice((1, 1, 1, 2, 5)))]
        # A line of white space alone would be no part of a field to some.
        lines[1:] = [line + b"x" for line in lines[1:]]
        return self.random.choice(self.ENDS) + b"\n ".join(lines) \
            + self.random.choice(self.ENDS)

    def header(self):
        fields = [self.case("From") + self.random.choice((b":", b": ",
            b":\n ", b":\t")) + self.random.choice(self.FROM)]
        for _ in range(self.random.randrange(8)):
            name = self.case(self.random.choice(self.NAMES))
            fields.append(name + b":" + self.value())
        self.random.shuffle(fields)
        return b"".join(field + b"\n" for field in fields)

    def line(self):
        kind = self.random.randrange(8)
        if kind == 0:
            return self.random.choice(self.ENDS)
        if kind == 1:
            return self.random.choice((b"x", b" ", b"y ")) \
                * self.random.choice((998, 999, 1024, 4096, 5000))
        return self.words(self.random.randrange(12)) \
            + self.random.choice(self.ENDS)

    def body(self):
        kind = self.random.randrange(10)
        if kind == 0:
            return b""
        if kind == 1:
            return b"\n" * self.random.randrange(1, 40)
        lines = [self.line() for _ in range(self.random.randrange(30))]
        if kind == 2:
            lines *= 20
        return b"".join(line + b"\n" for line in lines) \
            + b"\n" * self.random.choice((0, 0, 1, 7))

    def message(self):
        kind = self.random.randrange(20)
        header = self.header()
        return header if kind == 0 else header + b"\n" + self.body()


def is_usual(text):
    """Whether each field occurs once, and neither they nor the body are white
    space alone."""
    header, _, body = text.partition(b"\n\n")
    fields = re.findall(rb"(?m)^([^\s:]+):((?:.*\n[ \t])*.*)\n",
                        header + b"\n")
    names = {name.lower() for name, _ in fields}
    return len(names) == len(fields) and (not body or body.strip()) \
        and all(value.strip() for _, value in fields)


def longest(contents, end=b"\r\n"):
    """Octets of the longest line of them all."""
    return max(len(line) for content in contents
               for line in content.split(end))


class DkimCase(RetryCase):
    def setUp(self):
        super().setUp()
        self.key = os.path.join(self.smtpout.root, "key")
        self.record = self.make_key("home.example:s1:" + self.key)
        # The second is for those who write a name alone.
        self.smtpout.restart("--dkim", "home.example:s1:" + self.key,
                             "--dkim", "out.example:s1:" + self.key)

    def smtpout_says(self, *words):
        with self.world.out.inside():
            return subprocess.run(
                [world.program("smtpout"), *words], capture_output=True,
                text=True, timeout=3 * fixture.WAIT, check=False)

    def make_key(self, spec, *options):
        """The text of the record that is to stand in the DNS."""
        done = self.smtpout_says("dkim-key", *options, spec)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.zone_line = done.stdout
        return "".join(re.findall(r'"([^"]*)"', done.stdout))

    def send(self, contents, server):
        """Submit CONTENTS, and return what SERVER took, with CRLF."""
        before = len(server.accepted)
        with self.smtpout.client() as client:
            for content in contents:
                client.submit(content, "bob@one.example",
                              mail="BODY=8BITMIME")
        server.wait(before + len(contents))
        return [t.content.replace(b"\n", b"\r\n")
                for t in server.accepted[before:]]

    def signature(self, text):
        """The tags of the only signature of TEXT, which is on top."""
        self.assertTrue(text.startswith(b"DKIM-Signature:"), text[:300])
        header = text.split(b"\r\n\r\n", 1)[0] + b"\r\n"
        value, = re.findall(rb"(?im)^dkim-signature:((?:.*\r\n[ \t])*.*)\r\n",
                            header)
        return {k.strip(): re.sub(r"\s", "", v) for k, v in (
            tag.split("=", 1) for tag in value.decode().split(";"))}


class Signed(DkimCase):
    @unittest.skipIf(dkim is None, "python3-dkim is not installed")
    def test_others_verify_odd_messages(self):
        """RFC 6376, 3.4.4; RFC 6376, 3.4.2: whatever a message looks like."""
        author = Author(SEED)
        contents = [author.message() for _ in range(MESSAGES)]
        self.assertGreater(longest(contents, b"\n"), 998)
        signed = self.send(contents, self.server())
        self.assertLessEqual(longest(signed), 998)
        self.check_odd(signed)

    @unittest.skipIf(dkim is None, "python3-dkim is not installed")
    def test_others_verify_what_is_not_converted(self):
        """Likewise, with their long lines and 8-bit bytes as they are."""
        self.smtpout.restart("--dkim-as-is")
        author = Author(SEED + "-as-is")
        contents = [author.message() for _ in range(MESSAGES // 5)]
        signed = self.send(contents, self.server())
        self.assertGreater(longest(signed), 998)
        self.check_odd(signed)

    def check_odd(self, signed):
        for number, text in enumerate(signed):
            with self.subTest(number=number):
                tags = self.signature(text)
                # A name without a domain was completed.
                local = re.search(rb"(?im)^from:(?:.*\r\n[ \t])*.*"
                                  rb"@out\.example", text)
                self.assertEqual(tags["d"], "out.example" if local
                                 else "home.example")
                verifier = dkim.DKIM(text)
                self.assertTrue(verifier.verify(
                    dnsfunc=lambda name, timeout=5: self.record.encode()),
                    text)
        self.opendkim(signed)

    def opendkim(self, texts):
        """OpenDKIM says the same of all."""
        program = fixture.need("opendkim")
        directory = os.path.join(self.smtpout.root, "signed")
        os.mkdir(directory)
        for number, text in enumerate(texts):
            with open(os.path.join(directory, f"{number:05}"), "wb") as file:
                file.write(text)
        keys = os.path.join(self.smtpout.root, "public")
        with open(keys, "w", encoding="ascii") as file:
            for domain in ("home.example", "out.example"):
                file.write(f"s1._domainkey.{domain} {self.record}\n")
        conf = os.path.join(self.smtpout.root, "opendkim.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"TestPublicKeys {keys}\nMode v\n"
                       "Socket local:/dev/null\n")
        names = sorted(os.listdir(directory))
        for first in range(0, len(names), 100):
            part = [os.path.join(directory, n)
                    for n in names[first:first + 100]]
            done = subprocess.run(
                [program, "-x", conf, "-t", ",".join(part)],
                capture_output=True, text=True, errors="replace",
                timeout=3 * fixture.WAIT, check=False)
            said = done.stdout + done.stderr
            self.assertEqual(len(re.findall("verification.*succeeded", said)),
                             len(part), said[-3000:])

    def test_rspamd_verifies(self):
        """As receivers do, with the record in the DNS.  It reads bodies of
        white space alone, and fields that are empty, or occur twice where RFC
        5322 has them once, in a way that other verifiers do not share."""
        author = Author(SEED + "rspamd")
        contents = [text for text in (author.message()
                                      for _ in range(MESSAGES // 3))
                    if is_usual(text)]
        zone = self.zone_line + self.zone_line.replace(
            "home.example", "out.example")
        self.addCleanup(self.world.zone, ZONE)
        self.world.zone(ZONE + zone)
        rspamd = self.enterContext(Rspamd(self.world, self.mx1))
        for number, text in enumerate(self.send(contents, self.server())):
            with self.subTest(number=number):
                good, said = rspamd.verifies(text)
                self.assertTrue(good, (said, text))

    def test_a_large_one(self):
        """What does not fit into memory is signed as well."""
        content = message() + 20000 * b"line  of \tsome length\n" + b"\n\n"
        text, = self.send([content], self.server())
        self.assertGreater(len(text), 300000)
        self.opendkim([text])
        # On the disk it has the checksum of what it became.
        self.submit("bob@two.example", content=content)
        self.assertIn("1 message intact, 0 damaged",
                      self.smtpout.ask("check"))

    def verified(self, text):
        """What is left of TEXT without the signature, which is good."""
        self.assertTrue(dkim.DKIM(text).verify(
            dnsfunc=lambda name, timeout=5: self.record.encode()), text)
        return email.message_from_bytes(text, policy=email.policy.SMTP)

    @unittest.skipIf(dkim is None, "python3-dkim is not installed")
    def test_a_host_without_8bitmime(self):
        """RFC 6376, 5.3: converted before it is signed, small or large, so
        that a host without 8BITMIME gets 7 bits, the signature is good, and
        readers see the same; other hosts get the same octets."""
        for lines in (1, 5000):
            content = odd_message(lines * "Gr\u00fc\u00dfe aus K\u00f6ln\n")
            with self.subTest(lines=lines):
                taken = []
                for ehlo in (SEVEN, None):
                    with Scripted(self.mx1, **({"ehlo": ehlo} if ehlo
                                               else {})) as server:
                        text, = self.send([content], server)
                        self.assertTrue(text.isascii())
                        self.assertNotIn(
                            "BODY", server.accepted[0].parameters)
                        self.assertEqual(
                            leaves(self.verified(text).as_bytes()),
                            leaves(content))
                        taken.append(text.split(b"\r\n\r\n", 1)[1])
                self.assertEqual(taken[0], taken[1])
        self.opendkim([text])

    @unittest.skipIf(dkim is None, "python3-dkim is not installed")
    def test_what_is_not_converted(self):
        """A part must stay, or the operator wants it so: the signature is good
        for what goes out as it is."""
        fixed = (b"From: alice@home.example\nMIME-Version: 1.0\n"
                 b"Content-Type: multipart/signed; boundary=b\n\n"
                 b"--b\n\nGr\xc3\xbc\xc3\x9fe\n--b--\n")
        server = self.server(ehlo=SEVEN)
        text, = self.send([fixed], server)
        self.verified(text)
        self.assertIn("Gr\u00fc\u00dfe".encode(), text)
        self.smtpout.restart("--dkim-as-is")
        text, = self.send([odd_message("Gr\u00fc\u00dfe\n")], server)
        self.verified(text)
        self.assertIn("Gr\u00fc\u00dfe".encode(), text)
        self.smtpout.wait_log('content="not converted, which would break its '
                              'signature"')

    @unittest.skipIf(dkim is None, "python3-dkim is not installed")
    def test_long_lines(self):
        """RFC 5321, 4.5.3.1.6: they are no reason to break a signature."""
        line = b"ab " * 2000 + b"\n"
        text, = self.send([b"From: alice@home.example\n\n" + line],
                          self.server())
        self.assertEqual(leaves(self.verified(text).as_bytes()),
                         [("text/plain", line)])
        self.assertLessEqual(max(map(len, text.split(b"\r\n"))), 998)

    def test_each_attempt_sends_the_same(self):
        server = self.server(dot="451 4.3.0 later")
        self.submit("bob@one.example")
        fixture.until(lambda: len(server.taken) >= 2, "no second attempt")
        self.assertEqual(server.taken[0].content, server.taken[1].content)
        self.signature(server.taken[0].content.replace(b"\n", b"\r\n"))

    def test_reports_are_signed(self):
        self.server(rcpt="550 5.1.1 nobody")
        self.submit("bob@one.example")
        text, = self.home.wait(1, "alice", 2 * fixture.WAIT)
        # smtpin has put its own fields on top.
        text = text[text.index(b"DKIM-Signature:"):].replace(b"\n", b"\r\n")
        self.assertEqual(self.signature(text)["d"], "out.example")
        self.assertIn(b"multipart/report", text)
        self.opendkim([text])

    def test_a_notice_is_known_below_its_signature(self):
        """A notice of reports in dead/ that nobody takes makes no other."""
        self.server(rcpt="550 5.1.1 nobody")
        self.smtpout.restart("--postmaster", "boss@one.example")
        self.submit("bob@one.example", sender="")
        self.smtpout.wait_log("cannot be told of reports in dead/")
        self.smtpout.wait_empty()
        self.assertEqual(
            len([p for p in self.smtpout.dead() if p.endswith(".why")]), 1)

    def test_other_domains_are_not_signed(self):
        server = self.server()
        text, again = self.send(
            2 * [b"From: eve@sub.home.example\n\nx\n"], server)
        self.assertNotIn(b"DKIM-Signature", text + again)
        said, = self.smtpout.said(r"info id=\w+ is not signed: there is no "
                                  r"key for sub.home.example")
        self.assertTrue(said)
        self.smtpout.wait_log(r"debug id=\w+ is not signed")
        self.smtpout.restart("--dkim-subdomains", "--dkim-fields",
                             "Subject:X-Own?:From")
        text, = self.send([b"X-Own: a\nFrom: eve@sub.home.example\n\nx\n"],
                          server)
        tags = self.signature(text)
        self.assertEqual(tags["d"], "home.example")
        self.assertEqual(tags["h"], "Subject:X-Own:From:From")

    def test_keys_are_read_again(self):
        """On SIGHUP; what cannot be read changes nothing."""
        server = self.server()
        with open(self.key, "w", encoding="ascii") as file:
            file.write("no key\n")
        os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
        self.smtpout.wait_log(
            "old configuration stays in use: .*no private key")
        text, = self.send([message()], server)
        self.opendkim([text])
        os.unlink(self.key)
        self.record = self.make_key("home.example:s1:" + self.key)
        os.chmod(self.key, 0o644)
        os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
        self.smtpout.wait_log("read 2 DKIM keys", 2)
        self.smtpout.wait_log("any user may read the DKIM key in")
        text, = self.send([message()], server)
        os.rename(os.path.join(self.smtpout.root, "signed"),
                  os.path.join(self.smtpout.root, "first"))
        self.opendkim([text])


class Check(DkimCase):
    def check(self, spec=None):
        return self.smtpout_says(
            "--check", "-q", self.smtpout.queue_dir, "-H", "out.example",
            "--dns", self.world.dns, "--dkim",
            spec or "home.example:s1:" + self.key)

    def test_the_dns_is_compared(self):
        done = self.check()
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("the DNS has no TXT record s1._domainkey.home.example",
                      done.stderr)
        self.addCleanup(self.world.zone, ZONE)
        self.world.zone(ZONE + self.zone_line)
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        other = os.path.join(self.smtpout.root, "other")
        self.make_key("home.example:s1:" + other, "--bits", "1024")
        done = self.check("home.example:s1:" + other)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("has another public key", done.stderr)

    def test_no_answer_is_no_verdict(self):
        self.world.names.stop()
        self.addCleanup(self.world.zone, ZONE)
        done = self.smtpout_says(
            "--check", "-q", self.smtpout.queue_dir, "-H", "out.example",
            "--dns", "127.0.0.1:1", "--dkim",
            "home.example:s1:" + self.key)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("no DNS server answered", done.stderr)

    def test_a_key_is_made_once(self):
        self.assertEqual(os.stat(self.key).st_mode & 0o777, 0o600)
        before = fixture.read(self.key)
        self.assertEqual(self.make_key("home.example:s1:" + self.key),
                         self.record)
        self.assertEqual(fixture.read(self.key), before)

    def test_what_cannot_be_is_refused(self):
        for words, status, text in (
                (["--dkim", "home.example"], 64, "DOMAIN:SELECTOR:KEYFILE"),
                (["--dkim-subdomains"], 64, "there is no --dkim"),
                (["--dkim", "a.example:s:/nowhere"], 66, "/nowhere"),
                (["--dkim", "a.example:s:/dev/null"], 66, "/dev/null"),
                (["--dkim", "a..b:s:" + self.key], 78, "is no name"),
                (["--dkim", "a.example:s:" + self.key, "--dkim-fields",
                  "From:Received"], 64, "hosts on the way change")):
            with self.subTest(words=words):
                done = self.smtpout_says("--check", "-q",
                                         self.smtpout.queue_dir, *words)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(text, done.stderr)
        for words in (["dkim-key"], ["dkim-key", "a:b"],
                      ["dkim-key", "--bits", "512", "a.example:s:/tmp/x"]):
            self.assertEqual(self.smtpout_says(*words).returncode, 64)


if __name__ == "__main__":
    world.main()
