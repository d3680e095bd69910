# SPDX-License-Identifier: MIT
"""How much a site gets: its connections over equal hosts, the limits that it is
given, and those that it is seen to have."""

import json
import threading
import time

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

ZONE = """
three.example.	MX 10 mx1.example.
three.example.	MX 10 mx2.example.
three.example.	MX 10 mx3.example.
other.example.	MX 20 mx3.example.
other.example.	MX 20 mx1.example.
other.example.	MX 20 mx2.example.
one.example.	MX 10 mx1.example.
two.example.	MX 10 mx2.example.
sub.two.example.	MX 10 mx2.example.
"""


class Gauge:
    """How many are inside at a time; a rule for the end of a message that
    waits there for a moment."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self, session, _):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return "250 2.0.0 taken"


class Throttled:
    """Rules of a host that takes RATE messages in a second, and EACH over one
    connection."""

    def __init__(self, rate, each):
        self.rate = rate
        self.each = each
        self.lock = threading.Lock()
        self.attempts = self.second = self.taken = 0
        self.refused_at = None

    def mail(self, session, _):
        with self.lock:
            self.attempts += 1
            session.mails = getattr(session, "mails", 0) + 1
            if session.mails > self.each:
                return "421 4.3.2 that was enough, come again"
            if int(time.monotonic()) != self.second:
                self.second, self.taken = int(time.monotonic()), 0
            if self.taken == self.rate:
                self.refused_at = self.refused_at or time.monotonic()
                return "450 4.7.1 rate limit exceeded, slow down"
            self.taken += 1
            return "250 2.1.0 ok"


def mails_of(session):
    return len([c for c in session.commands if c.startswith("MAIL")])


class Shaping(world.WorldCase):
    def setUp(self):
        self.world.zone(ZONE)

    def server(self, name, **rules):
        return self.enterContext(
            Scripted(self.world.hosts[name], **rules))

    def run_smtpout(self, *arguments):
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "2", "--retry-max", "4", *arguments,
            level="info"))

    def submit_many(self, count, *domains):
        with self.smtpout.client() as client:
            for i in range(count):
                client.submit(
                    message(), f"user{i}@{domains[i % len(domains)]}")

    def stats(self, site):
        """What is known of the site whose name begins with SITE."""
        lines = self.smtpout.ask("stats", "--json").splitlines()
        found, = [s for s in map(json.loads, lines[1:])
                  if s["site"].startswith(site)]
        return found

    def test_equal_hosts_share_the_load(self):
        """Ten connections at most, of all domains with these hosts, spread
        over them (RFC 5321, 5.1)."""
        gauge = Gauge(0.05)
        servers = [self.server(f"mx{i}", dot=gauge) for i in (1, 2, 3)]
        self.run_smtpout()
        self.submit_many(400, "three.example", "other.example")
        self.smtpout.wait_empty()
        sessions = [len(s.sessions) for s in servers]
        taken = [len(s.accepted) for s in servers]
        print(f"\nconnections {sessions}, messages {taken}, at a time "
              f"{gauge.most}", end=" ")
        self.assertEqual(sum(taken), 400)
        self.assertGreaterEqual(gauge.most, 8)
        self.assertLessEqual(gauge.most, 10)
        # Those that begin at the same moment may choose the same one.
        for of_host, all_of_them in ((min(sessions), sum(sessions)),
                                     (min(taken), 400)):
            self.assertGreaterEqual(of_host, all_of_them / 12)

    def test_given_limits(self):
        """--limit: the first that fits; domains with other limits are another
        site."""
        gauge = Gauge(0.02)
        first = self.server("mx1", dot=gauge)
        second = self.server("mx2")
        self.run_smtpout(
            "--limit", "one.example:connections=1,rcpts=2,messages=3",
            "--limit", ".two.example:connections=2",
            "--limit", "mx:mx2.example:rate=5/s", "--limit", "*:rate=1/h")
        self.smtpout.submit(
            message(), *[f"rcpt{i}@one.example" for i in range(7)])
        self.submit_many(9, "one.example")
        self.submit_many(20, "two.example")
        self.submit_many(20, "sub.two.example")
        self.smtpout.wait_empty()
        self.assertEqual(gauge.most, 1)
        self.assertEqual(max(len(t.rcpts) for t in first.accepted), 2)
        self.assertLessEqual(max(map(mails_of, first.sessions)), 3)
        paced = [t.time for t in second.accepted
                 if t.rcpts[0].endswith("@two.example")]
        free = [t.time for t in second.accepted
                if t.rcpts[0].endswith("@sub.two.example")]
        self.assertEqual([len(paced), len(free)], [20, 20])
        # Four lots of five, each in a second of its own: the first may be
        # at the end of it.
        self.assertGreaterEqual(paced[-1] - paced[0], 1.5)
        self.assertLess(free[-1], paced[-1])

    def test_connection_rate(self):
        host = self.server("mx1", one_message=True)
        self.run_smtpout("--limit", "*:connection-rate=2/s")
        self.submit_many(8, "one.example")
        host.wait(8)
        started = [s.started for s in host.sessions]
        self.assertGreaterEqual(started[-1] - started[0], 1.5)
        site = self.stats("mx1.example")
        self.assertEqual(site["connection_rate"], 2)
        self.assertIsNone(site["rate"])

    def test_throttled_receiver(self):
        """421 after 20 messages, 450 beyond 50 in a second: both are learned,
        and it takes no more than 1.2 attempts a message."""
        rules = Throttled(50, 20)
        host = self.server("mx1", mail=rules.mail)
        self.run_smtpout()
        self.submit_many(250, "one.example")
        # It is raised later, until the next refusal.
        rate = fixture.until(
            lambda: rules.refused_at is not None
            and self.stats("mx1.example")["learned_rate"],
            "no rate is learned")
        found = time.monotonic() - rules.refused_at
        self.smtpout.wait_empty()
        site = self.stats("mx1.example")
        text = self.smtpout.ask("stats")
        print(f"\n{rules.attempts / 250:.3f} attempts a message, a rate after "
              f"{found:.1f} s: {rate:.1f}", end=" ")
        self.assertEqual(len(host.accepted), 250)
        self.assertLessEqual(rules.attempts, 1.2 * 250)
        self.assertLess(found, 60)
        self.assertGreater(rate, 15)
        self.assertLess(rate, 75)
        self.assertEqual(site["learned_connection_messages"], 20)
        # A message that came too fast has not failed: its next try is the
        # first one yet, as soon as the site takes mail again.
        self.assertFalse(self.smtpout.said(r"attempt=[2-9]"))
        self.assertRegex(text, "^messages=0 attempts=")
        self.assertRegex(text, r"(?m)^mx1\.example: \d+ of \d+ connections, "
                         r"[\d.]+ messages/s learned, "
                         "20 messages a connection learned")

    def test_announced_limits(self):
        """RFC 9422"""
        host = self.server("mx1", ehlo="250-scripted.example\r\n"
                           "250 LIMITS MAILMAX=30 RCPTMAX=4")
        self.run_smtpout()
        self.smtpout.submit(
            message(), *[f"rcpt{i}@one.example" for i in range(10)])
        host.wait(3)
        fixture.until(
            lambda: self.stats("mx1.example")["announced_recipients"],
            "nothing is known")
        site = self.stats("mx1.example")
        self.assertEqual(site["announced_recipients"], 4)
        self.assertEqual(site["announced_connection_messages"], 30)
        self.assertIsNone(site["learned_rate"])
        self.assertIsNone(site["suspended_until"])

    def test_stats_need_a_daemon(self):
        self.run_smtpout()
        self.smtpout.stop()
        asked = self.smtpout.try_ask("stats")
        self.assertEqual(asked.returncode, 69)
        self.assertIn("nothing is known", asked.stderr)


if __name__ == "__main__":
    world.main()
