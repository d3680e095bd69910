# SPDX-License-Identifier: MIT
"""kill -9 in the middle of a load: what got its 250 is there, and whole.

KILL_ROUNDS (20) sets how often; SEED repeats a run.
"""

import hashlib
import os
import random
import re
import threading
import time
import unittest

import smtpin_fixture as fixture

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
CLIENTS = 10


def make_message(number, rng):
    """A message that says itself what it must be."""
    body = b"".join(b"%x\n" % rng.getrandbits(rng.randint(1, 280))
                    for _ in range(rng.choice((0, 1, 20, 500, 3000))))
    return (b"Subject: kill\nX-Id: %d\nX-Length: %d\nX-Digest: %s\n\n"
            % (number, len(body),
               hashlib.sha256(body).hexdigest().encode("ascii"))) + body


def check_message(path):
    """The number of a stored message; an exception if it is not whole."""
    _, message = fixture.take_apart(fixture.read(path))
    match = re.fullmatch(
        rb"Subject: kill\nX-Id: (\d+)\nX-Length: (\d+)\nX-Digest: (\w+)\n"
        rb"\n(.*)", message, re.S)
    if match is None or len(match[4]) != int(match[2]) \
            or hashlib.sha256(match[4]).hexdigest().encode() != match[3]:
        raise AssertionError(f"partial: {path}: {message[:200]}")
    return int(match[1])


class Ledger:
    """What was sent to whom, and what of it was accepted."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.accepted = {}

    def number(self):
        with self.lock:
            self.next += 1
            return self.next

    def accept(self, number, users):
        with self.lock:
            self.accepted[number] = users


class Kill(unittest.TestCase):
    def setUp(self):
        self.smtpin = fixture.Smtpin(level="info", users=fixture.USERS)
        self.addCleanup(self.smtpin.remove)
        self.ledger = Ledger()

    def client(self, port, seed):
        """Deliver until the server is gone."""
        rng = random.Random(seed)
        try:
            with fixture.Dialogue(port) as dialogue:
                while True:
                    users = rng.choice((["alice"], ["bob"],
                                        ["alice", "bob"]))
                    number = self.ledger.number()
                    reply = dialogue.deliver(
                        make_message(number, rng),
                        *[user + "@example.org" for user in users])
                    if reply.code == 250:
                        self.ledger.accept(number, users)
        except OSError:
            pass

    def one_round(self, rng):
        before = len(self.ledger.accepted)
        self.smtpin.start()
        threads = [threading.Thread(
            target=self.client, args=(self.smtpin.port, rng.random()))
            for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        fixture.until(lambda: len(self.ledger.accepted) > before + 1,
                      "no two messages are accepted")
        time.sleep(rng.uniform(0.05, 0.5) * fixture.SLOW)
        self.smtpin.kill()
        for thread in threads:
            thread.join()

    def test_kill(self):
        """RFC 5321, 6.1"""
        rng = random.Random(SEED)
        for turn in range(ROUNDS):
            self.one_round(rng)
            with self.subTest(turn=turn, seed=SEED):
                self.check()
        self.assertGreater(len(self.ledger.accepted), ROUNDS)
        # It starts again after all of that, and ends well.
        self.smtpin.start()
        self.smtpin.stop()

    def check(self):
        found = {user: {} for user in ("alice", "bob")}
        for user, numbers in found.items():
            for path in self.smtpin.new(user):
                number = check_message(path)
                self.assertNotIn(number, numbers, "stored twice")
                numbers[number] = path
        for number, users in self.ledger.accepted.items():
            for user in users:
                self.assertIn(number, found[user], "accepted and lost")


if __name__ == "__main__":
    fixture.main()
