#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""smtpin with a filter on libmilter, which does to a message what that asks
for, beside Postfix with the same filter: both must store the same."""

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


if __name__ == "__main__":
    fixture.main()
