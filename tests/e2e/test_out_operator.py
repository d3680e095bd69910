# SPDX-License-Identifier: MIT
"""What smtpout tells the operator, with the daemon running and not."""

import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
import unittest

import smtpin_fixture as fixture
import world
from retry_case import RetryCase
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message


class Operator(RetryCase):
    """smtpout queue, with the daemon running and not."""

    OPTIONS = ("--retry-min", "300", "--retry-max", "600",
               "--connect-timeout", "2")

    def setUp(self):
        super().setUp()
        self.content = message("Body.\n.\n..x\n", "for the operator")

    def queue_one(self, *rcpts):
        ident = self.submit(*(rcpts or ("bob@one.example",)),
                            content=self.content,
                            mail="ENVID=E1 RET=HDRS")
        self.deferred(ident)
        return ident

    def snapshot(self):
        """All files of the queue, as they are."""
        found = {}
        for where, _, names in os.walk(self.smtpout.queue_dir):
            for name in names:
                path = os.path.join(where, name)
                if name == "control":
                    continue
                info = os.stat(path)
                found[path] = (
                    info.st_mtime_ns, info.st_size, info.st_ino,
                    hashlib.sha256(fixture.read(path)).hexdigest())
        return found

    def settled(self):
        """The same, once nothing changes any more: a segment is still made in
        advance, say."""
        log = os.path.join(self.smtpout.queue_dir, "log")
        fixture.until(lambda: len(os.listdir(log)) > 1, "no spare segment")
        while True:
            before = self.snapshot()
            time.sleep(0.3)
            if self.snapshot() == before:
                return before

    def read_all(self, ident):
        """All requests that only read; what they answered."""
        answers = {words: self.smtpout.ask(*words) for words in (
            ("list",), ("list", "--json"), ("show", ident),
            ("show", ident, "--json"), ("cat", ident), ("why", ident),
            ("why", ident, "--json"))}
        self.smtpout.ask("check")
        return answers

    def check_answers(self, ident, answers):
        listed = [json.loads(line) for line in
                  answers["list", "--json"].splitlines()]
        self.assertEqual([m["id"] for m in listed], [ident])
        self.assertEqual(listed[0]["sender"], "alice@home.example")
        self.assertIn(ident, answers["list",])
        self.assertIn("bob@one.example", answers["list",])
        shown = json.loads(answers["show", ident, "--json"])
        self.assertEqual(shown["envid"], "E1")
        self.assertEqual(shown["ret"], "HDRS")
        self.assertEqual([r["address"] for r in shown["recipients"]],
                         ["bob@one.example"])
        self.assertIn("bob@one.example", answers["show", ident])
        self.assertTrue(answers["cat", ident].replace("\r\n", "\n").endswith(
            self.content.decode().split("\n\n", 1)[1]))
        self.assertIn("Subject: for the operator", answers["cat", ident])
        why = json.loads(answers["why", ident, "--json"])
        self.assertEqual(why["destinations"][0]["domain"], "one.example")
        self.assertIn("mx1.example", answers["why", ident])
        self.assertIn("refused", answers["why", ident])
        self.check_why(why["destinations"][0])

    def check_why(self, destination):
        """O25: what happened, with hosts, addresses and replies apart."""
        self.assertEqual(destination["attempts"], 1)
        failed, = [event for event in destination["history"]
                   if event["event"] == "failed"]
        self.assertEqual(failed["host"], "mx1.example")
        self.assertEqual(failed["attempt"], 1)
        self.assertRegex(failed["time"], r"^\d{4}-\d\d-\d\dT[\d:]{8}Z$")
        self.assertEqual(failed["status"], "4.4.1")
        rcpt, = destination["recipients"]
        self.assertEqual(rcpt["host"], "mx1.example")
        self.assertEqual((rcpt["code"], rcpt["status"]), (None, "4.4.1"))
        self.assertRegex(rcpt["reply"], "^cannot connect to .*refused$")
        site = destination["site"]
        if site is not None:
            self.assertEqual(site["name"], "mx1.example")
            self.assertEqual(site["failures"], 1)
            self.assertIn("refused", site["reason"])
            self.assertRegex(site["suspended_until"], "^2.*Z$")

    def test_reading_running(self):
        ident = self.queue_one()
        before = self.settled()
        self.check_answers(ident, self.read_all(ident))
        self.assertEqual(self.snapshot(), before)

    def test_reading_stopped(self):
        ident = self.queue_one()
        running = self.read_all(ident)
        self.smtpout.stop()
        before = self.snapshot()
        stopped = self.read_all(ident)
        self.assertEqual(self.snapshot(), before)
        self.check_answers(ident, stopped)
        self.assertEqual(stopped["cat", ident], running["cat", ident])
        self.smtpout.start()

    def test_export(self):
        idents = [self.queue_one()]
        # These wait for the site, which is known to be down.
        idents += [self.submit("bob@one.example", content=self.content)
                   for _ in range(2)]
        idents.sort()
        for running in (True, False):
            with self.subTest(running=running):
                where = os.path.join(self.smtpout.root, f"export{running}")
                os.mkdir(where)
                if not running:
                    self.smtpout.stop()
                self.smtpout.ask("export", where)
                self.assertEqual(
                    sorted(os.listdir(where)),
                    [i + end for i in idents for end in (".eml", ".json")])
                for ident in idents:
                    # O35: who gets it is in a file beside it.
                    envelope = json.loads(
                        fixture.read(f"{where}/{ident}.json"))
                    self.assertEqual(envelope["sender"], "alice@home.example")
                    self.assertEqual(
                        [r["address"] for r in envelope["recipients"]],
                        ["bob@one.example"])
                    text = fixture.read(f"{where}/{ident}.eml")
                    self.assertIn(b"Subject: for the operator", text)
        self.smtpout.start()

    def test_words(self):
        """O34: options in any place, several ids, beginnings of ids."""
        idents = [self.queue_one()]
        idents += [self.submit("bob@one.example", content=self.content)
                   for _ in range(2)]
        self.assertEqual(len(self.smtpout.ask(
            "--json", "list").splitlines()), 3)
        self.assertEqual(self.smtpout.ask("hold", *idents),
                         "held 1 message\n" * 3)
        self.assertIn("3 held", self.smtpout.ask("flush"))
        begin = next(ident[:n] for ident in idents[:1]
                     for n in range(4, 14)
                     if not any(other.startswith(ident[:n])
                                for other in idents[1:]))
        self.assertIn(idents[0], self.smtpout.ask("show", begin.lower()))
        self.assertEqual(
            self.smtpout.try_ask("show", idents[0][:1]).returncode,
            os.EX_UNAVAILABLE)
        done = self.smtpout.try_ask("remove", idents[0], "0000000000000")
        self.assertEqual(done.returncode, os.EX_UNAVAILABLE)
        # A domain, or an address, to which nothing else is to go.
        both = self.submit("bob@one.example", "ann@one.example",
                           content=self.content)
        self.assertEqual(self.smtpout.ask("release", "one.example"),
                         "released 3 messages\n")
        self.assertEqual(self.smtpout.ask("hold", "ONE.example"),
                         "held 3 messages\n")
        self.assertEqual(self.smtpout.ask("remove", "bob@one.example"),
                         "removed 2 messages\n")
        self.assertEqual(self.smtpout.ids(), [both])
        for place in ("two.example", "bob@one.example"):
            self.assertEqual(self.smtpout.try_ask(
                "remove", place).returncode, os.EX_UNAVAILABLE)

    def each_way(self, do):
        """DO with an id, with the daemon running and not; then it runs."""
        for running in (True, False):
            with self.subTest(running=running):
                ident = self.queue_one()
                if not running:
                    self.smtpout.stop()
                do(ident)
                if not running:
                    self.smtpout.start()
                yield ident

    def test_hold_and_release(self):
        for ident in self.each_way(lambda i: self.smtpout.ask("hold", i)):
            with Scripted(self.mx1) as server:
                self.assertEqual(self.smtpout.show(ident)["state"], "held")
                self.smtpout.ask("flush")
                self.smtpout.restart()
                time.sleep(1)
                self.assertEqual(server.sessions, [])
                self.smtpout.ask("release", ident)
                self.smtpout.flush_to(server)
                self.smtpout.wait_empty()

    def test_release_stopped(self):
        ident = self.queue_one()
        self.smtpout.ask("hold", ident)
        self.smtpout.stop()
        self.smtpout.ask("release", ident)
        server = self.server()
        self.smtpout.start()
        self.smtpout.flush_to(server)

    def test_remove(self):
        for ident in self.each_way(lambda i: self.smtpout.ask("remove", i)):
            self.assertEqual(self.smtpout.list(), [])
            self.assertEqual(
                self.smtpout.try_ask("show", ident).returncode, 69)
            self.smtpout.restart()
            self.assertEqual(self.smtpout.list(), [])
        self.assertEqual(self.home.messages(), [])

    def test_flush(self):
        ident = self.queue_one()
        other = self.submit("bob@two.example")
        self.deferred(other)
        server, second = self.server(), self.server("mx2")
        time.sleep(1)
        self.assertEqual(server.sessions + second.sessions, [])
        self.smtpout.ask("flush", "two.example")
        second.wait(1)
        self.assertEqual(server.sessions, [])
        self.smtpout.ask("flush", ident)
        server.wait(1)

    def test_flush_stopped(self):
        self.queue_one()
        self.smtpout.stop()
        self.smtpout.ask("flush")
        server = self.server()
        self.smtpout.start()
        server.wait(1)

    def test_mistakes(self):
        for running in (True, False):
            with self.subTest(running=running):
                if not running:
                    self.smtpout.stop()
                for words, status in ((("show", "1M822NC790000"), 69),
                                      (("cat", "../../etc/passwd"), 69),
                                      (("remove", "x"), 69),
                                      (("dance",), 64), (("show",), 64)):
                    done = self.smtpout.try_ask(*words)
                    self.assertEqual(done.returncode, status,
                                     (words, done.stderr))
                    self.assertTrue(done.stderr)
        done = subprocess.run(
            [world.program("smtpout"), "queue", "-q", "/nonexistent",
             "list"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 66, done.stderr)
        self.smtpout.start()

    def test_calls_of_sendmail(self):
        """-bp is the list, -q the flush, with the same statuses."""
        def call(*words, queue=self.smtpout.queue_dir):
            return subprocess.run(
                [world.program("sendmail"), "--queue", queue, *words],
                capture_output=True, text=True, check=False)

        ident = self.queue_one()
        self.assertIn(ident, call("-bp").stdout)
        before = self.attempts(ident)
        self.assertEqual(call("-q30m").returncode, 0)
        self.assertEqual(self.attempts(ident), before)
        self.assertEqual(call("-q").returncode, 0)
        self.deferred(ident, before + 1)
        for words in ("-qI" + ident, "-qRone.example", "-qR@one.example",
                      "-qRbob@one.example"):
            before = self.attempts(ident)
            done = call(words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.deferred(ident, before + 1)
        self.assertEqual(call("-qRother.example").returncode,
                         os.EX_UNAVAILABLE)
        done = call("-qSalice")
        self.assertEqual(done.returncode, os.EX_USAGE)
        self.assertIn("-qRDOMAIN", done.stderr)
        done = call("-bp", queue="/nonexistent")
        self.assertEqual(done.returncode, os.EX_NOINPUT, done.stderr)

    def test_front_without_daemon(self):
        """Only smtpout writes into its queue: what comes another way would
        have neither aliases nor a signature."""
        self.smtpout.stop()
        before = self.snapshot()
        home = self.enterContext(
            tempfile.TemporaryDirectory(prefix="smtpout-test."))
        done = subprocess.run(
            [world.program("sendmail"), "--queue", self.smtpout.queue_dir,
             "--port", "1", "-f", "a@b.example", "bob@site1.example"],
            input="Subject: x\n\nhi\n", env={"HOME": home},
            capture_output=True, text=True, check=False,
            timeout=10 * fixture.WAIT)
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
        self.assertEqual(self.snapshot(), before)
        self.assertIn(b"hi\n", fixture.read(home + "/dead.letter"))

    def test_second_daemon(self):
        second = Smtpout(self.world, "-a", "127.0.0.1:2525", "-p", "0",
                         root=self.smtpout.root)
        second.spawn()
        self.addCleanup(second.remove)
        self.assertEqual(second.process.wait(fixture.WAIT), 75)
        second.reader.join(fixture.WAIT)
        # O37: it can be found.
        self.assertIn(f"open: {self.smtpout.pid_of_daemon()} on ",
                      second.text())

    def test_control_bytes_are_not_shown(self):
        """What a remote host says cannot forge a line or steer a
        terminal."""
        self.server(rcpt="450 4.2.0 \x1b[31mred\x07")
        ident = self.queue_one()
        for words in (("why", ident), ("show", ident), ("list",)):
            self.assertNotIn("\x1b", self.smtpout.ask(*words))
        self.assertNotIn("\x1b", self.smtpout.text())


class OtherProgram(unittest.TestCase):
    """Each daemon names the other one where it gets an option of that."""

    @staticmethod
    def run_it(name, *words):
        return subprocess.run(
            [world.program(name), *words], capture_output=True, text=True,
            timeout=fixture.WAIT, check=False)

    def options(self, name):
        """The options of NAME, and whether each takes a value."""
        text = self.run_it(name, "--help").stdout
        return {option: value != "" for option, value in re.findall(
            r"^ (?:-\w, |    )--([\w-]+)( \S+)?", text, re.MULTILINE)}

    def test_options_of_the_other_one(self):
        for name, other in (("smtpin", "smtpout"), ("smtpout", "smtpin")):
            own = self.options(name)
            self.assertIn("hostname", own)
            for option, value in self.options(other).items():
                if option in own:
                    continue
                done = self.run_it(name, "--" + option, *["1"] * value)
                self.assertEqual(done.returncode, os.EX_USAGE)
                self.assertIn(f"option of {other}", done.stderr, option)


class Mistakes(unittest.TestCase):
    """What --check finds before a start would."""

    def test_values(self):
        for option, value, status, words in (
                ("--dns", "ns.example", os.EX_USAGE, "[2001:db8::1]:53"),
                ("--milter-failure", "accept", os.EX_USAGE, "no --milter"),
                ("--milter", "localhost:0", os.EX_USAGE, "host:port"),
                ("--dns", "192.0.2.1:x", os.EX_USAGE, "192.0.2.1:53"),
                ("--mta-sts-ca", "/nowhere", os.EX_NOINPUT, "No such file"),
                ("--mta-sts-ca", __file__, os.EX_NOINPUT, "no certificates")):
            with self.subTest(option=option, value=value), \
                    tempfile.TemporaryDirectory() as root:
                done = OtherProgram.run_it(
                    "smtpout", "--check", "--hostname", "out.example",
                    "--listen", "127.0.0.1:0", "--queue",
                    os.path.join(root, "queue"), option, value)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(option, done.stderr)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    world.main()
