# SPDX-License-Identifier: MIT
"""Each system call of smtpout fails once: while it takes and sends mail, and at
its start with a queue.

Nothing that got its 250 is lost, nothing that was refused is sent, no passing
trouble is told as a final refusal, and it goes on.
"""

import collections
import re

import faults
import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Refused, Smtpout, message

ZONE = "one.example. MX 10 mx1.example.\n"



def content(number):
    """Every second is so large that it gets a file of its own."""
    return message(subject=f"number {number}",
                   text=f"{number}\n" * (30000 if number % 2 else 300))


def number_of(stored):
    return int(re.search(rb"^Subject: number (\d+)", stored, re.M)[1])


class FaultCase(world.WorldCase):
    HOSTS = ("mx1",)

    def setUp(self):
        self.world.zone(ZONE)
        self.faults = faults.Faults(
            faults.preloaded(world.program("smtpout")), self.world.root)
        self.smtpout = Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "1",
            "--queue-segment", "1048576", level="info",
            environment=self.faults.environment)
        self.addCleanup(self.smtpout.remove)
        self.count = 0
        self.accepted, self.refused = set(), set()
        self.arrived = collections.Counter()

    def note(self, taken):
        number = number_of(taken.content)
        body = taken.content.split(b"\n\n", 1)[1]
        if body != content(number).split(b"\n\n", 1)[1]:
            number = -number
        self.arrived[number] += 1

    def attempt(self):
        """Submit a message; the reply that decided, None without one."""
        self.count += 1
        try:
            self.smtpout.submit(content(self.count), "bob@one.example")
        except Refused as refused:
            self.refused.add(self.count)
            return refused.reply
        except OSError:
            return None
        self.accepted.add(self.count)
        return None

    def check_mail(self):
        """What was sent is what the replies said."""
        arrived = set(self.arrived)
        given_up = [line for line in self.smtpout.text().splitlines()
                    if "status=bounced" in line or "status=dead" in line]
        self.assertEqual(self.accepted - arrived, set(), given_up)
        self.assertEqual(self.refused & arrived, set(), "sent")
        self.assertFalse([n for n in arrived if n < 0], "not whole")
        self.assertEqual(self.smtpout.dead(), [])
        self.assertEqual(self.smtpout.quarantine(), [])
        twice = [n for n, count in self.arrived.items() if count > 1]
        print(f"\n{self.count} messages, {len(self.refused)} refused, "
              f"{len(twice)} sent twice", end=" ")


class Sending(FaultCase):
    def test_each_call_fails(self):
        self.enterContext(Scripted(self.mx1, on_taken=self.note))
        self.smtpout.start()

        def send(call, error):
            reply = self.attempt()
            if reply is not None:
                self.assertLess(reply.code, 500, reply)
            taken = self.count in self.accepted
            if self.faults.harmless(call, error):
                self.assertTrue(taken, reply)
            if taken:
                # With its delivery, unless that has to wait for a second try.
                fixture.until(lambda: self.arrived[self.count]
                              or self.faults.failed, "it did not arrive")

        def work(call, error):
            send(call, error)
            send(call, error)
            self.assertIsNone(self.smtpout.process.poll())
        self.faults.rounds(work)
        self.attempt()
        self.assertIn(self.count, self.accepted)
        self.smtpout.flush_until(lambda: not self.smtpout.list(),
                                 "the queue is not empty")
        self.smtpout.stop()
        self.check_mail()


class Starting(FaultCase):
    def test_each_call_fails(self):
        """It starts, or it says why not with a status of its manual; the queue
        that it finds is there at the next start, whole."""
        self.smtpout.start()
        for _ in range(30):
            self.attempt()
        self.assertEqual(len(self.accepted), 30)
        self.smtpout.stop()

        def work(call, error):
            if self.faults.start(
                    self.smtpout, call, error,
                    lambda: self.smtpout.text().count("listening") > 1):
                self.smtpout.stop()
        self.faults.rounds(work)
        self.enterContext(Scripted(self.mx1, on_taken=self.note))
        self.smtpout.start()
        self.smtpout.flush_until(lambda: not self.smtpout.list(),
                                 "the queue is not empty")
        self.smtpout.stop()
        self.check_mail()


if __name__ == "__main__":
    world.main()
