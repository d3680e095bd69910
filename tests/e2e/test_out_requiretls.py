# SPDX-License-Identifier: MIT
"""What the sender wants of TLS (RFC 8689): REQUIRETLS, and TLS-Required: No."""

import email
import email.policy
import ssl

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import message
from test_out_sts import StsCase


def offer(session, _):
    """The reply to EHLO of a host with REQUIRETLS."""
    words = ["scripted.example", "DSN",
             "STARTTLS" if session.tls is None else "REQUIRETLS"]
    return "\r\n".join(f"250{'-' if word != words[-1] else ' '}{word}"
                       for word in words)


class Requests(StsCase):
    """one.example has a policy in "enforce", two.example has none."""

    def start(self, *options, **more):
        certificate, key = self.ca.sign("out.example")
        super().start("--tls-cert", certificate, "--tls-key", key, *options,
                      **more)

    def submit_tls(self, *rcpts, content=None, **options):
        """Submit with REQUIRETLS, in TLS."""
        with self.smtpout.client() as client:
            client.must("STARTTLS", 220)
            client.wrap(ssl.create_default_context(cafile=self.ca.ca),
                        "out.example")
            client.must("EHLO client.example")
            return client.submit(content or message("secret\n"), *rcpts,
                                 mail="REQUIRETLS", **options)

    def offering(self, name="mx1", **rules):
        """A host that offers REQUIRETLS within TLS."""
        return self.server(name, ehlo=offer, **rules)

    def report(self, server):
        """The report that comes to the sender, at two.example."""
        taken = server.wait(1, 3 * fixture.WAIT)[-1]
        self.assertEqual(taken.sender, "")
        return taken.content


class RequireTls(Requests):
    def test_good(self):
        """RFC 8689, 4.2.1: a host that the domain vouches for, with a good
        certificate, and with REQUIRETLS."""
        self.start()
        server = self.offering(tls=self.good)
        self.submit_tls("bob@one.example")
        taken, = server.wait(1)
        self.assertIn("REQUIRETLS", taken.parameters)

    def test_not_offered(self):
        """RFC 8689, 4.2.1: a host without it is of no use, 5.7.30; RFC 8689,
        5: the report has no body."""
        self.start()
        server = self.server("mx1", tls=self.good)
        reports = self.server("mx2")
        self.submit_tls("bob@one.example", sender="ann@two.example")
        report = self.report(reports)
        self.assertIn(b"5.7.30", report)
        self.assertNotIn(b"secret", report)
        self.assertIn(b"Subject: test", report)
        self.assertEqual(server.taken, [])

    def test_not_vouched_for(self):
        """RFC 8689, 4.2.1: neither DNSSEC nor MTA-STS says which hosts are the
        domain's: whoever forges the MX would get it."""
        self.start()
        server = self.offering("mx2", tls=self.good2)
        reports = self.server("mx3")
        self.records("three.example. MX 10 mx3.example.")
        self.submit_tls("bob@two.example", sender="ann@three.example")
        self.assertIn(b"5.7.30", self.report(reports))
        self.assertEqual(server.taken, [])

    def test_testing_is_not_enough(self):
        """RFC 8689, 4.2.1: a policy that is only tested vouches for nobody."""
        self.web.publish("mx1.example", mode="testing")
        self.start()
        server = self.offering(tls=self.good)
        reports = self.server("mx2")
        self.submit_tls("bob@one.example", sender="ann@two.example")
        self.assertIn(b"5.7.30", self.report(reports))
        self.assertEqual(server.taken, [])

    def test_bad_certificate(self):
        self.start()
        server = self.offering(tls=self.other)
        ident = self.submit_tls("bob@one.example")
        self.deferred(ident)
        self.assertEqual(server.taken, [])

    def test_smarthost(self):
        """A host that the operator names is vouched for by that."""
        self.start("--smarthost", "mx1.example")
        server = self.offering(tls=self.good)
        self.submit_tls("bob@nowhere.example")
        server.wait(1)
        server.close()
        bad = self.offering(tls=self.other)
        ident = self.submit_tls("bob@nowhere.example")
        self.deferred(ident)
        self.assertEqual(bad.taken, [])

    def test_connection_of_another_message(self):
        """One that was opened for less is of no use."""
        self.start()
        server = self.server("mx2", tls=self.self_signed)
        self.submit("bob@two.example")
        server.wait(1)
        self.records("three.example. MX 10 mx3.example.")
        reports = self.server("mx3")
        self.submit_tls("bob@two.example", sender="ann@three.example")
        self.assertIn(b"5.7.30", self.report(reports))
        self.assertEqual(len(server.taken), 1)

    def test_restart(self):
        """The demand is in the queue, on the disk."""
        self.start()
        ident = self.submit_tls("bob@one.example")
        self.deferred(ident)
        self.smtpout.process.kill()
        self.smtpout.process.wait()
        self.smtpout.start()
        server = self.offering(tls=self.good)
        self.smtpout.flush_to(server)
        self.assertIn("REQUIRETLS", server.taken[0].parameters)

    def test_only_in_tls(self):
        """RFC 8689, 2: the keyword is said in TLS alone."""
        self.start()
        with self.smtpout.client() as client:
            reply = client.say("EHLO client.example")
            self.assertNotIn("REQUIRETLS", reply)
            self.assertEqual(client.say(
                "MAIL FROM:<a@home.example> REQUIRETLS").code, 530)


class TlsRequiredNo(Requests):
    def test_policies_are_ignored(self):
        """RFC 8689, 4.2.2: neither certificate, nor TLS, nor the list of hosts."""
        self.start()
        for name, mx, options in (
                ("plain", "mx1.example", {}),
                ("other name", "mx1.example", {"tls": self.other})):
            with self.subTest(name), Scripted(self.mx1, **options) as server:
                self.smtpout.submit(message(TLS_Required="No"),
                                    "bob@one.example")
                server.wait(1)
                self.smtpout.wait_empty()

    def test_other_values(self):
        """RFC 8689, 3: only "No" counts, and only once."""
        self.start()
        server = self.server("mx1")
        for headers in ({"TLS_Required": "Yes"},
                        {"TLS_Required": "No\nTLS-Required: No"}):
            ident = self.smtpout.submit(message(**headers), "bob@one.example")
            self.deferred(ident)
        self.assertEqual(server.taken, [])

    def test_no_connection_for_others(self):
        """A connection that was opened for such a message serves no other."""
        self.start()
        server = self.server("mx1")
        self.smtpout.submit(message(TLS_Required="No"), "bob@one.example")
        server.wait(1)
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.assertEqual(len(server.taken), 1)

    def test_requiretls_wins(self):
        """RFC 8689, 4.1"""
        self.start()
        server = self.server("mx1")
        ident = self.submit_tls("bob@one.example",
                                content=message(TLS_Required="No"))
        self.deferred(ident)
        self.assertEqual(server.taken, [])

    def test_report(self):
        """RFC 8689, 5: a report says the same."""
        self.start()
        self.server("mx1", rcpt="550 5.1.1 no such user")
        reports = self.server("mx2")
        self.smtpout.submit(message(TLS_Required="No"), "bob@one.example",
                            sender="ann@two.example")
        report = email.message_from_bytes(self.report(reports),
                                          policy=email.policy.default)
        self.assertEqual(report["TLS-Required"], "No")


if __name__ == "__main__":
    world.main()
