# SPDX-License-Identifier: MIT
"""smtpin --check: the TLSA records to publish, and those that the DNS has."""

import os
import subprocess

import world
from receivers import Authority
from signed_world import SignedWorld


class Tlsa(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        cls.world = SignedWorld()
        cls.addClassCleanup(cls.world.close)
        cls.ca = Authority(os.path.join(cls.world.root, "ca"))
        cls.users = os.path.join(cls.world.root, "users")
        with open(cls.users, "w", encoding="ascii") as file:
            file.write("ann : ann@dane\n")
        cls.pairs = [cls.ca.self_signed("mx.dane", name)
                     for name in ("first", "second", "third")]

    def check(self, *pairs, name="mx.dane", dns="127.0.0.1"):
        """What --check says with PAIRS."""
        options = [word for cert, key in pairs
                   for word in ("--tls-cert", cert, "--tls-key", key)]
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("smtpin"), "--check", "--loopback", "--maildir",
                 self.world.root + "/%u/Maildir", "--hostname", name,
                 "--users", self.users,
                 "--dns", dns, *options],
                capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr + done.stdout

    def record(self, pair, name="mx.dane"):
        """The one that it prints for PAIR."""
        lines = [line for line in self.check(pair, name=name).splitlines()
                 if "for DANE publish: " in line]
        self.assertEqual(len(lines), 1)
        return lines[0].split("publish: ")[1]

    def test_policy_of_mta_sts(self):
        """RFC 8461, 3.1; RFC 8461, 3.2: a record for each domain, and the
        policy that lists this host; nothing without TLS."""
        said = self.check(self.pairs[0])
        self.assertRegex(said, r'publish: _mta-sts\.dane\. IN TXT '
                         r'"v=STSv1; id=[0-9a-f]{16};" and, as '
                         r"https://mta-sts\.dane/\.well-known/mta-sts\.txt")
        lines = [line.rpartition("    ")[2] for line in said.splitlines()]
        for line in ("version: STSv1", "mode: testing", "mx: mx.dane",
                     "max_age: 604800"):
            self.assertIn(line, lines)
        self.assertNotIn("MTA-STS", self.check())

    def test_what_it_prints_is_what_it_wants(self):
        self.world.zone("")
        first, second, third = (self.record(pair) for pair in self.pairs)
        self.assertRegex(first,
                         r"^_25\._tcp\.mx\.dane\. IN TLSA 3 1 1 [0-9a-f]{64}$")
        self.assertIn("has no TLSA records of mx.dane",
                      self.check(self.pairs[0]))

        self.world.zone(first)
        said = self.check(self.pairs[0])
        self.assertNotIn("in the DNS", said)
        self.assertNotIn("no TLSA records", said)

        # A certificate that was replaced too early.
        said = self.check(self.pairs[1])
        self.assertIn("senders that do DANE deliver nothing", said)
        self.assertIn(second.rsplit(" ", 1)[1], said)

        # A roll-over: before, and after.
        self.world.zone(first + "\n" + second)
        for pair in self.pairs[:2]:
            said = self.check(pair)
            self.assertNotIn("deliver nothing", said)
            self.assertIn("is of no certificate here", said)

        # Each of two certificates needs one.
        self.world.zone(first + "\n" + third)
        said = self.check(*self.pairs[:2])
        self.assertEqual(said.count("deliver nothing"), 1)
        self.assertEqual(said.count("is of no certificate here"), 1)

    def test_without_signatures(self):
        record = self.record(self.pairs[0], "mx.plain")
        self.world.zone(record)
        self.assertIn("without signatures senders ignore them",
                      self.check(self.pairs[0], name="mx.plain"))

    def test_no_answer(self):
        self.assertIn("cannot be looked up",
                      self.check(self.pairs[0], dns="127.0.0.1:9"))


if __name__ == "__main__":
    world.main()
