# SPDX-License-Identifier: MIT
"""A full disk, damaged files, and clocks that jump."""

import errno
import glob
import os
import re
import subprocess
import tempfile
import time

import smtpin_fixture as fixture
import world
from retry_case import HomeCase
from scripted_server import by_rcpt
from smtpout_fixture import (Report, Smtpout, lacks_sanitizers,
                             message)

MIB = 1 << 20


class DiskCase(HomeCase):
    HOSTS = ("mx1", "mx2")

    def start(self, *options, **others):
        if "--retry-min" not in options:
            options = ("--retry-min", "300", "--retry-max", "300", *options)
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--connect-timeout", "2", *options, **others))

    def submit(self, rcpt, number, lines=5):
        content = message(f"This is number {number}.\n" * lines,
                          f"number {number}")
        return self.smtpout.submit(content, rcpt)

    @staticmethod
    def numbers(server):
        return sorted(int(re.search(rb"Subject: number (\d+)", t.content)[1])
                      for t in server.accepted)


class SmallDisk(DiskCase):
    OPTIONS = ()

    def setUp(self):
        super().setUp()
        self.root = tempfile.mkdtemp(prefix="smtpout-disk.")
        self.addCleanup(os.rmdir, self.root)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400m", "smtpout-test",
             self.root], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            fixture.cannot("no small disk: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", self.root], check=True)
        self.ballast = os.path.join(self.root, "ballast")
        self.start(*self.OPTIONS, root=self.root)

    def fill(self, left):
        with open(self.ballast, "ab") as file:
            fixture.until(lambda: self.takes_all_but(left, file.fileno()),
                          "it is not filled")

    def takes_all_but(self, left, ballast):
        """Take what is free at once, or half of it at least: the daemon takes
        of it too, meanwhile."""
        disk = os.statvfs(self.root)
        room = disk.f_bavail * disk.f_frsize - left
        while room >= disk.f_frsize:
            try:
                os.posix_fallocate(ballast, os.fstat(ballast).st_size, room)
                return False
            except OSError as e:
                if e.errno != errno.ENOSPC:
                    raise
            room //= 2
        return True

    def used(self):
        disk = os.statvfs(self.root)
        return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


class FullDisk(SmallDisk):
    def codes(self, parameters=""):
        """The answer to MAIL."""
        with self.smtpout.client() as client:
            return client.say("MAIL FROM:<alice@home.example>"
                              + parameters).codes

    def check_full(self, left):
        for i in range(5):
            self.submit("bob@one.example", i)
        self.submit("nobody@one.example", 5)
        self.fill(left)
        fixture.until(lambda: self.codes() == "452 4.3.1", "it takes more")
        server = self.server(rcpt=by_rcpt({"nobody": "550 5.1.1 nobody"}))
        self.smtpout.flush_to(server, 5)
        self.smtpout.flush_until(lambda: self.home.new("alice"), "a report")
        self.assertEqual(self.numbers(server), [0, 1, 2, 3, 4])
        report = Report(self.home.wait(1, "alice", 2 * fixture.WAIT)[0])
        self.assertEqual(report.rcpts[0]["Status"], "5.1.1")
        self.smtpout.wait_empty()
        self.assertEqual(self.codes(), "452 4.3.1")
        os.unlink(self.ballast)
        fixture.until(lambda: self.codes().startswith("250"), "still full")
        self.submit("bob@one.example", 7)
        server.wait(6)
        self.smtpout.wait_empty()

    def test_almost_full(self):
        self.check_full(20 * MIB)

    def test_full_to_the_last_byte(self):
        self.check_full(0)

    def test_announced_size(self):
        """Less is free than the message would take (RFC 1870, 6.1)."""
        # One segment is in use, and one is made in advance: S7: each has no
        # more than a sixteenth of the disk.
        fixture.until(lambda: self.used() >= 32 * MIB, "no spare segment")
        self.assertLess(self.used(), 64 * MIB)
        # A tenth of the disk stays free in any case.
        self.fill(80 * MIB)
        fixture.until(lambda: self.codes(" SIZE=48000000") == "452 4.3.1",
                      "it takes more")
        with self.smtpout.client() as client:
            client.must("MAIL FROM:<a@b.example> SIZE=1000000")

    def test_full_while_it_arrives(self):
        with self.smtpout.client() as client:
            client.must("MAIL FROM:<alice@home.example>")
            client.must("RCPT TO:<bob@one.example>")
            client.must("DATA", 354)
            self.fill(1 * MIB)
            reply = client.finish(message() + (b"z" * 75 + b"\n") * 200000)
            self.assertEqual(reply.codes, "452 4.3.1")
        self.assertEqual(self.smtpout.list(), [])
        self.assertEqual(os.listdir(
            os.path.join(self.smtpout.queue_dir, "large")), [])

    def test_restart_when_full(self):
        self.submit("bob@one.example", 1)
        self.fill(0)
        server = self.server()
        self.smtpout.restart()
        self.smtpout.flush_to(server)
        self.smtpout.wait_empty()


class FullOfGarbage(SmallDisk):
    OPTIONS = ("--retry-min", "1", "--retry-max", "2",
               "--queue-segment", str(MIB))

    def test_garbage(self):
        """S4: what became of each attempt fills a full disk: it is emptied of
        that, and goes on."""
        tries = []
        later = True

        def rcpt(_, argument):
            tries.append(argument)
            return "450 4.2.0 " + "g" * 480 if later else "250 2.1.5 ok"

        server = self.server(rcpt=rcpt)
        with self.smtpout.client() as client:
            for i in range(60):
                client.submit(message("x\n", f"number {i}"),
                              *(f"d{i}-{k}@one.example" for k in range(20)))
        fixture.until(lambda: len(tries) >= 2400, "no attempts", 120)
        self.fill(0)
        # Far more than the room that is left, of half a KB each.
        wanted = len(tries) + 10 * MIB // 500
        fixture.until(lambda: len(tries) >= wanted, "it stands still", 300)
        later = False
        self.smtpout.flush_until(lambda: not self.smtpout.list(),
                                 "the queue is not empty")
        # In one transaction, or in two if it was tried just then.
        self.assertEqual(set(self.numbers(server)), set(range(60)))
        self.assertEqual(server.rcpts(), sorted(
            f"d{i}-{k}@one.example" for i in range(60) for k in range(20)))


class Damage(DiskCase):
    """The queue's files are changed while the daemon is down."""

    COUNT = 30

    def setUp(self):
        super().setUp()
        self.start()
        self.idents = {}
        for i in range(self.COUNT):
            self.idents[i] = self.submit("bob@one.example", i)
        self.smtpout.stop()

    def segment(self):
        return sorted(glob.glob(os.path.join(
            self.smtpout.queue_dir, "log", "*.log")))[0]

    def place(self, number):
        """Where the text of a message begins in the segment."""
        at = fixture.read(self.segment()).find(
            b"This is number %d.\r\n" % number)
        self.assertGreater(at, 0)
        return at

    def write_at(self, at, data):
        with open(self.segment(), "r+b") as file:
            file.seek(at)
            file.write(data)

    def start_again(self):
        """All that is left is delivered; its numbers."""
        server = self.server()
        self.smtpout.start()
        self.smtpout.flush_until(lambda: not self.smtpout.list(),
                                 "the queue is not empty")
        return self.numbers(server)

    def quarantined(self):
        """Each file in quarantine/ has its reason beside it."""
        files = self.smtpout.quarantine()
        why = [path for path in files if path.endswith(".why")]
        self.assertTrue(why)
        for path in why:
            self.assertTrue(fixture.read(path).strip())
        return files

    def test_one_byte(self):
        """In the middle of a message."""
        self.write_at(self.place(10) + 7, b"\0")
        self.assertEqual(self.start_again(),
                         [i for i in range(self.COUNT) if i != 10])
        self.quarantined()
        done = self.smtpout.try_ask("check")
        self.assertIn(done.returncode, (0, 65))

    def test_check_tells(self):
        self.assertEqual(self.smtpout.try_ask("check").returncode, 0)
        self.write_at(self.place(10) + 7, b"\0")
        self.assertEqual(self.smtpout.try_ask("check").returncode, 65)

    def test_hole(self):
        """A page of zeros, as after a crash of some file systems."""
        at = self.place(10) // 4096 * 4096
        self.write_at(at, bytes(4096))
        arrived = self.start_again()
        self.assertGreaterEqual(len(arrived), self.COUNT - 15)
        self.assertIn(0, arrived)
        self.assertIn(self.COUNT - 1, arrived)
        self.quarantined()

    def test_cut(self):
        """What was before the cut is there; new mail is taken."""
        os.truncate(self.segment(), self.place(20))
        arrived = self.start_again()
        self.assertEqual(arrived[:20], list(range(20)))
        self.submit("bob@one.example", 99)
        self.smtpout.wait_empty()

    def test_garbage(self):
        """The whole segment is something else, header and all."""
        with open(self.segment(), "r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(os.urandom(200000))
            file.seek(size - 4096)
            file.write(os.urandom(4096))
        self.start_again()
        self.submit("bob@one.example", 99)
        self.smtpout.wait_empty()
        self.quarantined()

    def test_no_segment(self):
        os.unlink(self.segment())
        self.start_again()
        self.submit("bob@one.example", 99)
        self.smtpout.wait_empty()

    def test_no_index(self):
        for path in glob.glob(os.path.join(
                self.smtpout.queue_dir, "log", "*.idx")):
            os.unlink(path)
        self.assertEqual(self.start_again(), list(range(self.COUNT)))

    def test_foreign_files(self):
        """They stop nothing, and are not thrown away."""
        names = ["note.txt", "log/README", "log/00000000.log.bak",
                 "large/xyz", "dead/mine", "quarantine/mine"]
        for name in names:
            path = os.path.join(self.smtpout.queue_dir, name)
            with open(path, "w", encoding="ascii") as file:
                file.write("not yours\n")
        self.assertEqual(self.start_again(), list(range(self.COUNT)))
        kept = [text for where, _, files in os.walk(self.smtpout.queue_dir)
                for file in files
                if os.path.isfile(os.path.join(where, file))
                for text in [fixture.read(os.path.join(where, file))[:20]]
                if text == b"not yours\n"]
        self.assertEqual(len(kept), len(names))

    def test_large_file(self):
        """Cut, and gone."""
        self.smtpout.start()
        content = message("y" * 70 + "\n", "number 100") + \
            (b"x" * 70 + b"\n") * 5000
        first = self.smtpout.submit(content, "bob@one.example")
        second = self.smtpout.submit(content, "bob@one.example")
        third = self.smtpout.submit(
            content.replace(b"number 100", b"number 102"),
            "bob@one.example")
        self.smtpout.stop()
        large = os.path.join(self.smtpout.queue_dir, "large")
        self.assertEqual(len(os.listdir(large)), 3)
        os.truncate(os.path.join(large, first), 1000)
        os.unlink(os.path.join(large, second))
        self.assertEqual(self.start_again(),
                         list(range(self.COUNT)) + [102])
        self.assertTrue(third)
        self.quarantined()


FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"
YEAR = 365 * 86400


class Clock(DiskCase):
    def setUp(self):
        super().setUp()
        found = glob.glob(FAKETIME)
        if not found:
            fixture.cannot("libfaketime is not installed")
        if not lacks_sanitizers(world.program("smtpout")):
            self.skipTest("libfaketime does not go with sanitizers")
        self.offset = os.path.join(self.world.root, "offset")
        self.set_clock(0)
        self.start("--lifetime", "3600", "--delay-notice", "900",
                   environment={
                       "LD_PRELOAD": found[0],
                       "FAKETIME_TIMESTAMP_FILE": self.offset,
                       "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def set_clock(self, seconds):
        """Away from the true time."""
        with open(self.offset + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.rename(self.offset + ".new", self.offset)

    def queued(self):
        """A message that was tried once."""
        ident = self.submit("bob@one.example", 1)

        # The site may be known to be down from before.
        self.smtpout.flush_until(lambda: self.attempts(ident) > 0,
                                 "it was not tried", ident)
        return ident

    def attempts(self, ident):
        return self.smtpout.show(ident)["recipients"][0]["attempts"]

    def check_young(self, ident):
        """It waits as before: no bounce, no notice, no storm."""
        before = self.attempts(ident)
        time.sleep(3)
        self.assertEqual(self.smtpout.ids(), [ident])
        self.assertEqual(self.home.messages(), [])
        self.assertLessEqual(self.attempts(ident), before + 2)
        # In minutes, not in hours.
        ahead = re.search(r"next try: .* in (\S+)",
                          self.smtpout.ask("why", ident))
        self.assertRegex(ahead[1], r"^[0-9ms]+$")

    def deliver(self):
        self.smtpout.flush_to(self.server())
        self.smtpout.wait_empty()
        self.assertEqual(self.home.messages(), [])

    def test_jump_in_the_run(self):
        for seconds in (7200, -7200, YEAR, -YEAR):
            with self.subTest(seconds):
                self.set_clock(0)
                ident = self.queued()
                self.set_clock(seconds)
                self.check_young(ident)
                self.smtpout.ask("remove", ident)
        self.queued()
        self.deliver()

    def test_jump_at_a_restart_back(self):
        for seconds in (-7200, -YEAR):
            with self.subTest(seconds):
                self.set_clock(0)
                ident = self.queued()
                self.smtpout.stop()
                self.set_clock(seconds)
                self.smtpout.start()
                self.check_young(ident)
                self.smtpout.ask("remove", ident)
        self.queued()
        self.deliver()

    def test_long_pause(self):
        """Down for a year, or a clock that says so: one more try is made
        before anything goes back."""
        ident = self.queued()
        self.smtpout.stop()
        self.set_clock(YEAR)
        server = self.server()
        self.smtpout.start()
        server.wait(1)
        self.smtpout.wait_empty()
        self.assertEqual(self.home.messages(), [])
        self.assertTrue(ident)


if __name__ == "__main__":
    world.main()
