# SPDX-License-Identifier: MIT
"""What smtpout tries again, and when."""

import re
import threading
import time

import smtpin_fixture as fixture
import world
from retry_case import LATER, ZONE, RetryCase
from scripted_server import DROP, STALL, Scripted, after, by_rcpt
from smtpout_fixture import message


class Retries(RetryCase):
    def test_greylisting(self):
        for where in ("greeting", "mail", "rcpt", "data", "dot"):
            with self.subTest(where), Scripted(
                    self.mx1, **{where: after(2, LATER, {
                        "greeting": "220 scripted.example",
                        "data": "354 go"}.get(where, "250 2.0.0 ok"))}) \
                    as server:
                self.submit("bob@one.example")
                server.wait(1, 2 * fixture.WAIT)
                self.smtpout.wait_empty()
                self.assertEqual(len(server.accepted), 1)
        self.assertEqual(self.home.messages(), [])

    def test_mixed_recipients(self):
        """One is taken, one put off and taken later, one refused
        (RFC 5321, 4.5.4.1; RFC 3461, 5.2.6)."""
        server = self.server(rcpt=by_rcpt({
            "later": after(2, "450 4.2.0 busy"),
            "never": "550 5.1.1 nobody"}))
        ident = self.submit("now@one.example", "later@one.example",
                            "never@one.example")
        server.wait(1)
        report, = self.reports()
        self.assertEqual(len(report.rcpts), 1)
        self.assertEqual(report.rcpt("never@one.example")["Status"], "5.1.1")
        server.wait(2)
        self.smtpout.wait_empty()
        self.assertEqual([t.rcpts for t in server.accepted],
                         [["now@one.example"], ["later@one.example"]])
        never = [line for line in server.commands("RCPT") if "never" in line]
        self.assertEqual(len(never), 1)
        self.assertEqual(len(self.home.messages()), 1)
        states = sorted(a["status"]
                        for a in self.smtpout.attempts(ident, 5))
        self.assertEqual(states, ["bounced", "deferred", "deferred", "sent",
                                  "sent"])

    def test_all_refused_at_the_dot(self):
        server = self.server(dot="554 5.6.0 not this")
        self.submit("a@one.example", "b@one.example")
        report, = self.reports()
        for name in "ab":
            self.assertEqual(report.rcpt(f"{name}@one.example")["Status"],
                             "5.6.0")
        self.assertEqual(len(server.taken), 1)

    def test_lost_reply(self):
        """It goes once more, and says so to nobody (RFC 5321, 4.2.5;
        RFC 1047, 3)."""
        server = self.server(dot=after(1, DROP))
        ident = self.submit("bob@one.example")
        server.wait(1, 2 * fixture.WAIT)
        self.smtpout.wait_empty()
        self.assertEqual(len(server.taken), 2)
        self.assertEqual(
            [a["status"] for a in self.smtpout.attempts(ident, 2)],
            ["unknown", "sent"])
        self.assertEqual(self.home.messages(), [])

    def test_lost_reply_is_not_sent_to_another(self):
        """RFC 1047, 3"""
        self.world.zone(ZONE + "pair.example. MX 10 mx1.example.\n"
                        "pair.example. MX 20 mx2.example.\n")
        first = self.server("mx1", dot=after(1, DROP))
        second = self.server("mx2")
        self.submit("bob@pair.example")
        first.wait(1, 2 * fixture.WAIT)
        self.smtpout.wait_empty()
        self.assertEqual(second.taken, [])

    def test_421(self):
        """RFC 5321, 3.8"""
        for where in ("greeting", "ehlo", "mail", "rcpt", "data", "dot"):
            good = {"greeting": "220 hello", "ehlo": "250 hello",
                    "data": "354 go"}.get(where, "250 2.0.0 ok")
            with self.subTest(where), Scripted(
                    self.mx1, **{where: after(1, "421 4.3.2 bye", good)}) \
                    as server:
                self.submit("bob@one.example")
                server.wait(1, 2 * fixture.WAIT)
                self.smtpout.wait_empty()
                self.assertEqual(len(server.accepted), 1)

    def test_down_for_a_while(self):
        idents = [self.submit("bob@one.example") for _ in range(5)]
        self.deferred(idents[0])
        self.assertEqual(self.smtpout.ids(), sorted(idents))
        server = self.server()
        server.wait(5, 2 * fixture.WAIT)
        self.smtpout.wait_empty()

    def test_times_of_retries(self):
        """After 2, 4 and 4 seconds, a tenth more or less
        (RFC 5321, 4.5.4.1)."""
        self.smtpout.restart("--retry-min", "2", "--retry-max", "4")
        server = self.server(rcpt=after(3, LATER))
        self.submit("bob@one.example")
        server.wait(1, 3 * fixture.WAIT)
        # A connection may be kept open from one try to the next.
        tries = self.smtpout.wait_log(r"\bid=.*\brelay=.*\bstatus=", 4)
        times = [seconds_of(line) for line in tries]
        gaps = [b - a for a, b in zip(times, times[1:])]
        print("\nseconds between tries:", gaps, end=" ")
        self.assertEqual(len(gaps), 3)
        for gap, wanted in zip(gaps, (2, 4, 4)):
            # The clock of the queue counts in seconds.
            self.assertGreater(gap, wanted * 0.9 - 1.01)
            self.assertLess(gap, wanted * 1.1 + 5 * fixture.SLOW)

    def test_slow_server_keeps_nobody(self):
        """While one site stalls, others are served."""
        self.smtpout.restart("--command-timeout", "60")
        self.server("mx1", mail=STALL)
        second = self.server("mx2")
        for i in range(30):
            self.submit(f"bob{i}@one.example")
        self.submit("bob@two.example")
        second.wait(1)

    def test_restart_with_a_queue(self):
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        before = self.smtpout.ask("cat", ident)
        self.smtpout.restart()
        self.assertEqual(self.smtpout.ids(), [ident])
        self.assertEqual(self.smtpout.ask("cat", ident), before)
        server = self.server()
        server.wait(1, 2 * fixture.WAIT)
        self.smtpout.wait_empty()

    def test_new_mail_after_a_restart(self):
        server = self.server()
        for i in range(5):
            self.submit("bob@one.example", content=message(f"{i}\n"))
            server.wait(i + 1)
            self.smtpout.restart()
        self.assertEqual(self.smtpout.quarantine(), [])

    def test_sigterm_in_the_midst(self):
        """What a host is just taking is not given to it twice."""
        started, go = threading.Event(), threading.Event()

        def dot(*_):
            started.set()
            go.wait(fixture.WAIT)
            return "250 2.0.0 ok"
        server = self.server(dot=dot)
        self.submit("bob@one.example")
        self.assertTrue(started.wait(fixture.WAIT))
        self.smtpout.process.terminate()
        time.sleep(0.5)
        go.set()
        self.smtpout.ended()
        self.assertEqual(len(server.accepted), 1)
        self.smtpout.start()
        self.assertEqual(self.smtpout.list(), [])
        time.sleep(1.5)
        self.assertEqual(len(server.taken), 1)

    def test_sigterm_while_it_stalls(self):
        """S17: what was not sent is broken off and kept: the stop does not
        take the minute that it gives to a host that has a message."""
        server = self.server(rcpt=STALL)
        ident = self.submit("bob@one.example")
        fixture.until(lambda: server.commands("RCPT"), "no connection")
        began = time.monotonic()
        self.smtpout.stop()
        self.assertLess(time.monotonic() - began, 50)
        server.close()
        again = self.server()
        self.smtpout.start()
        again.wait(1, 2 * fixture.WAIT)
        self.smtpout.wait_empty()
        self.assertTrue(ident)


def seconds_of(line):
    hours, minutes, seconds = re.match(
        r"\S+T(\d+):(\d+):([\d.]+)Z", line).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


if __name__ == "__main__":
    world.main()
