# SPDX-License-Identifier: MIT
"""Messages that were converted for hosts without 8BITMIME, as python's email
package reads them: each part has the same octets as before.  The program that
converts is the only argument."""

import email
import email.policy
import os
import random
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop()
MESSAGES = int(os.environ.get("MIME_MESSAGES", "400"))
FIRST = int(os.environ.get("MIME_FIRST", "0"))

TEXTS = ["Grüße\r\n", "plain\r\n", "-- \r\n", "--B\r\n", "--B=C3\r\n", ".\r\n",
         "Ωμέγα " * 30 + "\r\n", "a" * 1200 + "\r\n", "=\r\n", "a=b\r\n",
         "ends in blanks  \t\r\n", "\r\n", "no end, ü",
         "x" * 74 + "--B=C3=A4\r\n", "b" * 75 + "--A--\r\n", "Ü: is no field\r\n"]
BOUNDARIES = ["A", "B", "B=C3", "A?b", "=_Part (1)", "B" * 70, "A-long" * 20]
LABELS = ["", "7bit", "8bit", "8BIT", "binary", "8bit (it is)"]


def convert(data, how="7bit"):
    need, out = subprocess.run([PROGRAM, how], input=data, check=True,
                               stdout=subprocess.PIPE,
                               timeout=60).stdout.split(b"\n", 1)
    return need.decode(), out


def parse(data):
    return email.message_from_bytes(data, policy=email.policy.compat32)


def leaves(message):
    """What readers see of each part: its type, its name and its octets."""
    return [(p.get_content_type(), p.get_filename(),
             p.get_payload(decode=True)) for p in message.walk()
            if not p.is_multipart()]


def encodings(message):
    return [str(p.get("Content-Transfer-Encoding", "7bit")).lower()
            for p in message.walk()]


class Generator:
    """A message that nobody thought of."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = iter(range(1000))

    def text(self):
        return "".join(self.random.choices(
            TEXTS, k=self.random.randint(0, 6))).encode()

    def octets(self):
        return self.random.randbytes(self.random.randint(0, 300)).replace(
            b"\r", b"").replace(b"\n", b"\r\n")

    def labels(self, kind, content_type):
        label = self.random.choice(LABELS)
        fields = []
        if content_type:
            name = self.random.choice(["Content-Type", "content-type"])
            fields.append(f"{name}: {content_type}")
        if label:
            fields.append(f"Content-Transfer-Encoding: {label}")
        if kind == "leaf" and self.random.random() < .3:
            fields.append(
                f'Content-Disposition: attachment; filename="{next(self.numbers)}"')
        self.random.shuffle(fields)
        return "".join(f + "\r\n" for f in fields).encode()

    def leaf(self):
        choice = self.random.randrange(4)
        if choice == 0:
            return (self.labels("leaf", "application/octet-stream") + b"\r\n"
                    + self.octets())
        if choice == 1:
            return self.labels("leaf", None) + b"\r\n" + self.text()
        return (self.labels("leaf", self.random.choice(
            ["text/plain", "text/plain; charset=utf-8", "TEXT / HTML",
             "(a) text/plain; charset=latin-1 (b)"])) + b"\r\n" + self.text())

    def message(self, depth):
        return (b"Subject: inner\r\nMIME-Version: 1.0\r\n"
                + self.entity(depth + 1))

    def multipart(self, depth):
        boundary = self.random.choice(BOUNDARIES)
        out = self.labels("multipart", "multipart/mixed;\r\n boundary="
                          f'"{boundary}"') + b"\r\n"
        line = b"--" + boundary.encode()
        if self.random.random() < .3:
            out += "Präambel\r\n".encode()
        for i in range(self.random.randint(1, 3)):
            out += line + b"\r\n" + self.entity(depth + 1) + b"\r\n"
        if self.random.random() < .9:
            out += line + b"--\r\n"
            if self.random.random() < .3:
                out += ("Epilog, ü " * 200).encode() + b"\r\n"
        return out

    def entity(self, depth):
        choice = self.random.random() * (1 if depth < 4 else .5)
        if choice < .5:
            return self.leaf()
        if choice < .6:
            return (self.labels("message", "message/rfc822") + b"\r\n"
                    + self.message(depth))
        return self.multipart(depth)

    def whole(self):
        out = b"From: a@example.org\r\nSubject: x\r\n"
        if self.random.random() < .7:
            out += b"MIME-Version: 1.0\r\n"
        out += self.entity(0)
        return out if out.endswith(b"\r\n") else out + b"\r\n"


class Converted(unittest.TestCase):
    def check_octets(self, data, how="7bit"):
        need, out = convert(data, how)
        self.assertEqual(leaves(parse(out)), leaves(parse(data)))
        return need, out

    def check_7bit(self, data):
        need, out = self.check_octets(data)
        if need in ("fixed", "barred"):
            return need
        self.assertTrue(out.isascii())
        self.assertLessEqual(max(map(len, out.split(b"\r\n"))), 998)
        self.assertTrue({"8bit", "binary"}.isdisjoint(encodings(parse(out)))
                        or need == "nothing")
        for p in parse(out).walk():
            if p.is_multipart():
                self.assertIn(str(p.get("Content-Transfer-Encoding", "7bit")),
                              ["7bit", *(LABELS if need == "nothing" else [])])
        self.assertEqual(convert(out), ("nothing", out))
        return need

    def test_generated(self):
        needs = set()
        for seed in range(FIRST, FIRST + MESSAGES):
            with self.subTest(seed=seed):
                data = Generator(seed).whole()
                needs.add(self.check_7bit(data))
                self.check_octets(data, "8bit")
        if MESSAGES > 100:
            self.assertLessEqual({"nothing", "conversion"}, needs)

    def test_smallest(self):
        need, out = convert("Subject: x\r\n\r\nGrüße\r\n".encode())
        self.assertEqual(need, "conversion")
        message = email.message_from_bytes(out, policy=email.policy.default)
        self.assertEqual(message.get_content(), "Grüße\r\n")
        self.assertEqual(message["MIME-Version"], "1.0")


if __name__ == "__main__":
    unittest.main()
