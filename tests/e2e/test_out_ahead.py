# SPDX-License-Identifier: MIT
"""The commands of the next message behind the content of the one before (RFC
2920, 3.1): a round trip a message, and nothing of it before the outcome of
that is recorded."""

import threading

import smtpin_fixture as fixture
import world
from scripted_server import DROP, Scripted
from smtpout_fixture import Smtpout, message

ZONE = "site.example. MX 10 mx1.example.\n"
COUNT = 8


class Impatient:
    """Rules of a host that replies to a content only when the next message was
    begun behind it, but for the last one of COUNT; and greets only when it may.
    DOTS are its other replies, by the number of the content."""

    def __init__(self, dots=None, count=COUNT):
        self.ready = threading.Event()
        self.dots = dots or {}
        self.count = count
        self.number = 0
        self.behind = []

    def greeting(self, *_):
        self.ready.wait(fixture.WAIT)
        return "220 scripted.example ESMTP"

    def dot(self, session, _):
        self.number += 1
        if self.number < self.count:
            self.behind.append(session.file.peek(1)[:4])
        reply = self.dots.get(self.number, "250 2.0.0 taken")
        return reply() if callable(reply) else reply


class Ahead(world.WorldCase):
    def setUp(self):
        self.world.zone(ZONE)

    def run_smtpout(self, rules):
        """All messages are there before the host says a word."""
        self.host = self.enterContext(Scripted(
            self.mx1, greeting=rules.greeting, dot=rules.dot))
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "1",
            "--site-connections", "1", level="info"))
        with self.smtpout.client() as client:
            for i in range(COUNT):
                client.submit(message(), f"user{i}@site.example")
        rules.ready.set()

    def rcpts(self):
        return sorted(t.rcpts[0].partition("@")[0] for t in self.host.accepted)

    def everyone(self):
        return [f"user{i}" for i in range(COUNT)]

    def test_one_round_trip(self):
        rules = Impatient()
        self.run_smtpout(rules)
        self.smtpout.wait_empty()
        self.assertEqual(self.rcpts(), self.everyone())
        self.assertEqual(rules.behind, [b"MAIL"] * (COUNT - 1))
        self.assertEqual(len(self.host.sessions), 1)

    def test_killed_while_one_is_ahead(self):
        """RFC 5321, 6.1: a kill repeats the message whose reply was lost, and
        not the one that had gone ahead behind it."""
        rules = Impatient()

        def kill():
            self.smtpout.kill()
            return "250 2.0.0 taken, but who knows"
        rules.dots[3] = kill
        self.run_smtpout(rules)
        fixture.until(lambda: rules.number == 3 and
                      self.smtpout.process.poll() is not None,
                      "it was not killed")
        rules.count = 0
        self.smtpout.start()
        self.smtpout.wait_empty()
        twice = self.rcpts()
        for name in self.everyone():
            self.assertIn(name, twice)
            twice.remove(name)
        self.assertEqual(len(twice), 1)

    def test_what_went_ahead_is_untried(self):
        """The host ends the session: one message was tried, the other, which
        had gone ahead, was not."""
        rules = Impatient({3: "421 4.3.2 that was enough"})
        self.run_smtpout(rules)
        # They come in another order then.
        fixture.until(lambda: rules.number >= 3, "nothing came")
        rules.count = 0
        self.smtpout.wait_empty()
        self.assertEqual(self.rcpts(), self.everyone())
        self.assertEqual(len(self.smtpout.said("attempt=2")), 1)
        self.assertEqual(self.smtpout.said("attempt=3"), [])

    def test_lost_at_the_dot(self):
        """One message is in doubt then, not two."""
        rules = Impatient({3: DROP})
        self.run_smtpout(rules)
        fixture.until(lambda: rules.number >= 3, "nothing came")
        rules.count = 0
        self.smtpout.wait_empty()
        self.assertEqual(self.rcpts(), self.everyone())
        self.assertEqual(len(self.smtpout.said("attempt=2")), 1)


if __name__ == "__main__":
    world.main()
