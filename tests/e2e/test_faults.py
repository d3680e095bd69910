# SPDX-License-Identifier: MIT
"""Each system call of smtpin fails once: while it serves, and at its start.

Nothing that got its 250 is lost, nothing that was refused is kept, no passing
trouble is told as a final refusal, and it goes on.
"""

import re
import tempfile
import unittest

import faults
import smtpin_fixture as fixture

USERS = {"alice": "alice@example.org", "bob": "bob@example.org"}


def content(number):
    """A message of more than one buffer."""
    return fixture.plain(subject=f"number {number}",
                         text="x" * 70 + "\n" + "y" * 70 + "\n" * 400)


class FaultCase(unittest.TestCase):
    def setUp(self):
        self.root = self.enterContext(
            tempfile.TemporaryDirectory(prefix="smtpin-faults."))
        self.faults = faults.Faults(
            faults.preloaded(fixture.program()), self.root)
        self.smtpin = fixture.Smtpin(
            root=self.root, arguments=["-a", "127.0.0.1:0"],
            prefix=["env"] + [f"{name}={value}" for name, value
                              in self.faults.environment.items()])
        self.addCleanup(self.smtpin.remove)
        self.count = 0
        self.stored, self.refused = set(), set()

    def attempt(self):
        """Send a message; the reply that decided, None without one."""
        self.count += 1
        try:
            with fixture.Dialogue(self.smtpin.port, greet=False) as client:
                reply = self.converse(client)
        except OSError:
            return None
        kept = self.stored if reply.code == 250 else self.refused
        kept.add(self.count)
        return reply

    def converse(self, client):
        reply = client.reply()
        for line in ("EHLO client.example.net",
                     "MAIL FROM:<sender@example.net>",
                     *(f"RCPT TO:<{to}>" for to in USERS.values()), "DATA"):
            if reply.code >= 400:
                return reply
            reply = client.say(line)
        if reply.code != 354:
            return reply
        return client.finish(content(self.count))

    def check_alive(self):
        self.faults.clear()
        reply = self.attempt()
        self.assertTrue(reply and reply.code == 250, reply)

    def check_mail(self):
        """The Maildirs have what the replies said."""
        for user in USERS:
            found = set()
            for path in self.smtpin.new(user):
                text = fixture.take_apart(fixture.read(path))[1]
                number = int(re.search(rb"Subject: number (\d+)", text)[1])
                self.assertEqual(text, content(number))
                self.assertNotIn(number, found, "twice")
                found.add(number)
            self.assertEqual(self.stored - found, set(), "lost")
            self.assertEqual(self.refused & found, set(), "kept")


class Serving(FaultCase):
    def test_each_call_fails(self):
        self.smtpin.start()
        self.check_alive()

        def work(call, error):
            reply = self.attempt()
            if reply is not None:
                self.assertLess(reply.code, 500, reply)
            if self.faults.harmless(call, error):
                self.assertTrue(reply and reply.code == 250, reply)
            self.assertIsNone(self.smtpin.process.poll())
        self.faults.rounds(work)
        self.check_alive()
        self.check_mail()
        self.smtpin.stop()
        print(f"\n{self.count} messages, {len(self.refused)} refused",
              end=" ")


class Starting(FaultCase):
    def test_each_call_fails(self):
        """It starts, or it says why not with a status of its manual."""
        started = []

        def work(call, error):
            if not self.faults.start(self.smtpin, call, error,
                                     self.smtpin.addresses):
                return
            started.append(error)
            if self.smtpin.addresses():
                self.check_alive()
            self.smtpin.stop()
        self.faults.rounds(work)
        self.check_mail()
        print(f"\n{len(started)} starts", end=" ")


if __name__ == "__main__":
    fixture.main()
