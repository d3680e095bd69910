# SPDX-License-Identifier: MIT
"""What smtpout tries again, when, what it tells the sender, and the operator."""

import hashlib
import json
import os
import re
import subprocess
import threading
import time
import unittest

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from scripted_server import DROP, STALL, Scripted, after, by_rcpt
from smtpout_fixture import Report, Smtpout, message

ZONE = """
home.example.	MX 10 home.example.
one.example.	MX 10 mx1.example.
two.example.	MX 10 mx2.example.
"""

LATER = "451 4.7.1 greylisted, come again"


class RetryCase(world.WorldCase):
    OPTIONS = ("--retry-min", "1", "--retry-max", "2",
               "--connect-timeout", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.host("home", 30)
        cls.world.zone(ZONE)

    def setUp(self):
        self.home = self.enterContext(
            Smtpin(self.world.hosts["home"], "home.example", "alice"))
        self.smtpout = self.enterContext(Smtpout(self.world, *self.OPTIONS))

    def server(self, name="mx1", **rules):
        return self.enterContext(
            Scripted(self.world.hosts[name], **rules))

    def submit(self, *rcpts, content=None, **options):
        return self.smtpout.submit(content or message(), *rcpts, **options)

    def reports(self, count=1):
        return [Report(text) for text in
                self.home.wait(count, "alice", 2 * fixture.WAIT)]

    def deferred(self, ident, count=1, wait=fixture.WAIT):
        """Wait until it was tried and put off."""
        fixture.until(lambda: self.attempts(ident) >= count,
                      "it was not tried", wait)

    def attempts(self, ident):
        return max(r["attempts"]
                   for r in self.smtpout.show(ident)["recipients"])


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
        """It does not wait for ever, and what was not sent is kept."""
        server = self.server(rcpt=STALL)
        ident = self.submit("bob@one.example")
        fixture.until(lambda: server.commands("RCPT"), "no connection")
        self.smtpout.stop(60 * fixture.SLOW)
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


class Reports(RetryCase):
    def test_delay_notice(self):
        """RFC 3461, 5.2.5"""
        self.smtpout.restart("--delay-notice", "3", "--lifetime", "600")
        server = self.server(rcpt="450 4.2.2 mailbox full")
        ident = self.submit("bob@one.example")
        report, = self.reports()
        fields = report.rcpt("bob@one.example")
        self.assertEqual(fields["Action"], "delayed")
        self.assertEqual(fields["Status"], "4.2.2")
        self.assertIsNotNone(fields["Will-Retry-Until"])
        # Once only.
        time.sleep(4)
        self.assertEqual(len(self.home.messages()), 1)
        server.rules.clear()
        server.wait(1)
        self.smtpout.wait_empty()
        self.assertTrue(ident)

    def test_delay_notice_of_a_dead_site(self):
        self.smtpout.restart("--delay-notice", "3", "--retry-min", "300",
                             "--retry-max", "7200")
        self.deferred(self.submit("bob@one.example"))
        # This one is not tried: the site is known to be down.
        self.submit("eve@one.example")
        report, = self.reports()
        fields = report.rcpt("eve@one.example")
        self.assertEqual(fields["Action"], "delayed")
        self.assertEqual(fields["Status"], "4.4.1")

    def test_lifetime(self):
        """RFC 5321, 4.5.4.1"""
        self.smtpout.restart("--lifetime", "4")
        self.submit("bob@one.example")
        start = time.monotonic()
        report, = self.reports()
        self.assertGreater(time.monotonic() - start, 2)
        fields = report.rcpt("bob@one.example")
        self.assertEqual(fields["Action"], "failed")
        self.assertEqual(fields["Status"], "4.4.7")
        self.smtpout.wait_empty()

    def test_lifetime_of_what_was_put_off(self):
        self.smtpout.restart("--lifetime", "4")
        self.server(rcpt="450 4.2.2 mailbox full")
        self.submit("bob@one.example")
        fields = self.reports()[0].rcpt("bob@one.example")
        self.assertEqual(fields["Action"], "failed")
        self.assertIn("450 4.2.2 mailbox full", fields["Diagnostic-Code"])

    def test_bounce_that_bounces(self):
        """The null sender, and a sender that does not exist
        (RFC 5321, 4.5.5; RFC 5321, 6.1)."""
        self.server(rcpt="550 5.1.1 nobody")
        self.submit("bob@one.example", sender="")
        fixture.until(self.smtpout.dead, "nothing in dead/")
        self.submit("bob@one.example", sender="nobody@home.example")
        fixture.until(lambda: len(self.smtpout.dead()) >= 4,
                      f"not in dead/: {self.smtpout.dead()}")
        self.smtpout.wait_empty()
        why = [p for p in self.smtpout.dead() if p.endswith(".why")]
        self.assertEqual(len(why), 2)
        self.assertEqual(self.home.messages(), [])
        texts = [fixture.read(p) for p in self.smtpout.dead()
                 if not p.endswith(".why")]
        self.assertTrue(any(b"multipart/report" in t for t in texts))

    def test_notify_never(self):
        """RFC 3461, 4.1; RFC 3461, 5.2.6"""
        self.server(rcpt="550 5.1.1 nobody")
        self.submit(("bob@one.example", "NOTIFY=NEVER"),
                    ("eve@one.example", "NOTIFY=FAILURE"))
        report, = self.reports()
        self.smtpout.wait_empty()
        self.assertEqual(
            [f["Final-Recipient"] for f in report.rcpts],
            ["rfc822; eve@one.example"])
        self.assertEqual(self.smtpout.dead(), [])

    def test_notify_success(self):
        """The host knows no DSN: relayed. It does: it is told
        (RFC 3461, 5.2.1; RFC 3461, 5.2.2)."""
        server = self.server(dsn=False)
        self.submit(("bob@one.example", "NOTIFY=SUCCESS"),
                    ("eve@one.example", "NOTIFY=FAILURE"),
                    mail="ENVID=QQ1")
        report, = self.reports()
        self.assertEqual(len(report.rcpts), 1)
        self.assertEqual(report.rcpt("bob@one.example")["Action"], "relayed")
        self.assertEqual(report.whole["Original-Envelope-Id"], "QQ1")
        server.close()
        server = self.server()
        self.submit(("bob@one.example",
                     "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@a.example"),
                    mail="RET=FULL ENVID=QQ2")
        taken, = server.wait(1)
        self.assertEqual(taken.parameters.get("RET"), "FULL")
        self.assertEqual(taken.parameters.get("ENVID"), "QQ2")
        self.assertEqual(taken.rcpt_parameters["bob@one.example"],
                         {"NOTIFY": "SUCCESS,DELAY",
                          "ORCPT": "rfc822;b+2Bx@a.example"})
        self.smtpout.wait_empty()
        self.assertEqual(len(self.home.messages()), 1)

    def test_no_notify_delay(self):
        """Who did not ask to hear of delays does not (RFC 3461, 4.1;
        RFC 3461, 5.2.5)."""
        self.smtpout.restart("--delay-notice", "2", "--lifetime", "600")
        self.submit(("bob@one.example", "NOTIFY=FAILURE"))
        time.sleep(4)
        self.assertEqual(self.home.messages(), [])

    def test_ret(self):
        """RFC 3461, 4.3"""
        self.server(rcpt="550 5.1.1 nobody")
        body = "A line of the body.\n" * 10
        self.submit("a@one.example", mail="RET=FULL",
                    content=message(body, "whole"))
        self.submit("a@one.example", mail="RET=HDRS",
                    content=message(body, "header"))
        for report in self.reports(2):
            text = report.original_text
            if "Subject: whole" in text:
                self.assertIn("A line of the body", text)
            else:
                self.assertIn("Subject: header", text)
                self.assertNotIn("A line of the body", text)

    def test_large_original(self):
        """Of a large message the header is enough, even if not asked."""
        self.server(rcpt="550 5.1.1 nobody")
        self.submit("a@one.example",
                    content=message("x" * 70 + "\n", "big") +
                    (b"y" * 70 + b"\n") * 20000)
        report, = self.reports()
        self.assertLess(len(self.home.messages()[0]), 200000)
        self.assertIn("Subject: big", report.original_text)


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
        for text in (answers["why", ident],
                     "\n".join(why["destinations"][0]["history"])):
            self.assertIn("mx1.example", text)
            self.assertIn("refused", text)
        self.assertEqual(why["destinations"][0]["attempts"], 1)

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
                self.assertEqual(sorted(os.listdir(where)),
                                 [i + ".eml" for i in idents])
                for ident in idents:
                    text = fixture.read(f"{where}/{ident}.eml")
                    self.assertIn(b"Subject: for the operator", text)
        self.smtpout.start()

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

    def test_second_daemon(self):
        second = Smtpout(self.world, "-a", "127.0.0.1:2525", "-p", "0",
                         root=self.smtpout.root)
        second.spawn()
        self.addCleanup(second.remove)
        self.assertEqual(second.process.wait(fixture.WAIT), 75)
        second.reader.join(fixture.WAIT)
        self.assertIn("queue", second.text())

    def test_control_bytes_are_not_shown(self):
        """What a remote host says cannot forge a line or steer a
        terminal."""
        self.server(rcpt="450 4.2.0 \x1b[31mred\x07")
        ident = self.queue_one()
        for words in (("why", ident), ("show", ident), ("list",)):
            self.assertNotIn("\x1b", self.smtpout.ask(*words))
        self.assertNotIn("\x1b", self.smtpout.text())


if __name__ == "__main__":
    world.main()
