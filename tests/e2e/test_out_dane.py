# SPDX-License-Identifier: MIT
"""DANE: what smtpout demands of hosts whose DNS is signed, and what it does
where it cannot know."""

import os
import re
import ssl
import subprocess

import smtpin_fixture as fixture
import world
from receivers import Authority
from scripted_server import Scripted
from signed_world import SignedWorld
from smtpout_fixture import Smtpout, message


def tlsa(name, record, port=25):
    return f"_{port}._tcp.{name}. TLSA {record}\n"


class DaneCase(world.WorldCase):
    """Hosts mx1 and mx2, in each zone."""

    @classmethod
    def setUpClass(cls):
        cls.world = SignedWorld()
        cls.addClassCleanup(cls.world.close)
        for number, name in enumerate(("mx1", "mx2", "mx3"), 11):
            setattr(cls, name, cls.world.host(name, number, "4"))
        cls.ca = Authority(os.path.join(cls.world.root, "ca"))
        cls.pair = cls.ca.self_signed("mx1.dane", "mx1")
        cls.other = cls.ca.self_signed("mx1.dane", "other")

    def start(self, *options, dns="127.0.0.1"):
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "2", "--retry-max", "2",
            "--connect-timeout", "2", "--dns", dns, *options, dns=False))

    def server(self, name="mx1", **rules):
        return self.enterContext(Scripted(self.world.hosts[name], **rules))

    def submit(self, *rcpts):
        return self.smtpout.submit(message(), *rcpts)

    def sent(self, ident):
        """The line of the attempt that was the last."""
        self.smtpout.wait_empty()
        return self.smtpout.attempts(ident, 1)[-1]

    def deferred(self, ident):
        """The line of the first attempt, which put it off."""
        line = self.smtpout.attempts(ident, 1)[0]
        self.assertEqual(line["status"], "deferred", line)
        return line

    def key_of(self, pair):
        """The TLSA record of the key: "3 1 1 DIGEST"."""
        key = subprocess.run(
            ["openssl", "x509", "-in", pair[0], "-noout", "-pubkey"],
            capture_output=True, check=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                             input=key, capture_output=True, check=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"],
                                input=der, capture_output=True,
                                check=True).stdout.split()[0].decode()
        return "3 1 1 " + digest

    def levels(self, line):
        return line["wanted"], line["reached"]


class Demands(DaneCase):
    def test_a_record_that_matches(self):
        """The certificate is signed by itself and bears another name."""
        wrong_name = self.ca.self_signed("else.example", "else")
        self.world.zone("one.dane. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(wrong_name)))
        self.start()
        server = self.server(tls=wrong_name)
        ident = self.submit("bob@one.dane")
        self.assertIsNotNone(server.wait(1)[0].tls)
        self.assertEqual(self.levels(self.sent(ident)), ("dane", "dane"))

    def test_a_record_that_does_not(self):
        """RFC 7672, 2.2: mail waits, and "why" says why; when the record is
        right, it goes."""
        zone = "one.dane. MX 10 mx1.dane.\n"
        self.world.zone(zone + tlsa("mx1.dane", self.key_of(self.other)))
        self.start()
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.dane")
        line = self.deferred(ident)
        self.assertEqual(self.levels(line), ("dane", "encrypted"))
        self.assertEqual(line["failure"], "validation-failure")
        fixture.until(lambda: "no TLSA record matches" in
                      self.smtpout.ask("why", ident), "why does not say it")
        self.assertEqual(server.taken, [])
        self.world.zone(zone + tlsa("mx1.dane", self.key_of(self.pair)))
        self.smtpout.flush_to(server)
        self.smtpout.wait_empty()

    def test_no_starttls_at_a_host_with_records(self):
        self.world.zone("one.dane. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        server = self.server()
        line = self.deferred(self.submit("bob@one.dane"))
        self.assertEqual(self.levels(line), ("dane", "none"))
        self.assertEqual(line["failure"], "starttls-not-supported")
        self.assertEqual(server.taken, [])

    def test_a_handshake_that_breaks(self):
        """Never in plain text, however long it waits."""
        self.world.zone("one.dane. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        server = self.server(handshake="drop")
        ident = self.submit("bob@one.dane")
        fixture.until(lambda: len(self.smtpout.attempts(ident)) >= 2,
                      "no second attempt", 3 * fixture.WAIT)
        self.assertEqual(server.taken, [])

    def test_the_next_host_matches(self):
        self.world.zone("one.dane. MX 10 mx1.dane.\none.dane. MX 20 mx2.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.other))
                        + tlsa("mx2.dane", self.key_of(self.pair)))
        self.start()
        self.server("mx1", tls=self.pair)
        server = self.server("mx2", tls=self.pair)
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)), ("dane", "dane"))

    def test_records_of_no_use(self):
        """RFC 7672, 2.2; RFC 7672, 3.1.3: TLS by any certificate, but TLS."""
        self.world.zone("one.dane. MX 10 mx1.dane.\ntwo.dane. MX 10 mx2.dane.\n"
                        + tlsa("mx1.dane", "1 1 1 " + 64 * "0")
                        + tlsa("mx2.dane", "3 1 1 0011"))
        self.start()
        server = self.server("mx1", tls=self.pair)
        plain = self.server("mx2")
        ident = self.submit("bob@one.dane")
        self.assertIsNotNone(server.wait(1)[0].tls)
        self.assertEqual(self.levels(self.smtpout.attempts(ident, 1)[0]),
                         ("encrypted", "encrypted"))
        line = self.deferred(self.submit("bob@two.dane"))
        self.assertEqual(self.levels(line), ("encrypted", "none"))
        self.assertEqual(plain.taken, [])

    def test_sni_is_the_name_of_the_records(self):
        """RFC 7672, 8.1; RFC 7672, 2.2.3: also where the host is an alias."""
        self.world.zone("one.dane. MX 10 alias.dane.\n"
                        "alias.dane. CNAME mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        names = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair)
        context.sni_callback = lambda _, name, __: names.append(name)
        server = self.server(tls=context)
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)), ("dane", "dane"))
        self.assertEqual(names, ["mx1.dane"])

    def test_connections_of_different_policies_do_not_mix(self):
        """A domain whose MX is not secure shares the host, and gets no more
        than it demands; the signed one is never served by its connection."""
        self.world.zone("one.dane. MX 10 mx1.dane.\none.plain. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.pair)))
        self.start()
        server = self.server(tls=self.pair)
        wanted = []
        for domain in ("one.plain", "one.dane", "one.plain", "one.dane"):
            ident = self.submit("bob@" + domain)
            wanted.append(self.levels(self.smtpout.attempts(ident, 1)[-1]))
        server.wait(4)
        self.assertEqual(wanted, [("opportunistic", "encrypted"),
                                  ("dane", "dane")] * 2)
        self.assertGreaterEqual(len(server.sessions), 2)


class Security(DaneCase):
    """What the security of each answer means."""

    def test_below_an_mx_that_is_not_secure(self):
        """RFC 7672, 2.2.1: nothing is asked for."""
        self.world.zone("one.plain. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.other)))
        self.start()
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.plain")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)),
                         ("opportunistic", "encrypted"))

    def test_a_host_in_a_zone_without_signatures(self):
        self.world.zone("one.dane. MX 10 mx1.plain.\n"
                        + tlsa("mx1.plain", self.key_of(self.other)))
        self.start()
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)),
                         ("opportunistic", "encrypted"))

    def test_no_records(self):
        """That there are none is signed too."""
        self.world.zone("one.dane. MX 10 mx1.dane.\n")
        self.start()
        server = self.server()
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)),
                         ("opportunistic", "none"))

    def test_without_an_mx(self):
        """RFC 7672, 2.2.2."""
        self.world.zone(tlsa("mx1.dane", self.key_of(self.other)))
        self.start()
        server = self.server(tls=self.pair)
        line = self.deferred(self.submit("bob@mx1.dane"))
        self.assertEqual(self.levels(line), ("dane", "encrypted"))
        self.assertEqual(server.taken, [])

    def test_a_smarthost(self):
        self.world.zone(tlsa("mx1.dane", self.key_of(self.pair), 2525))
        self.start("--smarthost", "mx1.dane:2525")
        server = self.server(port=2525, tls=self.pair)
        ident = self.submit("bob@nobody.plain")
        server.wait(1)
        self.assertEqual(self.levels(self.sent(ident)), ("dane", "dane"))

    def test_wrong_signatures(self):
        """RFC 7672, 2.1.2: a host whose zone is bogus is not used, nor is a
        domain."""
        self.world.zone("one.dane. MX 10 mx1.bogus.\none.dane. MX 20 mx2.dane.\n"
                        "one.bogus. MX 10 mx1.dane.\n")
        self.start()
        server = self.server("mx1")
        next_server = self.server("mx2")
        self.submit("bob@one.dane")
        next_server.wait(1)
        ident = self.submit("bob@one.bogus")
        self.deferred(ident)
        self.assertEqual(server.taken, [])

    def test_an_alias_out_of_the_signed_zone(self):
        """RFC 7672, 2.2.3: the records are those of the name itself."""
        self.world.zone("one.dane. MX 10 alias.dane.\n"
                        "alias.dane. CNAME mx1.plain.\n"
                        + tlsa("alias.dane", self.key_of(self.other)))
        self.start()
        server = self.server(tls=self.pair)
        line = self.deferred(self.submit("bob@one.dane"))
        self.assertEqual(self.levels(line), ("dane", "encrypted"))
        self.assertEqual(server.taken, [])

    def test_switched_off(self):
        self.world.zone("one.dane. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.other)))
        self.start("--no-dane")
        server = self.server(tls=self.pair)
        ident = self.submit("bob@one.dane")
        server.wait(1)
        self.assertEqual(self.sent(ident)["wanted"], "opportunistic")


class Reference(DaneCase):
    """Postfix, in the same world, sees the same in each case."""

    FOUND = ((r"Verified TLS connection", "dane"),
             (r"no matching DANE TLSA records", "refused"),
             (r"(Untrusted|Trusted|Anonymous) TLS connection", "encrypted"))

    def by_postfix(self, host):
        """What posttls-finger comes to at HOST."""
        program = fixture.need("posttls-finger")
        conf = os.path.join(self.world.root, "resolv.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\noptions trust-ad\n")
        with self.world.out.inside():
            done = subprocess.run(
                ["unshare", "--mount", "sh", "-c",
                 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"', "sh",
                 conf, program, "-c", "-l", "dane", "-t", "5", "-T", "10",
                 "-L", "summary,verbose", host],
                capture_output=True, text=True, check=False)
        text = done.stdout + done.stderr
        for pattern, word in self.FOUND:
            if re.search(pattern, text):
                return word
        return text

    def by_smtpout(self, domain):
        """What smtpout comes to: an attempt that failed is refused."""
        ident = self.submit("bob@" + domain)
        line = self.smtpout.attempts(ident, 1)[0]
        return line["reached"] if line["status"] == "sent" else "refused"

    def test_the_same_result(self):
        key, other = self.key_of(self.pair), self.key_of(self.other)
        digest = key.split()[-1]
        cases = {
            "a key that matches": ([key], "dane"),
            "a key that does not": ([other], "refused"),
            "one of two": ([other, key], "dane"),
            "PKIX alone": (["1 1 1 " + digest], "encrypted"),
            "PKIX beside a key that does not match":
                (["1 1 1 " + digest, other], "refused"),
            "an unknown selector": (["3 7 1 " + digest], "encrypted"),
            "an unknown matching type": (["3 1 9 " + digest], "encrypted"),
            "a short digest": (["3 1 1 " + digest[:62]], "encrypted"),
            "an authority that is not there": (["2 1 1 " + digest], "refused"),
            "a stronger digest that does not match":
                ([key, "3 1 2 " + 128 * "0"], "refused"),
            "no records": ([], "encrypted"),
        }
        self.start()
        self.server(tls=self.pair)
        for about, (records, wanted) in cases.items():
            with self.subTest(about):
                self.world.zone("".join(
                    tlsa("mx1.dane", record) for record in records))
                self.assertEqual(self.by_postfix("mx1.dane"), wanted)
                self.assertEqual(self.by_smtpout("mx1.dane"), wanted)


class Trust(DaneCase):
    """RFC 7672, 2.1.3: whose word counts."""

    def check(self, *options):
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("smtpout"), "--check", "--queue",
                 os.path.join(self.world.root, "no-queue"), "-l", *options],
                capture_output=True, text=True, check=False)
        return done.stderr + done.stdout

    def test_check_says_what_the_resolver_does(self):
        self.world.zone("")
        address = self.world.out.address
        self.assertIn("DANE is in use", self.check("--dns", "127.0.0.1"))
        self.assertIn("--trust-resolver", self.check("--dns", address))
        self.assertIn("DANE is in use",
                      self.check("--dns", address, "--trust-resolver"))
        self.assertIn("did not answer", self.check("--dns", "127.0.0.1:9"))
        self.assertIn("does not validate",
                      self.check("--dns", self.world.dns, "--trust-resolver"))
        self.assertNotIn("DANE", self.check("--no-dane"))

    def test_a_resolver_elsewhere_is_not_believed(self):
        self.world.zone("one.dane. MX 10 mx1.dane.\n"
                        + tlsa("mx1.dane", self.key_of(self.other)))
        for options, wanted in (((), "opportunistic"),
                                (("--trust-resolver",), "dane")):
            with self.subTest(options), Scripted(
                    self.mx1, tls=self.pair) as server:
                self.start(*options, dns=self.world.out.address)
                ident = self.submit("bob@one.dane")
                line = self.smtpout.attempts(ident, 1)[0]
                self.assertEqual(line["wanted"], wanted)
                self.smtpout.wait_log(
                    "DANE is in use" if options else "is not believed")
                self.assertEqual(len(server.taken), wanted == "opportunistic")
                self.smtpout.stop()
                self.smtpout.remove()


if __name__ == "__main__":
    world.main()
