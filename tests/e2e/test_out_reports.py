# SPDX-License-Identifier: MIT
"""What smtpout tells the sender."""

import time

import smtpin_fixture as fixture
import world
from retry_case import RetryCase
from smtpout_fixture import message


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


if __name__ == "__main__":
    world.main()
