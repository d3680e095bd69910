# SPDX-License-Identifier: MIT
"""Certificates, versions, clients' certificates and tickets."""

import hashlib
import re
import ssl
import subprocess
import time
import unittest
import warnings

import harness
from harness import Client, at, client_context, serve


def der(name):
    with open(at(name), encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(
            file.read())


def certificate(port, name, ciphers=None):
    """Which of the certificates a client that asks for NAME is shown."""
    context = client_context(top=ssl.TLSVersion.TLSv1_2, ciphers=ciphers)
    with Client(port, context, name) as client:
        shown = client.socket.getpeercert(True)
        client.greet()
        client.quit()
    for file in ("a", "a-rsa", "b", "b-rsa", "wild", "cn", "nul-name"):
        if der(file + ".pem") == shown:
            return file
    return None


class Names(unittest.TestCase):
    def check(self, host, table):
        for name, expected in table.items():
            with self.subTest(name=name):
                self.assertEqual(certificate(host.ports[1], name), expected)

    def test_each_name(self):
        host = serve(self, "a", "b", "wild", "cn")
        self.check(host, {
            "a.example": "a",
            "b.example": "b",
            "c.example": "b",
            "B.EXAMPLE": "b",
            "one.wild.example": "wild",
            "ONE.Wild.Example": "wild",
            "two.one.wild.example": "a",
            "wild.example": "a",
            "xwild.example": "a",
            "cn.example": "cn",
            "unknown.example": "a",
            None: "a",
        })
        host.saw(r"name=<two\.one\.wild\.example>")
        host.saw(r"name=<>")

    def test_the_first_is_the_default(self):
        host = serve(self, "b", "a")
        self.check(host, {"a.example": "a", "unknown.example": "b",
                          None: "b"})

    def test_a_nul_ends_no_name(self):
        host = serve(self, "b", "nul-name")
        self.check(host, {"a.example": "b"})

    def test_two_kinds_of_key(self):
        for pairs in (("a", "a-rsa"), ("a-rsa", "a")):
            host = serve(self, *pairs)
            for name in ("a.example", "unknown.example", None):
                with self.subTest(pairs=pairs, name=name):
                    port = host.ports[1]
                    self.assertEqual(certificate(port, name, "aRSA"), "a-rsa")
                    self.assertEqual(certificate(port, name, "aECDSA"), "a")

    def test_another_kind_for_another_name(self):
        """It is not shown to those who did not ask for that name."""
        host = serve(self, "a", "b-rsa")
        self.assertEqual(certificate(host.ports[1], "b.example"), "b-rsa")
        for name in ("a.example", None):
            with self.assertRaises(ssl.SSLError):
                certificate(host.ports[1], name, "aRSA")

    def test_the_whole_chain(self):
        host = serve(self, start=False)
        host.ask("context", "chain")
        host.ask("add", "chain", at("chain.pem"), at("a.key"))
        host.ask("set", "chain")
        host.ask("start")
        shown = subprocess.run(
            [harness.need("openssl"), "s_client", "-showcerts", "-connect",
             f"127.0.0.1:{host.ports[1]}"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False).stdout
        self.assertEqual(shown.count("BEGIN CERTIFICATE"), 2)

    def test_verified_by_the_client(self):
        host = serve(self, "a")
        context = client_context("a.example")
        with Client(host.ports[1], context, "a.example") as client:
            client.greet()
        with self.assertRaises(ssl.SSLCertVerificationError):
            Client(host.ports[1], context, "b.example")
        # T9: the client said why.  In TLS 1.3 mbedTLS 3.6 cannot read it.
        old = client_context("b.example", ssl.TLSVersion.TLSv1_2)
        with self.assertRaises(ssl.SSLCertVerificationError):
            Client(host.ports[1], old, "b.example")
        host.saw(r"^log 3 refused .*no TLS.* ended it with alert \d+, \w+")

    def test_a_very_long_name(self):
        host = serve(self, "a")
        label = "x" * 60
        name = ".".join([label] * 4)
        self.assertEqual(certificate(host.ports[1], name), "a")
        host.saw(f"name=<{name}>")


class Versions(unittest.TestCase):
    def old(self, version):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context = client_context(ciphers="ALL:@SECLEVEL=0")
            context.minimum_version = version
            context.maximum_version = version
        return context

    def test_old_ones_are_refused(self):
        host = serve(self, "a", "a-rsa")
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                Client(host.ports[1], self.old(version))
            with Client(host.ports[0]) as client:
                with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                    client.starttls(self.old(version))
        host.counts("refused_tls", 4)

    def test_the_lowest_can_be_1_3(self):
        host = serve(self, start=False)
        host.ask("context", "new", "min=1.3")
        host.post("add", "new", at("a.pem"), at("a.key"))
        answer = host.answer()
        if answer != "=":
            self.assertEqual(answer,
                             "! min_version: this mbedTLS has no TLS 1.3")
            return
        host.ask("set", "new")
        host.ask("start")
        with Client(host.ports[1], client_context()) as client:
            self.assertEqual(client.socket.version(), "TLSv1.3")
            client.greet()
        with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
            Client(host.ports[1], client_context(
                top=ssl.TLSVersion.TLSv1_2))

    def test_weak_suites_are_refused(self):
        host = serve(self, "a", "a-rsa")
        for ciphers in ("AES128-SHA", "AES128-GCM-SHA256", "DHE",
                        "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
                        "PSK", "ECDHE-ECDSA-AES128-CCM"):
            context = client_context(top=ssl.TLSVersion.TLSv1_2,
                                     ciphers=ciphers + ":@SECLEVEL=0")
            with self.subTest(ciphers), self.assertRaises(ssl.SSLError):
                Client(host.ports[1], context)

    def test_good_suites(self):
        host = serve(self, "a", "a-rsa")
        for ciphers in ("ECDHE-ECDSA-CHACHA20-POLY1305",
                        "ECDHE-ECDSA-AES128-GCM-SHA256",
                        "ECDHE-ECDSA-AES256-GCM-SHA384",
                        "ECDHE-RSA-CHACHA20-POLY1305",
                        "ECDHE-RSA-AES128-GCM-SHA256",
                        "ECDHE-RSA-AES256-GCM-SHA384"):
            context = client_context(top=ssl.TLSVersion.TLSv1_2,
                                     ciphers=ciphers)
            with self.subTest(ciphers), \
                    Client(host.ports[1], context) as client:
                client.greet()
                client.deliver()
                client.quit()

    def test_cbc_suites_of_old_senders(self):
        """T7: by setting, after STARTTLS alone, and the last."""
        host = serve(self, "a", "a-rsa", settings={"cbc_suites": 1})
        for ciphers in ("ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384",
                        "ECDHE-ECDSA-AES128-SHA256"):
            context = client_context(top=ssl.TLSVersion.TLSv1_2,
                                     ciphers=ciphers + ":@SECLEVEL=0")
            with self.subTest(ciphers):
                with Client(host.ports[0]) as client:
                    client.starttls(context, "a.example")
                    client.say("EHLO client.example.net")
                    client.deliver()
                    client.quit()
                with self.assertRaises(ssl.SSLError):
                    Client(host.ports[1], context)
        context = client_context(
            top=ssl.TLSVersion.TLSv1_2,
            ciphers="ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
        with Client(host.ports[0]) as client:
            client.starttls(context, "a.example")
            self.assertEqual(client.socket.cipher()[0],
                             "ECDHE-RSA-AES128-GCM-SHA256")

    def test_the_fast_curve_first(self):
        host = serve(self, "a")
        for version in ("-tls1_2", "-tls1_3"):
            said = subprocess.run(
                [harness.need("openssl"), "s_client", version, "-connect",
                 f"127.0.0.1:{host.ports[1]}", "-groups",
                 "P-521:P-384:X25519:P-256"], stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False).stdout
            if version == "-tls1_2":
                self.assertRegex(said, "(Server|Peer) Temp Key: ECDH, prime256v1")


class Clients(unittest.TestCase):
    """Certificates of clients."""

    def session(self, host, cert, name="a.example"):
        with Client(host.ports[1], client_context(cert=cert), name) as client:
            client.greet()
            client.deliver()
            client.quit()
        return host.saw("subject=<(.*)> fingerprint=<(.*)> verified=(.)")

    def refused(self, host, cert):
        with self.assertRaises((ssl.SSLError, ConnectionError,
                                AssertionError)):
            self.session(host, cert)
        host.saw("^log 3 refused .*no TLS")
        self.assertEqual(host.events(), [])

    def fingerprint(self, name):
        return hashlib.sha256(der(name + ".pem")).hexdigest()

    def test_not_asked(self):
        host = serve(self, "a")
        self.assertEqual(self.session(host, "client").groups(),
                         ("", "", "0"))

    def test_asked(self):
        for cert, subject, verified in (
                ("client", "CN=client.example", "1"),
                ("stranger", "CN=stranger", "0"),
                ("expired", "CN=expired", "0"),
                ("lines", None, "1")):
            host = serve(self, "a",
                         settings={"clients": "asked", "ca": at("ca.pem")})
            with self.subTest(cert):
                facts = self.session(host, cert)
                self.assertEqual(facts[2], self.fingerprint(cert))
                self.assertEqual(facts[3], verified)
                if subject:
                    self.assertEqual(facts[1], subject)
                self.assertTrue(facts[1].isprintable())

    def test_asked_without_authorities(self):
        host = serve(self, "a", settings={"clients": "asked"})
        self.assertEqual(self.session(host, "client").groups()[1:],
                         (self.fingerprint("client"), "0"))

    def test_asked_and_none_given(self):
        host = serve(self, "a",
                     settings={"clients": "asked", "ca": at("ca.pem")})
        self.assertEqual(self.session(host, None).groups(), ("", "", "0"))

    def test_demanded(self):
        settings = {"clients": "demanded", "ca": at("ca.pem")}
        facts = self.session(serve(self, "a", settings=settings), "client")
        self.assertEqual(facts.groups(), (
            "CN=client.example", self.fingerprint("client"), "1"))
        for cert in (None, "stranger", "expired"):
            with self.subTest(cert):
                self.refused(serve(self, "a", settings=settings), cert)


class Idle(unittest.TestCase):
    """A session gives memory back after two seconds without a byte."""

    MESSAGE = "Subject: x\r\n\r\n" + ("y" * 998 + "\r\n") * 100

    def test_goes_on(self):
        for top in (ssl.TLSVersion.TLSv1_2, None):
            host = serve(self, "a")
            context = client_context(top=top)
            with Client(host.ports[1], context, "a.example") as one, \
                    Client(host.ports[0]) as two:
                one.greet()
                two.starttls(context, "a.example")
                two.say("EHLO client.example.net")
                for _ in range(2):
                    one.expect("250", one.say("MAIL FROM:<a@example.net>"))
                    time.sleep(2.5)
                    one.expect("250", one.say("RSET"))
                    one.deliver(self.MESSAGE)
                    two.deliver(self.MESSAGE)
                one.quit()
                two.quit()
            host.wait_events("size=100014 ", 4)

    def test_memory(self):
        host = serve(self, "a")
        with open(f"/proc/{host.process.pid}/maps", encoding="ascii") as maps:
            if re.search("lib[at]san", maps.read()):
                self.skipTest("sanitizers need more")

        def connect(count):
            for _ in range(count):
                client = Client(host.ports[1], client_context(), "a.example")
                self.addCleanup(client.close)
                client.greet()
            time.sleep(3.5)

        def memory():
            path = f"/proc/{host.process.pid}/smaps_rollup"
            with open(path, encoding="ascii") as file:
                return int(re.search(r"\nPss: +(\d+)", file.read())[1])

        connect(5)
        before = memory()
        connect(100)
        # On a busy machine some are later than others.
        harness.until(lambda: (memory() - before) / 100 < 44.5,
                      "idle connections to give memory back")
        print(f"{(memory() - before) / 100:.1f} KB for an idle connection in "
              "TLS", flush=True)


class Tickets(unittest.TestCase):
    VERSIONS = (ssl.TLSVersion.TLSv1_2, None)

    def connect(self, host, context, session=None, port=1):
        """Whether SESSION was resumed, and the one for the next time."""
        client = Client(host.ports[port],
                        context if port == 1 else None, "a.example", session)
        with client:
            if port == 0:
                client.starttls(context, "a.example", session)
                client.say("EHLO client.example.net")
            else:
                client.greet()
            client.deliver()
            reused = client.socket.session_reused
            session = client.socket.session
            client.quit()
        return reused, session

    def each(self):
        for top in self.VERSIONS:
            with self.subTest(top):
                yield client_context(top=top)

    def test_resume(self):
        for context in self.each():
            host = serve(self, "a")
            reused, session = self.connect(host, context)
            self.assertFalse(reused)
            for port in (1, 0, 0, 1):
                reused, session = self.connect(host, context, session, port)
                self.assertTrue(reused)
            facts = host.wait_events("^tls ", 5)
            self.assertEqual(len(set(facts)), 1)
            self.assertIn("name=<a.example>", facts[0])

    def test_useless_elsewhere(self):
        for context in self.each():
            _, session = self.connect(serve(self, "a"), context)
            other = serve(self, "a")
            self.assertFalse(self.connect(other, context, session)[0])

    def test_useless_at_another_context_of_the_same_server(self):
        for context in self.each():
            host = serve(self, "a")
            _, session = self.connect(host, context)
            host.context("second", "a")
            host.ask("set", "second")
            self.assertFalse(self.connect(host, context, session)[0])

    def test_taken_over(self):
        for context in self.each():
            host = serve(self, "a")
            _, session = self.connect(host, context)
            host.context("second", "a", tickets_of="first")
            host.ask("set", "second")
            host.ask("drop", "first")
            reused, session = self.connect(host, context, session)
            self.assertTrue(reused)
            host.context("third", "a", tickets_of="second")
            host.ask("set", "third")
            host.ask("drop", "second")
            self.assertTrue(self.connect(host, context, session)[0])

    def test_taken_over_by_another_kind_of_key(self):
        """The session is not resumed with a suite that it had not
        (RFC 5246, 7.4.1.3)."""
        for context in self.each():
            host = serve(self, "a")
            _, session = self.connect(host, context)
            for name, pairs in (("rsa", ["a-rsa"]), ("both", ["a-rsa", "a"]),
                                ("back", ["a"])):
                host.context(name, *pairs, tickets_of="first")
                host.ask("set", name)
                self.connect(host, context, session)
            self.assertTrue(self.connect(host, context, session)[0])

    def test_not_taken_over_where_clients_show_certificates(self):
        for context in self.each():
            host = serve(self, "a")
            _, session = self.connect(host, context)
            host.context("strict", "a", tickets_of="first",
                         clients="demanded", ca=at("ca.pem"))
            host.ask("set", "strict")
            with self.assertRaises((ssl.SSLError, ConnectionError,
                                    AssertionError)):
                self.connect(host, context, session)
            host.counts("tls", 1)

    def test_none_where_clients_show_certificates(self):
        for top in self.VERSIONS:
            context = client_context(top=top, cert="client")
            host = serve(self, "a",
                         settings={"clients": "asked", "ca": at("ca.pem")})
            _, session = self.connect(host, context)
            self.assertFalse(self.connect(host, context, session)[0])
            host.wait_events("verified=1", 2)

    def test_switched_off(self):
        for context in self.each():
            host = serve(self, "a", settings={"no_tickets": "1"})
            _, session = self.connect(host, context)
            self.assertFalse(self.connect(host, context, session)[0])
            host.context("second", "a", tickets_of="first")
            host.ask("set", "second")
            _, session = self.connect(host, context)
            self.assertTrue(self.connect(host, context, session)[0])

    def test_expire(self):
        context = client_context(top=ssl.TLSVersion.TLSv1_2)
        host = serve(self, "a", settings={"lifetime": "1"})
        _, session = self.connect(host, context)
        time.sleep(2.5)
        self.assertFalse(self.connect(host, context, session)[0])


if __name__ == "__main__":
    harness.main()
