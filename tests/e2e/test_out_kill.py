# SPDX-License-Identifier: MIT
"""kill -9 in a burst of mail: what got its 250 arrives, and twice only where
a host had taken it and the kill came before that was noted.  SIGSTOP likewise:
who is stopped for a while loses nothing.

KILL_ROUNDS (20) sets how often; SEED repeats a run; KILL_BURST (2000) is how
many messages come in before a kill at most.
"""

import collections
import hashlib
import os
import random
import re
import signal
import threading
import time
import unittest

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from scripted_server import STALL, Scripted
from smtpout_fixture import Refused, Smtpout

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
BURST = int(os.environ.get("KILL_BURST", "2000"))
CLIENTS = 8
SITES = 3
CONNECTIONS = 4

ZONE = "".join(f"site{i}.example. MX 10 mx{i}.example.\n"
               for i in range(1, SITES + 1)) + """
home.example. MX 10 home.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
"""


def make(number, rng):
    """A message that says what it must be; some are large enough for a file
    of their own."""
    size = rng.choice((0, 100, 100, 1000, 1000, 1000, 1000, 5000, 5000,
                       30000, 150000))
    body = b"".join(b"%064x\n" % rng.getrandbits(256)
                    for _ in range(size // 65))
    digest = hashlib.sha256(body).hexdigest().encode()
    return (b"From: <alice@home.example>\nSubject: kill\nX-Id: %d\n"
            b"X-Digest: %s\n\n" % (number, digest)) + body


def check_whole(content):
    """The number of a message; an exception if it is not whole."""
    match = re.search(rb"^X-Id: (\d+)\nX-Digest: (\w+)$", content, re.M)
    body = content.split(b"\n\n", 1)[1]
    if match is None or hashlib.sha256(body).hexdigest().encode() \
            != match[2]:
        raise AssertionError(f"not whole: {content[:500]}")
    return int(match[1])


class KillCase(world.WorldCase):
    HOSTS = ("mx1", "mx2", "mx3", "home")

    def setUp(self):
        self.world.zone(ZONE)
        self.smtpout = Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "1",
            "--connect-timeout", "2", "--site-connections",
            str(CONNECTIONS), *self.small_segments(), level="info")
        self.addCleanup(self.smtpout.remove)
        self.lock = threading.Lock()
        self.next = 0
        self.accepted = {}
        self.sent = set()

    def small_segments(self):
        return []

    def number(self):
        with self.lock:
            self.next += 1
            return self.next

    def client(self, seed, limit):
        """Submit until the daemon is gone."""
        rng = random.Random(seed)
        try:
            with self.smtpout.client() as client:
                for _ in range(limit):
                    number = self.number()
                    sites = rng.sample(range(1, SITES + 1),
                                       rng.choice((1, 1, 2)))
                    rcpts = [f"user@site{i}.example" for i in sites]
                    with self.lock:
                        self.sent.add(number)
                    client.submit(make(number, rng), *rcpts)
                    with self.lock:
                        self.accepted[number] = rcpts
        except (OSError, Refused):
            pass

    def burst(self, rng, kill, limit=BURST):
        """A crowd of clients, and KILL() at a random moment of it."""
        threads = [threading.Thread(
            target=self.client, args=(rng.random(), limit // CLIENTS))
            for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.02, 0.6) * fixture.SLOW)
        kill()
        for thread in threads:
            thread.join()

    @staticmethod
    def pause(process, seconds):
        """Stop it for a while, all its threads at once."""
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        time.sleep(seconds)

    def drain(self):
        """Start it, and let it deliver all it has."""
        self.smtpout.start()
        self.smtpout.ask("flush")
        self.smtpout.wait_empty(120 * fixture.SLOW)

    def compare(self, arrived, kills):
        """ARRIVED counts (number, recipient).  Print the duplicates."""
        lost = [(n, r) for n, rcpts in self.accepted.items() for r in rcpts
                if (n, r) not in arrived]
        self.assertEqual(lost, [], f"{len(lost)} accepted and lost")
        # What got no 250 may be there all the same: the kill came between.
        strangers = {n for n, _ in arrived} - self.sent
        self.assertEqual(strangers, set())
        more = sum(count - 1 for count in arrived.values())
        # One message of each connection.
        bound = kills * SITES * CONNECTIONS
        print(f"\n{len(self.accepted)} accepted, {kills} kills, "
              f"{more} arrived twice (at most {bound}), seed {SEED}",
              end=" ")
        self.assertLessEqual(more, bound)
        self.assertEqual(self.smtpout.damage(), [])
        self.assertEqual(self.smtpout.dead(), [])


class KillSmtpout(KillCase):
    def serve_all(self):
        """Hosts that count what arrives, and what of it was not whole."""
        arrived = collections.Counter()
        broken = []

        def note(taken):
            """Only what is needed of so many is kept."""
            try:
                number = check_whole(taken.content)
            except AssertionError as error:
                broken.append(error)
                return
            taken.content = b""
            with self.lock:
                for rcpt in taken.rcpts:
                    arrived[number, rcpt] += 1
        for i in range(1, SITES + 1):
            self.enterContext(Scripted(self.world.hosts[f"mx{i}"],
                                       on_taken=note))
        return arrived, broken

    def test_kill(self):
        """RFC 5321, 6.1"""
        arrived, broken = self.serve_all()
        rng = random.Random(SEED)
        for _ in range(ROUNDS):
            self.smtpout.start()
            self.burst(rng, self.smtpout.kill)
        self.drain()
        self.smtpout.stop()
        self.assertEqual(broken, [])
        self.assertGreater(len(self.accepted), ROUNDS)
        # Some of the kills, at least, came while mail came in.
        self.assertGreater(len(self.sent), len(self.accepted))
        self.compare(arrived, ROUNDS)

    def test_stop(self):
        """Stopped in a burst it goes on where it was, and when it is killed
        then, what its hosts said meanwhile was not read."""
        arrived, broken = self.serve_all()
        rng = random.Random(SEED)
        kills = 0
        self.smtpout.start()
        for turn in range(ROUNDS):
            def stop():
                self.pause(self.smtpout.process, rng.uniform(0, 0.5))
                if turn % 2:
                    self.smtpout.kill()
                else:
                    self.smtpout.process.send_signal(signal.SIGCONT)
            before = len(self.accepted)
            self.burst(rng, stop, BURST // 10)
            if turn % 2:
                kills += 1
                self.smtpout.start()
            else:
                self.assertEqual(len(self.accepted) - before,
                                 BURST // 10 // CLIENTS * CLIENTS)
        self.smtpout.ask("flush")
        self.smtpout.wait_empty(120 * fixture.SLOW)
        self.smtpout.stop()
        self.assertEqual(broken, [])
        self.compare(arrived, kills)

    def test_kill_while_hosts_put_off(self):
        """Progress of many recipients, and bounces, between the kills."""
        deferring = self.enterContext(Scripted(
            self.mx1, rcpt=lambda *_: random.choice(
                ("250 ok", "450 4.2.0 later"))))
        refusing = self.enterContext(Scripted(
            self.mx2, rcpt="550 5.1.1 nobody"))
        home = self.enterContext(Scripted(self.home))
        rng = random.Random(SEED)
        submitted = {}
        for turn in range(ROUNDS):
            self.smtpout.start()
            try:
                with self.smtpout.client() as client:
                    for i in range(20):
                        number = turn * 100 + i
                        client.submit(
                            make(number, rng),
                            *[f"u{k}@site1.example" for k in range(5)],
                            "x@site2.example",
                            mail=f"ENVID=n{number}")
                        submitted[number] = True
                        if i == 5:
                            timer = threading.Timer(
                                rng.uniform(0, 0.5) * fixture.SLOW,
                                self.smtpout.process.kill)
                            timer.start()
            except (OSError, Refused):
                pass
            timer.join()
            self.smtpout.kill()
        self.drain()
        self.smtpout.stop()
        counts = collections.Counter(
            (check_whole(t.content), r) for t in deferring.accepted
            for r in t.rcpts)
        reports = collections.Counter(
            re.search(rb"Original-Envelope-Id: n(\d+)", t.content)[1]
            for t in home.accepted)
        for number in submitted:
            for k in range(5):
                self.assertGreater(
                    counts[number, f"u{k}@site1.example"], 0)
            self.assertGreater(reports[b"%d" % number], 0,
                               f"nobody was told of {number}")
        twice = sum(c - 1 for c in counts.values())
        more = sum(c - 1 for c in reports.values())
        print(f"\n{len(submitted)} messages, {ROUNDS} kills: {twice} "
              f"recipients and {more} reports twice, seed {SEED}", end=" ")
        # A transaction has up to five recipients here.
        self.assertLessEqual(twice, ROUNDS * CONNECTIONS * 5)
        self.assertLessEqual(more, ROUNDS * CONNECTIONS)
        self.assertFalse(refusing.taken)


class KillAttempt(KillCase):
    """S16: What a host has taken is written before anything else is begun."""

    def serve(self, host, **rules):
        server = Scripted(host, **rules)
        self.addCleanup(server.close)
        return server

    @staticmethod
    def copies(*servers):
        return collections.Counter(
            rcpt for server in servers for t in server.taken if t.accepted
            for rcpt in t.rcpts)

    def submit(self, *rcpts):
        self.smtpout.start()
        self.smtpout.submit(make(1, random.Random(1)), *rcpts)

    def test_between_transactions(self):
        rcpts = [f"u{i}@site1.example" for i in range(150)]
        dots = []

        def dot(*_):
            dots.append(True)
            return STALL if len(dots) == 3 else "250 2.0.0 taken"

        server = self.serve(self.mx1, dot=dot)
        self.submit(*rcpts)
        fixture.until(lambda: len(dots) == 3, "no third transaction")
        self.smtpout.kill()
        self.drain()
        copies = self.copies(server)
        self.assertEqual(sorted(copies), sorted(rcpts))
        self.assertEqual(set(copies.values()), {1})

    def test_between_hosts(self):
        grey = ["450 4.2.0 later"]

        def rcpt(_, argument):
            return grey[0] if "grey" in argument else "250 2.1.5 ok"

        first = self.serve(self.mx1, rcpt=rcpt)
        second = self.serve(self.mx2, greeting=STALL)
        self.submit("good@two.example", "grey@two.example")
        fixture.until(lambda: second.sessions, "the second is not asked")
        self.smtpout.kill()
        second.close()
        grey[0] = "250 2.1.5 ok"
        self.drain()
        self.assertEqual(self.copies(first), {"good@two.example": 1,
                                              "grey@two.example": 1})

    def test_many_recipients(self):
        """S5: What a host says of thousands of recipients is more than one
        record takes."""
        self.smtpout.arguments += ["--max-recipients", "0",
                                   "--queue-segment", "1048576"]
        rcpts = [f"u{i}@site1.example" for i in range(2500)]
        server = self.serve(self.mx1, dot="250 2.0.0 " + "k" * 480)
        self.submit(*rcpts)
        self.smtpout.wait_empty(120 * fixture.SLOW)
        self.smtpout.stop()
        self.drain()
        copies = self.copies(server)
        self.assertEqual(len(copies), len(rcpts))
        self.assertEqual(set(copies.values()), {1})


class KillCleaning(KillSmtpout):
    """The same with small segments, so that they are cleaned all the time."""

    def small_segments(self):
        import subprocess
        text = subprocess.run([world.program("smtpout"), "--help"],
                              capture_output=True, text=True,
                              check=True).stdout
        if "--queue-segment" not in text:
            raise unittest.SkipTest("there is no --queue-segment")
        return ["--queue-segment", str(1 << 20)]


class KillSmtpin(KillCase):
    def start_receivers(self):
        receivers = [Smtpin(self.world.hosts[f"mx{i}"], f"site{i}.example",
                            "user", level="info")
                     for i in range(1, SITES + 1)]
        for receiver in receivers:
            self.addCleanup(receiver.remove)
            receiver.start()
        return receivers

    def end(self, receivers):
        """All of it is there, whoever was disturbed in ROUNDS rounds."""
        self.smtpout.ask("flush")
        self.smtpout.wait_empty(120 * fixture.SLOW)
        self.smtpout.stop()
        arrived = collections.Counter()
        for i, receiver in enumerate(receivers, 1):
            for stored in receiver.messages():
                number = check_whole(fixture.take_apart(stored)[1])
                arrived[number, f"user@site{i}.example"] += 1
        self.assertEqual(len(self.accepted), len(self.sent))
        self.compare(arrived, ROUNDS)

    def test_stop_receiver(self):
        """smtpin is stopped: its connections wait, or time out, and what it
        took before its client gave up is sent once more at most."""
        receivers = self.start_receivers()
        rng = random.Random(SEED)
        self.smtpout.start()
        for turn in range(ROUNDS):
            def stop():
                for receiver in receivers:
                    self.pause(receiver.process, rng.uniform(0, 0.2))
                # Once longer than --connect-timeout.
                time.sleep(2.5 if turn == 0 else 0)
                for receiver in receivers:
                    receiver.process.send_signal(signal.SIGCONT)
            self.burst(rng, stop, BURST // 10)
        self.end(receivers)

    def test_kill_receiver(self):
        """smtpin is killed instead: it has what it said 250 to."""
        receivers = self.start_receivers()
        rng = random.Random(SEED)
        self.smtpout.start()
        for _ in range(ROUNDS):
            def kill():
                for receiver in receivers:
                    receiver.kill()
                    time.sleep(rng.uniform(0, 0.05))
            self.burst(rng, kill, BURST // 10)
            for receiver in receivers:
                receiver.start()
            self.smtpout.ask("flush")
        self.end(receivers)


if __name__ == "__main__":
    world.main()
