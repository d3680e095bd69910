#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""smtpin with a filter on libmilter, which does to a message what that asks
for, beside Postfix with the same filter: both must store the same."""

import base64
import glob
import os
import random
import re
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture
from private_postfix import Postfix
from smtpin_fixture import Dialogue, Smtpin

MAIN = """\
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{
 alice@example.org=alice/, bob@example.org=bob/, carol@example.org=carol/ }
smtpd_milters = unix:%s
milter_default_action = tempfail
remote_header_rewrite_domain =
"""

USERS = """\
alice : alice@example.org
bob : bob@example.org
carol : carol@example.org
"""

HEADER = ["Received: from a by b; Thu, 01 Jan 2026 00:00:00 +0000",
          "From: Alice <alice@example.net>", "To:bob@example.org",
          "Subject:  two blanks\n\tand folded\n  twice",
          "Date: Thu, 01 Jan 2026 00:00:00 +0000",
          "Message-ID: <1@example.net>", "X-Twice: one", "x-twice: two",
          "X-Empty:"]


class Filter:
    """The filter as a process."""

    def __init__(self, where, *options):
        self.socket = os.path.join(where, "filter")
        self.log = os.path.join(where, "filter.log")
        self.command = [os.environ["MILTER_FILTER"], f"unix:{self.socket}",
                        f"log={self.log}", *options]
        self.process = None
        self.start()

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen(self.command,
                                        stdin=subprocess.DEVNULL)
        fixture.until(lambda: os.path.exists(self.socket),
                      "the filter does not listen")
        os.chmod(self.socket, 0o777)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def told(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()


def message(orders, body="Hello.\n", header=None):
    """A message with ORDERS for the filter."""
    lines = list(header if header is not None else HEADER)
    lines[3:3] = [f"X-Do: {order}" for order in orders]
    return ("\n".join(lines) + "\n\n" + body).encode("utf-8")


def send(port, data, sender="a@example.net", rcpts=("alice@example.org",),
         name="client.example.net"):
    """Send DATA; return the codes of MAIL, each RCPT, and the message; those
    behind one that was refused are missing."""
    with Dialogue(port, greet=False) as dialogue:
        dialogue.reply()
        dialogue.say("EHLO " + name)
        replies = [dialogue.say(f"MAIL FROM:<{sender}>")]
        if replies[0].code == 250:
            replies += [dialogue.say(f"RCPT TO:<{r}>") for r in rcpts]
        if 250 in [r.code for r in replies[1:]]:
            replies.append(dialogue.say("DATA"))
        if replies[-1].code == 354:
            replies[-1] = dialogue.finish(data)
        return [r.codes for r in replies]


def stored(files):
    """The messages in FILES, without what their servers put on top, and with
    the envelope's sender in front.  Postfix inserts at 0 above its own
    Received field, which we cannot, since it is not there yet."""
    found = []
    for path in files:
        headers, text = fixture.take_apart(fixture.read(path))
        text = text.replace(b"\r\n", b"\n")
        text = re.sub(rb"Received: [^\n]*\n(?:[ \t][^\n]*\n)*?[ \t]by [^\n]* "
                      rb"\(Postfix\)[^\n]*\n(?:[ \t][^\n]*\n)*", b"", text)
        found.append(headers[b"Return-Path"] + b"\n" + text)
    return sorted(found)


class Pair:
    """smtpin and Postfix, each with a filter of its own."""

    def __init__(self, *options):
        self.dirs = [tempfile.TemporaryDirectory() for _ in range(2)]
        for directory in self.dirs:
            os.chmod(directory.name, 0o755)
        self.filters = [Filter(d.name, *options) for d in self.dirs]
        self.smtpin = Smtpin(USERS, [
            *fixture.loopback(), "--milter",
            f"unix:{self.filters[0].socket}"])
        self.smtpin.start()
        self.postfix = Postfix(MAIN % self.filters[1].socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.postfix.close()
        self.smtpin.stop()
        self.smtpin.remove()
        for one in self.filters:
            one.stop()
        for directory in self.dirs:
            directory.cleanup()

    def of_postfix(self):
        return glob.glob(self.postfix.dir + "/mail/*/new/*")

    def send(self, data, **envelope):
        """To both; return the replies of each, and what each stored."""
        before = self.smtpin.new(), self.of_postfix()
        replies = [send(port, data, **envelope)
                   for port in (self.smtpin.port, self.postfix.port)]
        new = set(self.smtpin.new()) - set(before[0])
        count = len(new)
        if replies[1][-1].startswith("2"):
            self.settle()
        mine = stored(new)
        theirs = stored(set(self.of_postfix()) - set(before[1]))
        return replies, mine, theirs, count

    def settle(self):
        """Until Postfix has delivered all that it took and does not hold."""
        spool = self.postfix.dir + "/spool/"
        fixture.until(lambda: not any(
            files for name in ("incoming", "active", "maildrop")
            for _, _, files in os.walk(spool + name)),
            "Postfix did not deliver")


ORDERS = [
    [], ["add X-New value"], ["add X-New"], ["insert 0 X-Top a"],
    ["insert 1 X-One a"], ["insert 3 X-Three a\n\tb"],
    ["insert 99 X-Last a"], ["change Subject 1 new"],
    ["change X-Twice 2 new"], ["change x-twice 1 new"],
    ["change X-Twice 3 new"], ["change X-None 1 new"],
    ["change X-Twice 1"], ["change X-Twice 2", "change X-Twice 1"],
    ["change X-Twice 1", "change X-Twice 2"], ["change X-None 1"],
    ["change X-Do 1"], ["replace 0"], ["replace 200000"],
    ["replace 100", "add X-New a", "change Subject 1"],
    ["rcpt+ <bob@example.org>"], ["rcpt- <alice@example.org>",
                                  "rcpt+ bob@example.org"],
    ["rcpt+ bob@example.org", "rcpt+ bob@example.org"],
    ["rcpt- nobody@example.org"], ["from <new@example.net>"], ["from <>"],
    ["progress 3", "add X-New a"], ["add X-New a", "end reject"],
    ["replace 100", "end tempfail"], ["add X-New a", "end discard"],
    ["end accept", "add X-New a"], ["end 550 5.7.9 No such mail"],
    ["header accept", "add X-New a"], ["header reject"],
    ["header tempfail"], ["header discard"],
    ["eoh reject"], ["eoh discard"], ["eoh accept"],
    ["body reject"], ["body 451 4.3.9 Not now"], ["body discard"],
    ["body accept"],
]


def some_orders(chance):
    """A few changes of the header and the envelope, in any order."""
    names = ["Received", "Subject", "X-Twice", "x-twice", "X-Do", "X-New",
             "X-Empty", "To"]
    kinds = [
        lambda: f"add {chance.choice(names)} a{chance.randrange(9)}",
        lambda: f"insert {chance.randrange(1, 20)} {chance.choice(names)} b",
        lambda: f"change {chance.choice(names)} {chance.randrange(1, 4)} c",
        lambda: f"change {chance.choice(names)} {chance.randrange(1, 4)}",
        lambda: f"rcpt+ {chance.choice(['bob', 'carol'])}@example.org",
        lambda: f"rcpt- {chance.choice(['bob', 'alice'])}@example.org",
        lambda: f"replace {chance.choice([0, 70, 70000])}",
        lambda: "progress 1",
    ]
    orders = [chance.choice(kinds)() for _ in range(chance.randrange(1, 9))]
    # Pieces of two bodies, with something between them, are no body.
    bodies = [order for order in orders if order.startswith("replace")]
    return [order for order in orders if order not in bodies[1:]]


class BesidePostfix(unittest.TestCase):
    def check(self, pair, data, what, **envelope):
        replies, mine, theirs, _ = pair.send(data, **envelope)
        self.assertEqual(mine, theirs, what)
        self.assertEqual([r[0] for r in replies[0]],
                         [r[0] for r in replies[1]], (what, replies))

    def run_orders(self, *options, orders=None):
        with Pair(*options) as pair:
            for each in orders or ORDERS:
                with self.subTest(orders=each, options=options):
                    self.check(pair, message(each), each)

    def test_each_action(self):
        self.run_orders()

    def test_actions_in_any_order(self):
        chance = random.Random(14)
        self.run_orders(orders=[some_orders(chance) for _ in range(40)])

    def test_each_action_without_replies(self):
        self.run_orders("no-reply")

    def test_each_action_with_leading_space(self):
        self.run_orders("leading-space")

    def test_macros(self):
        """What both tell of the client and the message is the same, but for
        what each has of its own."""
        own = ("j=", "i=", "v=", "{daemon_name}=", "{mail_", "{rcpt_mailer}=",
               "{rcpt_host}=", "negotiate", "close", "abort")
        with Pair("leading-space") as pair:
            pair.send(message([]))
            told = [[line for line in one.told()
                     if not line.split(" ", 1)[-1].startswith(own)
                     and not line.startswith(own)] for one in pair.filters]
            self.assertIn("connect {client_addr}=127.0.0.1", told[0])
            self.assertIn("mail <a@example.net>", told[0])
            missing = [line for line in told[1] if line not in told[0]]
            self.assertEqual(missing, [])


class Alone(unittest.TestCase):
    """smtpin with filters, without Postfix."""

    def start(self, *options, arguments=()):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(directory, 0o755)
        one = Filter(directory, *options)
        self.addCleanup(one.stop)
        smtpin = self.enterContext(Smtpin(USERS, [
            *fixture.loopback(), "--milter", f"unix:{one.socket}",
            *arguments]))
        return one, smtpin

    def test_refusals_of_commands(self):
        """At MAIL, RCPT and DATA the reply is to that command."""
        _, smtpin = self.start()
        for stage, want in (("mail", 1), ("rcpt", 2), ("data", 3)):
            codes = send(smtpin.port, message([]), f"{stage}=reject@a.example")
            self.assertEqual(codes[want - 1], "550 5.7.1", codes)
            self.assertEqual(len(codes), want)
        self.assertEqual(smtpin.new(), [])

    def test_refused_client(self):
        """What is said of the name in HELO is the reply to MAIL."""
        _, smtpin = self.start()
        codes = send(smtpin.port, message([]), name="reject.example")
        self.assertEqual(codes, ["550 5.7.1"])
        self.assertEqual(smtpin.new(), [])

    def test_reply_of_lines(self):
        """A reply of the filter has all of its lines."""
        _, smtpin = self.start()
        data = message(["end 550 5.7.9 one|two 100%%"])
        with Dialogue(smtpin.port) as dialogue:
            self.assertEqual(dialogue.deliver(data, "alice@example.org"),
                             "550-5.7.9 one\n550 5.7.9 two 100%")

    def test_few_steps(self):
        """What the filter does not want to hear is not told."""
        one, smtpin = self.start("few", "macros")
        self.assertEqual(send(smtpin.port, message(["add X-New a"]))[-1][:3],
                         "250")
        self.assertIn(b"\nX-New: a\n", fixture.read(
            smtpin.new("alice")[0]).replace(b"\r\n", b"\n"))
        words = {line.split()[0] for line in one.told()}
        self.assertLessEqual(words, {"negotiate", "mail", "header", "end",
                                     "close", "abort", "and", "twice"})

    def test_skip(self):
        """No more of the body is told than it wants."""
        one, smtpin = self.start("skip")
        send(smtpin.port, message([], "x" * 70 + "\n" * 200000))
        ends = [line for line in one.told() if re.match(r"end \d", line)]
        self.assertEqual(ends[0].split()[1], "65535")

    def test_large_message(self):
        """All of the body is told."""
        one, smtpin = self.start()
        send(smtpin.port, message([], ("y" * 70 + "\n") * 20000))
        ends = [line for line in one.told() if re.match(r"end \d", line)]
        self.assertEqual(ends[0].split()[1], str(72 * 20000))

    def test_quarantine(self):
        """smtpin has no place for it."""
        _, smtpin = self.start()
        codes = send(smtpin.port, message(["quarantine virus"]))
        self.assertEqual(codes[-1], "550 5.7.1")
        self.assertEqual(smtpin.new(), [])

    def test_new_filter(self):
        """A filter that was started anew is found again, within a session
        too."""
        one, smtpin = self.start()
        with Dialogue(smtpin.port) as dialogue:
            for _ in range(3):
                reply = dialogue.deliver(message([]), "alice@example.org")
                self.assertEqual(reply.code, 250)
                one.stop()
                one.start()

    def test_results_of_others(self):
        """RFC 8601, 5: what came with our own id is removed, and what a filter
        says stays."""
        _, smtpin = self.start()
        field = "Authentication-Results:"
        data = message(
            [f"insert 1 {field[:-1]} mx.example.org; spf=fail"],
            header=[f"{field} mx.example.org; spf=pass", "From: a@b.example",
                    f"{field} other.example; spf=none", "Subject: x",
                    f"{field} (c) MX.example.ORG 1;\n dkim=pass"])
        self.assertEqual(send(smtpin.port, data)[-1][:3], "250")
        text = fixture.read(smtpin.new("alice")[0]).replace(b"\r\n", b"\n")
        self.assertEqual(re.findall(rb"Authentication-Results:.*", text), [
            b"Authentication-Results: mx.example.org; spf=fail",
            b"Authentication-Results: other.example; spf=none"])

    def test_long_header(self):
        """One that cannot be searched for forged results is refused."""
        _, smtpin = self.start()
        data = message([], header=[f"X-{i}: {'y' * 900}" for i in range(80)])
        self.assertEqual(send(smtpin.port, data)[-1], "552 5.3.4")
        self.assertEqual(smtpin.new(), [])

    def test_two_filters(self):
        """The second sees what the first has left."""
        first, smtpin_filter = (self.enterContext(
            tempfile.TemporaryDirectory()) for _ in range(2))
        filters = [Filter(first), Filter(smtpin_filter)]
        for one in filters:
            self.addCleanup(one.stop)
        smtpin = self.enterContext(Smtpin(USERS, [
            *fixture.loopback(), *(word for one in filters for word in
                                   ("--milter", f"unix:{one.socket}"))]))
        for directory in (first, smtpin_filter):
            os.chmod(directory, 0o755)
        send(smtpin.port, message(["add X-New a", "replace 70"]))
        text = fixture.read(smtpin.new("alice")[0])
        self.assertEqual(text.count(b"X-New: a"), 2)
        self.assertIn("header X-New:a", filters[1].told())
        self.assertNotIn("header X-New:a", filters[0].told())
        self.assertIn("end 134 ", "\n".join(filters[1].told()))


class AtSmtpout(unittest.TestCase):
    """smtpout, which SMTPOUT names, with the filter."""

    def answers(self, port):
        try:
            Dialogue(port).quit()
            return True
        except OSError:
            return False

    def test_queue(self):
        """What the filter changes is queued so, what it sets aside is held,
        and what it refuses is not there."""
        program = os.environ.get("SMTPOUT") or fixture.cannot("no smtpout")
        directory = self.enterContext(
            tempfile.TemporaryDirectory(dir="/var/tmp"))
        os.chmod(directory, 0o755)
        one = Filter(directory)
        self.addCleanup(one.stop)
        port = fixture.free_port()
        queue = ["-q", directory + "/queue"]
        process = subprocess.Popen(
            [program, "-a", f"127.0.0.1:{port}", "-H", "out.example.org",
             *queue, "--route", "*=127.0.0.1:9", "--milter",
             f"unix:{one.socket}"], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        fixture.until(lambda: self.answers(port), "smtpout does not listen")
        for orders, codes in ((["quarantine bad", "add X-New a"], "250 2.0.0"),
                              (["end reject"], "550 5.7.1")):
            self.assertEqual(send(port, message(orders))[-1], codes)

        def ask(*words):
            return subprocess.run([program, "queue", *queue, *words],
                                  check=True, capture_output=True,
                                  text=True).stdout
        lines = ask("list").splitlines()
        self.assertIn("1 held", lines[-1])
        text = ask("cat", lines[1].split()[0]).replace("\r\n", "\n")
        self.assertIn("\nX-New: a\n\nHello.\n", text)


OPENDKIM = """\
Socket local:{dir}/socket
Mode s
Domain example.net
Selector sel
KeyFile {dir}/key
InternalHosts {dir}/hosts
Background no
Syslog no
UMask 000
RequireSafeKeys no
"""


class OpenDkim(unittest.TestCase):
    """A milter of the world."""

    def start(self, directory):
        fixture.write(directory + "/conf", OPENDKIM.format(dir=directory))
        fixture.write(directory + "/hosts", "127.0.0.1\n")
        subprocess.run(["openssl", "genrsa", "-out", directory + "/key",
                        "2048"], check=True, capture_output=True)
        process = subprocess.Popen([fixture.need("opendkim"), "-f", "-x",
                                    directory + "/conf"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        fixture.until(lambda: os.path.exists(directory + "/socket"),
                      "OpenDKIM does not listen")

    def test_signature(self):
        """What OpenDKIM signs, each byte of the header as it is, python3-dkim
        verifies."""
        try:
            import dkim  # pylint: disable=import-outside-toplevel
        except ImportError:
            fixture.cannot("python3-dkim is not installed")
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.start(directory)
        smtpin = self.enterContext(Smtpin(USERS, [
            *fixture.loopback(), "--milter", f"unix:{directory}/socket"]))
        self.assertEqual(send(smtpin.port, message([]))[-1][:3], "250")
        public = subprocess.run(
            ["openssl", "rsa", "-in", directory + "/key", "-pubout",
             "-outform", "DER"], check=True, capture_output=True).stdout
        text = fixture.read(smtpin.new("alice")[0])
        self.assertIn(b"DKIM-Signature:", text)
        text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self.assertTrue(dkim.verify(text, dnsfunc=lambda *_, **__:
                                    b"v=DKIM1; p=" + base64.b64encode(public)))


if __name__ == "__main__":
    fixture.main()
