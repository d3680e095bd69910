# SPDX-License-Identifier: MIT
"""Where smtpout takes mail: MX in their order, addresses, and nowhere."""

import time

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from scripted_server import Deaf, Scripted
from smtpout_fixture import Report, Smtpout, message

# Trouble with a host costs a connection attempt that is refused at once;
# one that is not answered costs this.
CONNECT_TIMEOUT = 2

ZONE = f"""
home.example.	MX 10 home.example.
two.example.	MX 20 mx2.example.
two.example.	MX 10 mx1.example.
three.example.	0 MX 10 mx1.example.
three.example.	0 MX 10 mx2.example.
three.example.	0 MX 10 mx3.example.
null.example.	MX 0 .
nomx.example.	A 198.51.100.11
nomx.example.	AAAA 2001:db8::11
empty.example.	TXT "nothing here"
dead.example.	MX 10 silent.example.
dead.example.	MX 20 mx2.example.
silent.example.	A {world.SILENT}
silent.example.	AAAA {world.SILENT6}
gone.example.	MX 10 nowhere.example.
only4.example.	MX 10 four.example.
only6.example.	MX 10 six.example.
both.example.	MX 10 lame6.example.
lame6.example.	A 198.51.100.11
lame6.example.	AAAA {world.SILENT6}
late.example.	MX 10 mx1.example.
"""


class Routes(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.host("four", 24, "4")
        cls.world.host("six", 26, "6")
        cls.world.host("home", 30)

    def setUp(self):
        self.world.zone(ZONE)
        self.home = self.enterContext(
            Smtpin(self.world.hosts["home"], "home.example", "alice"))
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "2",
            "--connect-timeout", str(CONNECT_TIMEOUT)))

    def server(self, name, **rules):
        return self.enterContext(
            Scripted(self.world.hosts[name], **rules))

    def submit(self, *rcpts, **options):
        return self.smtpout.submit(message(), *rcpts, **options)

    def bounce(self):
        """The report that alice gets."""
        report = Report(self.home.wait(1, "alice")[0])
        self.smtpout.wait_empty()
        return report

    def test_best_first(self):
        """RFC 5321, 5.1"""
        first, second = self.server("mx1"), self.server("mx2")
        for _ in range(5):
            self.submit("bob@two.example")
        first.wait(5)
        self.assertEqual(second.sessions, [])
        self.assertEqual(first.rcpts(), ["bob@two.example"] * 5)
        self.assertEqual(first.accepted[0].sender, "alice@home.example")
        self.assertEqual(first.accepted[0].hello, "out.example")
        self.smtpout.wait_empty()

    def test_fallback(self):
        """The best refuses connections, greets with 5xx or 421, or closes."""
        second = self.server("mx2")
        self.submit("bob@two.example")
        second.wait(1)
        count = 1
        for greeting in ("554 5.3.2 no", "421 4.3.2 no", "drop"):
            with self.subTest(greeting), Scripted(
                    self.mx1, greeting=greeting):
                self.submit("bob@two.example")
                count += 1
                second.wait(count)
        self.assertEqual(self.home.messages(), [])

    def test_no_fallback_after_5xx(self):
        """What one host has refused for good is not sent to another."""
        first = self.server("mx1", rcpt="550 5.1.1 nobody")
        second = self.server("mx2")
        self.submit("bob@two.example")
        report = self.bounce()
        self.assertEqual(report.rcpt("bob@two.example")["Status"], "5.1.1")
        self.assertEqual(len(first.commands("RCPT")), 1)
        self.assertEqual(second.sessions, [])

    def test_second_takes_what_the_first_put_off(self):
        self.server("mx1", rcpt="450 4.2.0 later")
        second = self.server("mx2")
        self.submit("bob@two.example")
        second.wait(1)

    def share(self, count, **options):
        """Submit COUNT messages, one after the other, to a domain with three
        hosts of equal preference, which have OPTIONS: the least that one of
        them got."""
        servers = [self.server(f"mx{i}", **options) for i in (1, 2, 3)]
        for i in range(count):
            self.submit(f"bob{i}@three.example")
            fixture.until(lambda: sum(len(s.accepted) for s in servers) > i,
                          "not all arrived")
        return min(len(server.accepted) for server in servers)

    def test_equal_preference(self):
        """Each gets some: that one of three gets none of 40 by chance is
        next to impossible (RFC 5321, 5.1)."""
        self.assertGreater(self.share(40, one_message=True), 0)

    def test_equal_preference_over_kept_connections(self):
        """S36: no host gets all of it because its connection is open."""
        self.assertGreaterEqual(self.share(24), 4)

    def test_null_mx(self):
        """RFC 7505, 3"""
        self.submit("bob@null.example")
        fields = self.bounce().rcpt("bob@null.example")
        self.assertEqual(fields["Status"], "5.1.10")
        self.assertEqual(fields["Action"], "failed")

    def test_report(self):
        """All there is in one (RFC 3461, 6.1; RFC 3461, 6.2; RFC 3464, 2.2;
        RFC 3464, 2.3; RFC 6522, 3)."""
        self.server("mx1", rcpt="550 5.7.1 we do not like you")
        self.smtpout.submit(
            message("The body.\n", "a subject"),
            ("bob@nomx.example", "ORCPT=rfc822;robert+40else.example"),
            mail="ENVID=my+2Bid RET=HDRS")
        report = self.bounce()
        head = report.message
        self.assertEqual(head["To"].addresses[0].addr_spec,
                         "alice@home.example")
        self.assertEqual(head["Auto-Submitted"], "auto-replied")
        self.assertIsNotNone(head["Message-ID"])
        self.assertIsNotNone(head["Date"])
        self.assertIn(b"Return-Path: <>", self.home.messages()[0])
        self.assertEqual(report.whole["Reporting-MTA"], "dns; out.example")
        self.assertEqual(report.whole["Original-Envelope-Id"], "my+id")
        self.assertIsNotNone(report.whole["Arrival-Date"])
        fields = report.rcpt("bob@nomx.example")
        self.assertEqual(fields["Original-Recipient"],
                         "rfc822; robert@else.example")
        self.assertEqual(fields["Action"], "failed")
        self.assertEqual(fields["Status"], "5.7.1")
        self.assertEqual(fields["Remote-MTA"], "dns; nomx.example")
        self.assertEqual(fields["Diagnostic-Code"],
                         "smtp; 550 5.7.1 we do not like you")
        self.assertIsNotNone(fields["Last-Attempt-Date"])
        self.assertIn("bob@nomx.example", report.text)
        self.assertIn("we do not like you", report.text)
        self.assertEqual(report.original.get_content_type(),
                         "text/rfc822-headers")
        self.assertIn("Subject: a subject", report.original_text)
        self.assertNotIn("The body", report.original_text)

    def test_no_such_domain(self):
        self.submit("bob@nowhere.example")
        self.assertEqual(self.bounce().rcpt("bob@nowhere.example")["Status"],
                         "5.1.2")

    def test_no_address_of_any_kind(self):
        for domain in ("empty.example", "gone.example"):
            self.submit(f"bob@{domain}")
        reports = [Report(text) for text in self.home.wait(2, "alice")]
        self.assertEqual([r.rcpts[0]["Status"] for r in reports],
                         ["5.4.4", "5.4.4"])

    def test_without_mx(self):
        """RFC 5321, 5.1"""
        server = self.server("mx1")
        self.submit("bob@nomx.example")
        server.wait(1)

    def test_families(self):
        """RFC 5321, 5.2"""
        four, six = self.server("four"), self.server("six")
        self.submit("bob@only4.example")
        self.submit("bob@only6.example")
        self.assertEqual(four.wait(1)[0].peer, "198.51.100.1")
        self.assertEqual(six.wait(1)[0].peer, "2001:db8::1")

    def test_lame_ipv6(self):
        """A host with an IPv6 address that does not answer."""
        server = self.server("mx1")
        start = time.monotonic()
        self.submit("bob@both.example")
        server.wait(1)
        self.assertLess(time.monotonic() - start,
                        (CONNECT_TIMEOUT + 10) * fixture.SLOW)

    def test_literals(self):
        """RFC 5321, 4.1.3"""
        server = self.server("mx1")
        self.submit("bob@[198.51.100.11]", "carol@[IPv6:2001:db8::11]")
        taken = {t.rcpts[0]: t for t in server.wait(2)}
        self.assertEqual(taken["bob@[198.51.100.11]"].local, "198.51.100.11")
        self.assertEqual(taken["carol@[IPv6:2001:db8::11]"].local,
                         "2001:db8::11")

    def test_dead_first_mx(self):
        """It is waited for once, not for each message."""
        timeout = 6 * fixture.SLOW
        self.smtpout.restart("--connect-timeout", f"{timeout:.0f}")
        second = self.server("mx2")
        start = time.monotonic()
        self.submit("bob@dead.example")
        second.wait(1, timeout + fixture.WAIT)
        first = time.monotonic() - start
        self.assertGreater(first, timeout * 0.9)
        self.smtpout.wait_empty()
        # The connection that is open now would serve; it is to be another.
        fixture.until(lambda: second.commands("QUIT"), "it stays open")
        for i in range(3):
            start = time.monotonic()
            self.submit(f"bob{i}@dead.example")
            second.wait(2 + i)
            self.assertLess(time.monotonic() - start, timeout / 2)
        print(f"\nfirst message {first:.2f} s, "
              f"then {time.monotonic() - start:.2f} s", end=" ")

    def test_deaf_first_mx(self):
        """It takes the connection and says nothing."""
        self.smtpout.restart("--command-timeout", "2")
        self.enterContext(Deaf(self.mx1))
        second = self.server("mx2")
        self.submit("bob@two.example")
        second.wait(1)

    def test_dns_down_then_up(self):
        server = self.server("mx1")
        self.world.names.stop()
        ident = self.submit("bob@late.example")
        fixture.until(lambda: "4.4.3" in self.smtpout.ask("why", ident),
                      "nobody tried", 4 * fixture.WAIT)
        self.assertEqual(self.smtpout.ids(), [ident])
        self.world.names.start()
        server.wait(1, 3 * fixture.WAIT)
        self.smtpout.wait_empty()
        self.assertEqual(self.home.messages(), [])

    def test_two_domains_of_one_site(self):
        """One message to both: a transaction for each domain."""
        server = self.server("mx1")
        self.world.zone(ZONE + "same.example. MX 10 mx1.example.\n"
                        "equal.example. MX 10 mx1.example.\n")
        self.submit("a@same.example", "b@equal.example", "c@same.example")
        fixture.until(lambda: len(server.rcpts()) == 3, "not all arrived")
        self.assertEqual(sorted(sorted(t.rcpts) for t in server.accepted),
                         [["a@same.example", "c@same.example"],
                          ["b@equal.example"]])

    def test_fifty_recipients_at_a_time(self):
        """RFC 5321, 4.5.3.1.8"""
        server = self.server("mx1")
        rcpts = [f"user{i}@nomx.example" for i in range(120)]
        self.submit(*rcpts)
        fixture.until(lambda: len(server.rcpts()) == 120, "not all arrived")
        self.assertEqual(server.rcpts(), sorted(rcpts))
        self.assertLessEqual(max(len(t.rcpts) for t in server.accepted), 50)

    def test_one_connection_for_many(self):
        server = self.server("mx1")
        with self.smtpout.client() as client:
            for i in range(50):
                client.submit(message(), f"bob{i}@nomx.example")
        server.wait(50)
        self.assertLess(len(server.sessions), 11)


if __name__ == "__main__":
    world.main()
