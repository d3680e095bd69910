# SPDX-License-Identifier: MIT
"""How smtpout secures what it sends: by policy, and to a smarthost."""

import os
import re
import shutil
import signal
import ssl
import time

import smtpin_fixture as fixture
import world
from receivers import Postfix
from scripted_server import DROP, GARBAGE, Scripted
from tls_case import TlsCase

class Policies(TlsCase):
    def test_opportunistic(self):
        """Any certificate will do, and the log tells which it was."""
        self.start()
        for pair, word in ((self.self_signed, "unverified"),
                           (self.other, "unverified"),
                           (self.good, "verified")):
            with self.subTest(word), Scripted(self.mx1, tls=pair) as server:
                ident = self.submit("bob@one.example")
                taken, = server.wait(1)
                self.assertRegex(taken.tls, r"TLSv1\.[23]")
                self.smtpout.wait_empty()
                line = self.smtpout.attempts(ident, 1)[-1]
                self.assertIn("TLSv1", line["tls"])
                self.assertEqual("verified" in line["tls"] and
                                 "unverified" not in line["tls"] and
                                 "not verified" not in line["tls"],
                                 word == "verified", line)

    def test_no_starttls(self):
        self.start()
        server = self.server()
        self.submit("bob@one.example")
        self.assertIsNone(server.wait(1)[0].tls)

    def test_broken_handshake(self):
        """Not in plain text at once, but after it has waited."""
        for deed in (DROP, GARBAGE):
            with self.subTest(deed), Scripted(
                    self.mx1, handshake=deed) as server:
                self.start()
                start = time.monotonic()
                ident = self.submit("bob@one.example")
                taken, = server.wait(1, 3 * fixture.WAIT)
                self.assertGreater(taken.time - start, 1)
                self.assertIsNone(taken.tls)
                self.smtpout.wait_empty()
                self.assertEqual(
                    self.smtpout.attempts(ident, 1)[0]["status"], "deferred")
                self.smtpout.stop()
                self.smtpout.remove()

    def test_tls_is_lost(self):
        """A host that did TLS, before a restart too, offers it no more: mail
        goes in plain text after a wait, or not."""
        for option, lost in (("plain", False), ("defer", True)):
            with self.subTest(option):
                self.start("--tls-lost", option)
                with Scripted(self.mx1, tls=self.good) as server:
                    self.submit("bob@one.example")
                    self.assertIsNotNone(server.wait(1)[0].tls)
                    self.smtpout.wait_empty()
                self.smtpout.restart()
                with Scripted(self.mx1) as server:
                    ident = self.submit("bob@one.example")
                    self.deferred(ident)
                    self.smtpout.wait_log("TLS failed with mx1.example")
                    if lost:
                        self.deferred(ident, 3)
                    else:
                        self.assertIsNone(
                            server.wait(1, 3 * fixture.WAIT)[0].tls)
                        self.smtpout.wait_empty()
                    self.assertEqual(server.taken == [], lost)
                self.smtpout.stop()
                self.smtpout.remove()

    def test_starttls_refused(self):
        """454 to STARTTLS: it is as if it were broken."""
        self.start()
        server = self.server(starttls="454 4.7.0 not now")
        self.submit("bob@one.example")
        taken, = server.wait(1, 3 * fixture.WAIT)
        self.assertIsNone(taken.tls)

    def test_require(self):
        """Never in plain text, nor to a stranger (RFC 3207, 4.1)."""
        self.start("--tls", "require")
        for name, options in (("plain", {}),
                              ("broken", {"handshake": DROP}),
                              ("self-signed", {"tls": self.self_signed}),
                              ("other name", {"tls": self.other})):
            with self.subTest(name), Scripted(self.mx1, **options) as server:
                ident = self.submit("bob@one.example")
                self.deferred(ident)
                # Beyond the time after which plain text would be allowed.
                time.sleep(3)
                self.smtpout.ask("flush")
                time.sleep(1)
                self.assertEqual(server.taken, [])
                self.assertEqual(server.commands("MAIL"), [])
                self.assertEqual(self.smtpout.ids(), [ident])
                self.smtpout.ask("remove", ident)
        server = self.server(tls=self.good)
        self.submit("bob@one.example")
        taken, = self.smtpout.flush_to(server)
        self.assertIsNotNone(taken.tls)

    def test_authorities_are_read_again(self):
        """S38: SIGHUP reads the authorities of hosts; one that cannot be read
        leaves the old ones in use, and the log says so."""
        ca = os.path.join(self.world.root, "authorities.pem")
        shutil.copy(self.self_signed[0], ca)
        self.start("--tls", "require", ca=ca)
        server = self.server(tls=self.good)
        self.deferred(self.submit("bob@one.example"))
        self.assertEqual(server.taken, [])
        shutil.copy(self.ca.ca, ca)
        os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
        self.smtpout.wait_log("read the authorities of hosts again")
        self.smtpout.flush_to(server)
        os.unlink(ca)
        os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
        self.smtpout.wait_log(
            f"old configuration stays in use: {re.escape(ca)}: ")
        self.submit("bob@one.example")
        self.smtpout.flush_to(server, 2)

    def test_match(self):
        """S22: a good certificate for another name that the MX led to is of no
        use; with the name of the rule the host may be called anything."""
        self.start("--tls", "one.example=require,match=mail.one.example,"
                   "else.example", "--tls", "two.example=require "
                   "match=mail.two.example")
        good = self.server("mx1", tls=self.other)
        forged = self.server("mx2", tls=self.good2)
        self.submit("bob@one.example")
        self.assertIsNotNone(good.wait(1)[0].tls)
        ident = self.submit("bob@two.example")
        self.deferred(ident)
        self.assertEqual(forged.taken, [])
        self.assertIn("it bears none of the required names",
                      self.smtpout.why(ident)["reason"])

    def test_never(self):
        self.start("--tls", "never")
        server = self.server(tls=self.good)
        self.submit("bob@one.example")
        self.assertIsNone(server.wait(1)[0].tls)

    def test_policy_of_a_domain(self):
        self.start("--tls", "one.example=require", "--tls",
                   "two.example=never")
        first, second = self.server("mx1"), self.server(
            "mx2", tls=self.good2)
        ident = self.submit("bob@one.example", "bob@two.example")
        self.assertIsNone(second.wait(1)[0].tls)
        self.deferred(ident)
        self.assertEqual(first.taken, [])
        first.close()
        good = self.server("mx1", tls=self.good)
        self.assertIsNotNone(good.wait(1, 2 * fixture.WAIT)[0].tls)

    def test_require_for_all_but_one(self):
        self.start("--tls", "require", "--tls",
                   "two.example=opportunistic")
        second = self.server("mx2")
        self.submit("bob@two.example")
        second.wait(1)

    def client_context(self):
        """A server's, which wants certificates of clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.good)
        context.load_verify_locations(self.ca.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def test_client_certificate(self):
        """RFC 8446, 4.4.2: it is shown to a host that asks, in any version of
        TLS, and SIGHUP has it read again."""
        pair = [os.path.join(self.world.root, name)
                for name in ("own.pem", "own.key")]
        for name, path in zip(self.ca.sign("out.example"), pair):
            shutil.copy(name, path)
        self.start("--client-cert", pair[0], "--client-key", pair[1])
        for count, version in enumerate((ssl.TLSVersion.TLSv1_2,
                                         ssl.TLSVersion.TLSv1_3)):
            context = self.client_context()
            context.maximum_version = version
            with self.subTest(version), Scripted(
                    self.mx1, tls=context, one_message=True) as server:
                self.submit("bob@one.example")
                taken, = server.wait(1)
                self.assertIn("out.example",
                              str(taken.certificate["subject"]))
                if count > 0:
                    continue
                for name, path in zip(self.ca.sign("new.example"), pair):
                    shutil.copy(name, path)
                os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
                self.smtpout.wait_log("read the authorities of hosts again")
                self.submit("bob@one.example")
                self.assertIn("new.example",
                              str(server.wait(2)[1].certificate["subject"]))
                for name, path in zip(self.ca.sign("out.example"), pair):
                    shutil.copy(name, path)
                os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
                self.smtpout.wait_log("read the authorities of hosts again", 2)

    def test_no_client_certificate(self):
        """A host that demands one gets nothing in plain text, by a policy."""
        self.start("--tls", "require")
        server = self.server("mx1", tls=self.client_context())
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.assertEqual(server.taken, [])
        self.assertEqual(server.commands("MAIL"), [])

    def test_postfix(self):
        with Postfix(self.world, self.mx2, "two.example", self.good2,
                     "bob") as postfix:
            self.start("--tls", "require")
            self.submit("bob@two.example")
            self.assertIn(b"with ESMTPS", postfix.wait(1, "bob")[0])


class Smarthost(TlsCase):
    LOGINS = {"relay": "open sesame"}

    def password(self, text):
        path = os.path.join(self.world.root, "password")
        with open(path, "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.chmod(path, 0o600)
        return path

    def start_with(self, where, password="open sesame"):
        self.start("--smarthost", where, password_option(),
                   self.password(password))

    def test_everything_goes_there(self):
        self.start("--smarthost", "mx2.example")
        server = self.server("mx2")
        self.submit("bob@one.example", "eve@nowhere.example")
        fixture.until(lambda: len(server.rcpts()) == 2, "not all arrived")

    def test_auth(self):
        """RFC 4954, 4"""
        server = self.server("mx1", tls=self.good, logins=self.LOGINS)
        self.start_with("relay@mx1.example:25")
        self.submit("bob@nowhere.example")
        taken, = server.wait(1)
        self.assertEqual(taken.login, "relay")
        self.assertIsNotNone(taken.tls)

    def test_auth_in_tls_from_the_first_byte(self):
        server = self.server("mx1", port=465, tls=self.good, tls_first=True,
                             logins=self.LOGINS)
        self.start_with("tls://relay@mx1.example")
        self.submit("bob@nowhere.example")
        self.assertEqual(server.wait(1)[0].login, "relay")

    def test_no_password_for_strangers(self):
        """RFC 4954, 9"""
        for name, options in (("plain", {}),
                              ("self-signed", {"tls": self.self_signed}),
                              ("other name", {"tls": self.other})):
            with self.subTest(name), Scripted(
                    self.mx1, logins=self.LOGINS, **options) as server:
                self.start_with("relay@mx1.example:25")
                ident = self.submit("bob@nowhere.example")
                self.deferred(ident)
                self.assertTrue(server.sessions)
                self.assertEqual(server.commands("AUTH"), [])
                self.assertEqual(server.taken, [])
                self.assertEqual(self.smtpout.ids(), [ident])
                self.smtpout.stop()
                self.smtpout.remove()

    def test_wrong_password(self):
        """The operator's mistake, not the sender's: kept (RFC 4954, 6).  O22:
        one warning says so."""
        server = self.server("mx1", tls=self.good, logins=self.LOGINS)
        self.start_with("relay@mx1.example:25", "wrong")
        ident = self.submit("bob@nowhere.example")
        self.deferred(ident, 2)
        self.assertEqual(self.smtpout.ids(), [ident])
        self.assertEqual(server.taken, [])
        self.assertIn("535", self.smtpout.ask("why", ident))
        self.assertNotIn("wrong", self.smtpout.text())
        warning, = self.smtpout.warnings()
        self.assertRegex(warning, 'mail for site="smarthost required" waits: 535 ')
        self.password("open sesame")
        self.smtpout.restart()
        server.wait(1, 2 * fixture.WAIT)
        self.smtpout.wait_empty()

    def test_smarthost_without_a_name(self):
        """Nothing bounces when it cannot be found."""
        self.start("--smarthost", "nowhere.example")
        ident = self.submit("bob@one.example")
        self.deferred(ident)
        self.assertEqual(self.smtpout.ids(), [ident])


def password_option():
    """By whichever name it goes."""
    import subprocess
    text = subprocess.run([world.program("smtpout"), "--help"],
                          capture_output=True, text=True, check=True).stdout
    return "--smarthost-password" if "--smarthost-password" in text \
        else "--password-file"


if __name__ == "__main__":
    world.main()
