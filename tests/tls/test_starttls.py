# SPDX-License-Identifier: MIT
"""STARTTLS in the dialogue (RFC 3207)."""

import socket
import unittest

import harness
from harness import Client, client_context, serve

# As OpenSSL and as IANA names it; those of TLS 1.3 have one name.
CIPHERS = {
    "ECDHE-ECDSA-CHACHA20-POLY1305":
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}


class Offer(unittest.TestCase):
    def test_offered_until_it_is_done(self):
        """RFC 3207, 4; RFC 3207, 4.2"""
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            self.assertRegex(client.greet(), r"(?m)^250[- ]STARTTLS$")
            client.say("STARTTLS")
            client.wrap(client_context(), "a.example")
            self.assertNotIn("STARTTLS", client.say("EHLO again.example"))
            client.expect("503 5.5.1 ", client.say("STARTTLS"))
            client.expect("250 ", client.say("NOOP"))
            client.quit()

    def test_not_offered_where_tls_began(self):
        host = serve(self, "a")
        with Client(host.ports[1], client_context(), "a.example") as client:
            self.assertNotIn("STARTTLS", client.greet())
            client.expect("503 5.5.1 ", client.say("STARTTLS"))
            client.quit()

    def test_without_a_context(self):
        """RFC 3207, 4"""
        host = serve(self)
        with Client(host.ports[0]) as client:
            self.assertNotIn("STARTTLS", client.greet())
            client.expect("454 4.7.0 ", client.say("STARTTLS"))
            client.expect("250 ", client.say("MAIL FROM:<a@example.net>"))
            client.quit()
        host.counts("refused_tls", 1)

    def test_requiretls_in_tls_alone(self):
        """RFC 8689, 2"""
        host = serve(self, "a", requiretls=1)
        sender = "MAIL FROM:<a@example.net>"
        with Client(host.ports[0]) as client:
            self.assertNotIn("REQUIRETLS", client.greet())
            client.expect("530 5.7.10 ", client.say(sender + " REQUIRETLS"))
            client.say("STARTTLS")
            client.wrap(client_context(), "a.example")
            self.assertRegex(
                client.say("EHLO again.example"), r"(?m)^250[- ]REQUIRETLS$")
            client.expect("501 5.5.4 ", client.say(sender + " REQUIRETLS=1"))
            for parameter in (" requiretls", ""):
                client.expect("250 ", client.say(sender + parameter))
                client.expect("250 ", client.say("RCPT TO:<b@example.org>"))
                client.expect("354 ", client.say("DATA"))
                client.expect("250 ", client.say("."))
            client.quit()
        host.saw("^message 1 size=0 requiretls Received:")
        host.saw("^message 1 size=0 Received:")

    def test_requiretls_not_set(self):
        """RFC 8689, 2"""
        host = serve(self, "a")
        with Client(host.ports[1], client_context(), "a.example") as client:
            self.assertNotIn("REQUIRETLS", client.greet())
            client.expect("555 5.5.4 ", client.say(
                "MAIL FROM:<a@example.net> REQUIRETLS"))
            client.quit()

    def test_after_ehlo_only(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.reply()
            client.expect("503 5.5.1 ", client.say("STARTTLS"))

    def test_no_arguments(self):
        """RFC 3207, 4"""
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.expect("501 5.5.4 ", client.say("STARTTLS now"))
            client.expect("220 2.0.0 ", client.say("starttls  "))
            client.wrap(client_context(), "a.example")

    def test_a_handler_may_refuse(self):
        host = serve(self, "a", start=False)
        host.ask("handle", "STARTTLS", "454")
        host.ask("start")
        with Client(host.ports[0]) as client:
            client.greet()
            client.expect("454 not STARTTLS", client.say("STARTTLS"))
            client.expect("250 ", client.say("NOOP"))
            client.quit()


class Forget(unittest.TestCase):
    """What was said before is not known any more (RFC 3207, 4.2)."""

    def test_the_greeting(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.starttls(client_context(), "a.example")
            client.expect("503 5.5.1 ", client.say("MAIL FROM:<a@a.example>"))
            client.expect("250", client.say("EHLO later.example"))
            client.deliver()
            client.quit()
        self.assertRegex(host.saw("^message .*").group(),
                         r"from later\.example ")

    def test_the_transaction(self):
        """RFC 3207, 4.2"""
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.say("MAIL FROM:<before@example.net>")
            client.say("RCPT TO:<before@example.org>")
            client.expect("220 ", client.say("STARTTLS"))
            client.wrap(client_context(), "a.example")
            client.say("EHLO client.example.net")
            client.expect("503 5.5.1 ", client.say("DATA"))
            client.expect("503 5.5.1 ", client.say("RCPT TO:<b@b.example>"))
            client.deliver()
            client.quit()
        host.saw("^disconnect 1 quit")
        events = host.events()
        self.assertEqual(events[:2], ["connect tls=0", "end reset 0"])
        self.assertRegex(events[2], "^tls helo=<> open=0 version=TLSv1")
        self.assertRegex(events[3], "^message size=25 ")
        self.assertEqual(events[4:], ["end delivered 250", "disconnect quit"])


class Facts(unittest.TestCase):
    def check(self, port, starttls):
        host = serve(self, "a")
        context = client_context()
        with Client(host.ports[port],
                    None if starttls else context, "a.example") as client:
            if starttls:
                client.starttls(context, "a.example")
            else:
                client.reply()
            client.say("EHLO client.example.net")
            client.deliver()
            version = client.socket.version()
            cipher = client.socket.cipher()[0]
            cipher = CIPHERS.get(cipher, cipher)
            # TLS is ended in form, so that the client knows it all came.
            self.assertEqual(client.quit(), b"")
        line = host.saw(r"^tls \d+ .*").group()
        self.assertIn(f"version={version} cipher={cipher} name=<a.example> "
                      "subject=<> fingerprint=<> verified=0", line)
        received = host.saw("^message .*").group()
        self.assertIn(" with ESMTPS ", received)
        self.assertIn(version, received)
        self.assertIn(cipher, received)
        host.saw("^disconnect")
        names = [line.split()[0] for line in host.events()]
        rest = ["message", "end", "disconnect"]
        self.assertEqual(names, (["connect", "tls"] if starttls
                                 else ["tls", "connect"]) + rest)
        self.assertEqual([host.counter("tls"), host.counter("refused_tls")],
                         [1, 0])

    def test_starttls(self):
        """RFC 8314, 4.3; RFC 8446, 6.1; RFC 3848, 1"""
        self.check(0, True)

    def test_at_once(self):
        """RFC 8314, 3.3; RFC 8446, 6.1"""
        self.check(1, False)

    def test_plain(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.deliver()
            client.quit()
        self.assertIn(" with ESMTP ", host.saw("^message .*").group())


# What is sent in one write, and how the server ends it.
INJECTIONS = {
    "a line behind": b"STARTTLS\r\nNOOP\r\n",
    "many behind": b"STARTTLS\r\n" + b"NOOP\r\n" * 100,
    "half a line behind": b"STARTTLS\r\nMAIL FR",
    "a byte behind": b"STARTTLS\r\nM",
    "a line end behind": b"STARTTLS\r\n\r\n",
    "a record of TLS behind": b"STARTTLS\r\n\x16\x03\x01\x00\x05hello",
    "in a group": b"RSET\r\nSTARTTLS\r\nRSET\r\n",
}


class Injection(unittest.TestCase):
    """Bytes before the handshake are never commands after it."""

    def ended(self, data):
        """DATA is cut off; return what the server said to it."""
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.send(data)
            said = client.rest()
        host.saw(r"^disconnect \d+ refused")
        self.assertEqual(host.counter("tls"), 0)
        with Client(host.ports[0]) as client:
            client.greet()
        return said

    def test_in_one_write(self):
        """RFC 3207, 6"""
        for name, data in INJECTIONS.items():
            with self.subTest(name):
                said = self.ended(data)
                if data.startswith(b"RSET"):
                    self.assertTrue(said.startswith(b"250 2.0.0 "))
                    said = said.split(b"\r\n", 1)[1]
                self.assertTrue(said.startswith(b"554 5.5.0 "), said)
                self.assertEqual(said.count(b"\r\n"), 1)

    def test_after_the_reply(self):
        """It goes to TLS, which does not understand it (RFC 3207, 6)."""
        for data in (b"NOOP\r\n", b"EHLO evil.example\r\n", b"M", b"\r\n" * 9):
            with self.subTest(data):
                host = serve(self, "a")
                with Client(host.ports[0]) as client:
                    client.greet()
                    client.say("STARTTLS")
                    client.send(data)
                    client.socket.shutdown(socket.SHUT_WR)
                    self.assertNotIn(b"250", client.rest())
                host.saw("^log 3 refused .*no TLS")
                self.assertEqual(host.counter("tls"), 0)

    def test_without_waiting_for_the_reply(self):
        for _ in range(20):
            host = serve(self, "a")
            with Client(host.ports[0]) as client:
                client.greet()
                client.send(b"STARTTLS\r\n")
                client.send(b"MAIL FROM:<evil@example.net>\r\n")
                said = client.rest()
                self.assertTrue(said.startswith((b"220 ", b"554 ")), said)
                self.assertNotIn(b"250", said)

    def test_before_it_is_a_group(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.send(b"MAIL FROM:<a@example.net>\r\nRSET\r\nSTARTTLS\r\n")
            for code in ("250 ", "250 ", "220 "):
                client.expect(code, client.reply())
            client.wrap(client_context(), "a.example")
            client.expect("250", client.say("EHLO client.example.net"))
            client.quit()


if __name__ == "__main__":
    harness.main()
