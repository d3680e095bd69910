# SPDX-License-Identifier: MIT
"""smtpout keeps to the policies of MTA-STS that domains publish."""

import os

import smtpin_fixture as fixture
import world
from scripted_server import DROP, Scripted
from test_out_dane import DaneCase, tlsa
from tls_case import ZONE, TlsCase
from web_server import POLICY, WebServer


class StsCase(TlsCase):
    HOSTS = ("mx1", "mx2", "mx3", "web")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web_pairs = {name: cls.ca.sign(name) for name in (
            "mta-sts.one.example", "mta-sts.two.example")}

    def setUp(self):
        self.web = self.enterContext(WebServer(self.world.hosts["web"],
                                               self.web_pairs))
        self.web.publish("mx1.example")
        self.records()

    def records(self, *extra, one='"v=STSv1; id=1;"'):
        lines = list(extra)
        if one is not None:
            lines.append(f"_mta-sts.one.example. TXT {one}")
        self.world.zone(ZONE + "\n".join([
            f"mta-sts.one.example. A {self.world.hosts['web'].address}",
            f"mta-sts.two.example. A {self.world.hosts['web'].address}",
            *lines]))

    def start(self, *options, **more):
        super().start("--mta-sts", "on", "--mta-sts-ca", self.ca.ca,
                      *options, **more)

    def stop(self):
        self.smtpout.stop()
        self.smtpout.remove()

    def fetched(self):
        return [path for _, _, path, _, _ in self.web.requests]


class Enforce(StsCase):
    def test_good_host(self):
        """RFC 8461, 4.2: a good certificate, with the host's name; the policy
        is fetched once for two messages."""
        self.start()
        server = self.server("mx1", tls=self.good)
        ident = self.submit("bob@one.example")
        taken, = server.wait(1)
        self.assertIsNotNone(taken.tls)
        self.submit("eve@one.example")
        server.wait(2)
        self.assertEqual(self.fetched(), [POLICY])
        self.assertEqual(self.web.requests[0][1], "mta-sts.one.example")
        self.smtpout.wait_log("MTA-STS policy of one.example: mode=enforce")
        self.smtpout.wait_empty()
        self.assertEqual(self.smtpout.attempts(ident)[-1]["status"], "sent")

    def test_bad_hosts(self):
        """RFC 8461, 5.1: nothing goes to a host without a good certificate;
        the mail waits, and why tells the reason."""
        self.start()
        for name, options in (("plain", {}),
                              ("broken", {"handshake": DROP}),
                              ("self-signed", {"tls": self.self_signed}),
                              ("other name", {"tls": self.other})):
            with self.subTest(name), Scripted(self.mx1, **options) as server:
                ident = self.submit("bob@one.example")
                self.deferred(ident, 2)
                self.assertEqual(server.taken, [])
                self.assertEqual(server.commands("MAIL"), [])
                if name == "plain":
                    self.assertIn("MTA-STS", self.smtpout.why(ident)["reason"])
                self.smtpout.ask("remove", ident)

    def test_host_not_listed(self):
        """RFC 8461, 4.1: a forged MX leads nowhere, whatever certificate it
        has; the next one that is listed gets the mail."""
        self.start()
        self.records("one.example. MX 5 mx2.example.")
        forged = self.server("mx2", tls=self.good2)
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.assertIn("does not list", self.smtpout.ask("why", ident))
        self.assertEqual(forged.sessions, [])
        server = self.server("mx1", tls=self.good)
        self.smtpout.flush_to(server)
        self.assertEqual(forged.sessions, [])

    def test_connection_of_another_domain(self):
        """A connection that another domain may use is of no use to one whose
        policy does not list the host."""
        self.start()
        self.web.publish("mx2.example")
        self.records("three.example. MX 10 mx1.example.")
        server = self.server("mx1", tls=self.good)
        self.submit("bob@three.example")
        server.wait(1)
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.assertEqual(len(server.taken), 1)

    def test_new_policy(self):
        """RFC 8461, 5.1: mail that a policy holds up waits for a new one."""
        self.web.publish("else.example", max_age=1000)
        self.start()
        server = self.server("mx1", tls=self.good)
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.smtpout.stop()
        # As if the five minutes were over in which none is looked for.
        path = os.path.join(self.smtpout.queue_dir, "mta-sts", "one.example")
        with open(path, encoding="ascii") as file:
            text = file.read()
        before = text.partition("fetched=")[2].partition("\n")[0]
        with open(path, "w", encoding="ascii") as file:
            file.write(text.replace(before, str(int(before) - 600)))
        self.web.publish("mx1.example")
        self.records(one='"v=STSv1; id=2;"')
        self.smtpout.start()
        self.smtpout.flush_to(server)

    def test_rule_of_the_operator(self):
        """A rule goes before what a domain says."""
        self.start("--tls", "one.example=opportunistic")
        server = self.server("mx1", tls=self.self_signed)
        self.submit("bob@one.example")
        server.wait(1)

    def test_smarthost(self):
        """RFC 8461, 5: with a smarthost the recipient's domain has no say."""
        self.start("--smarthost", "mx2.example")
        server = self.server("mx2")
        self.submit("bob@one.example")
        server.wait(1)
        self.assertEqual(self.fetched(), [])

    def test_off(self):
        TlsCase.start(self, "--mta-sts", "off")
        server = self.server("mx1")
        self.submit("bob@one.example")
        server.wait(1)
        self.assertEqual(self.fetched(), [])


class Testing(StsCase):
    def test_nothing_is_blocked(self):
        """RFC 8461, 5: neither a bad certificate, nor the lack of TLS, nor a
        host that is not listed."""
        self.start()
        for name, mx, options in (
                ("plain", "mx1.example", {}),
                ("self-signed", "mx1.example", {"tls": self.self_signed}),
                ("not listed", "else.example", {"tls": self.good})):
            self.web.publish(mx, mode="testing")
            with self.subTest(name), Scripted(self.mx1, **options) as server:
                self.submit("bob@one.example")
                server.wait(1)
                self.smtpout.wait_empty()
        self.smtpout.wait_log("MTA-STS policy of one.example: mode=testing")

    def test_mode_none(self):
        """RFC 8461, 8.3"""
        self.web.publish(mode="none")
        self.start()
        server = self.server("mx1")
        self.submit("bob@one.example")
        server.wait(1)
        self.assertEqual(self.fetched(), [POLICY])


class Fetch(StsCase):
    def unfetched(self, reason):
        """The mail goes without a policy, which cannot be had for REASON."""
        self.start()
        with Scripted(self.mx1) as server:
            self.submit("bob@one.example")
            server.wait(1, 3 * fixture.WAIT)
        line, = self.smtpout.wait_log("MTA-STS policy of one.example cannot")
        self.assertRegex(line, reason)
        self.stop()

    def test_web_servers_that_err(self):
        """RFC 8461, 3.3: no redirect is followed, and only 200 and text/plain
        is a policy; else mail goes as without."""
        for what, reason, rules in (
                ("redirect", "status 301", {"status": 301, "fields": {
                    "Location": "https://mta-sts.two.example" + POLICY}}),
                ("missing", "status 404", {"status": 404}),
                ("page", "text/plain", {"type": "text/html"}),
                ("no type", "text/plain", {"type": None}),
                ("other type", "text/plain", {"type": "text/plainer"}),
                ("not a policy", "key: value", {"text": b"hello"}),
                ("too long", "65536", {"text": self.web.text + b"x: y\n" *
                                       13107})):
            with self.subTest(what):
                self.web.requests.clear()
                kept = {name: getattr(self.web, name) for name in rules}
                for name, value in rules.items():
                    setattr(self.web, name, value)
                self.unfetched(reason)
                self.assertEqual(self.fetched(), [POLICY])
                for name, value in kept.items():
                    setattr(self.web, name, value)

    def test_web_server_of_another(self):
        """RFC 8461, 3.3: the certificate is good for that very name."""
        self.web.__exit__()
        for what, pair in (("name", self.web_pairs["mta-sts.two.example"]),
                           ("authority", self.ca.self_signed(
                               "mta-sts.one.example", "selfweb"))):
            with self.subTest(what), WebServer(
                    self.world.hosts["web"], {"x": pair}) as self.web:
                self.web.publish("mx1.example")
                self.unfetched("certificate")
                self.assertEqual(self.fetched(), [])
        self.setUp()

    def test_no_web_server(self):
        self.web.__exit__()
        self.unfetched("(?i)refused|connect")
        self.setUp()

    def test_others_do_not_wait(self):
        """A web server that is slow holds up the mail of its domain alone."""
        self.web.stalled.clear()
        self.start()
        first = self.server("mx1", tls=self.good)
        second = self.server("mx2")
        self.submit("bob@one.example")
        fixture.until(self.fetched, "nothing was fetched")
        self.submit("bob@two.example")
        second.wait(1)
        self.assertEqual(first.taken, [])
        self.web.stalled.set()
        first.wait(1)

    def test_restart(self):
        """RFC 8461, 10.2: a policy holds over a restart, though neither record
        nor web server is there any more."""
        self.start()
        server = self.server("mx1", tls=self.good)
        self.submit("bob@one.example")
        server.wait(1)
        server.close()
        self.smtpout.wait_empty()
        self.smtpout.process.kill()
        self.smtpout.process.wait()
        self.records(one=None)
        self.web.status = 404
        self.smtpout.start()
        plain = self.server("mx1")
        self.deferred(self.submit("bob@one.example"))
        self.assertEqual(plain.taken, [])

    def test_stop_while_fetching(self):
        """Who waits for a web server does not hold up the end."""
        self.web.stalled.clear()
        self.start()
        self.submit("bob@one.example")
        fixture.until(self.fetched, "nothing was fetched")
        self.smtpout.stop()
        self.web.stalled.set()


class WithDane(DaneCase):
    """A domain whose DNS is signed, with a policy besides."""

    def setUp(self):
        web = self.world.hosts.get("web") or self.world.host("web", 14, "4")
        pair = self.ca.sign("mta-sts.one.dane")
        self.web = self.enterContext(WebServer(web, {"web": pair}))
        self.zone = ("one.dane. MX 10 mx1.dane.\n"
                     '_mta-sts.one.dane. TXT "v=STSv1; id=1;"\n'
                     f"mta-sts.one.dane. A {web.address}\n")

    def start(self, *options, **more):
        super().start("--mta-sts", "on", "--mta-sts-ca", self.ca.ca,
                      "--tls-ca", self.ca.ca, *options, **more)

    def test_dane_decides_alone(self):
        """RFC 8461, 2: a host that does what its TLSA records demand is good,
        whatever the policy says of it."""
        self.web.publish("else.example")
        self.world.zone(self.zone + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.sent(ident)["reached"], "dane")

    def test_policy_does_not_override_dane(self):
        """RFC 8461, 2: what fails by DANE is not good by a policy."""
        self.web.publish("mx1.dane")
        self.world.zone(self.zone + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        server = self.server(tls=self.ca.sign("mx1.dane"))
        self.deferred(self.submit("bob@one.dane"))
        self.assertEqual(server.taken, [])

    def test_policy_without_tlsa(self):
        """A host without TLSA records is under the policy."""
        self.web.publish("mx1.dane")
        self.world.zone(self.zone)
        self.start()
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.dane")
        self.assertEqual(self.deferred(ident)["wanted"], "sts")
        self.assertEqual(server.taken, [])
        server.close()
        good = self.server(tls=self.ca.sign("mx1.dane"))
        self.smtpout.flush_to(good)


if __name__ == "__main__":
    world.main()
