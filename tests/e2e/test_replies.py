# SPDX-License-Identifier: MIT
"""Who gets mail here, and what the others are told."""

import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()

RECIPIENTS = {
    "<alice@example.org>": "250",
    "<ALICE@Example.ORG>": "250",
    '<"alice"@example.org>': "250",
    "<alice+lists@example.org>": "250",
    "<postmaster>": "250",
    "<PostMaster>": "250",
    "<postmaster@example.org>": "250",
    "<Postmaster@catch.example>": "250",
    "<any.body@catch.example>": "250",
    "<@relay.example:alice@example.org>": "250",
    "<nobody@example.org>": "550 5.1.1",
    "<alic@example.org>": "550 5.1.1",
    "<alice.lists@example.org>": "550 5.1.1",
    "<alice@elsewhere.example>": "550 5.7.1",
    "<alice@sub.example.org>": "550 5.7.1",
    "<alice@example.orgs>": "550 5.7.1",
    "<alice@[127.0.0.1]>": "550 5.7.1",
    "<bob%elsewhere.example@example.org>": "550 5.7.1",
    '<"bob@elsewhere.example"@example.org>': "550 5.7.1",
    "<elsewhere.example!bob@example.org>": "550 5.7.1",
    "<bob%example.org@elsewhere.example>": "550 5.7.1",
    "<@example.org:bob@elsewhere.example>": "550 5.7.1",
    "<alice>": "501 5.1.3",
    "<>": "501 5.1.3",
    "<alice@example.org": "501 5.1.3",
    "<alice@@example.org>": "501 5.1.3",
}


class Recipients(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin())

    def dialogue(self):
        return self.enterContext(fixture.Dialogue(self.smtpin.port))

    def test_each(self):
        """RFC 5321, 3.6.2"""
        for path, wanted in RECIPIENTS.items():
            # A connection each: too many refusals would slow one down.
            with self.subTest(path), \
                    fixture.Dialogue(self.smtpin.port) as client:
                client.say("MAIL FROM:<sender@example.net>")
                reply = client.say("RCPT TO:" + path)
                self.assertTrue(reply.codes.startswith(wanted), reply)

    def test_refused_leaves_the_others(self):
        """RFC 5321, 3.3"""
        client = self.dialogue()
        client.say("MAIL FROM:<sender@example.net>")
        self.assertEqual(client.say("RCPT TO:<no@example.org>").code, 550)
        self.assertEqual(client.say("RCPT TO:<bob@example.org>").code, 250)
        self.assertEqual(client.say("DATA").code, 354)
        self.assertEqual(client.finish(MESSAGE).code, 250)
        self.assertEqual(len(self.smtpin.new()), 1)
        _, rest = self.smtpin.only("bob")
        self.assertEqual(rest, MESSAGE)

    def test_nobody_left(self):
        client = self.dialogue()
        client.say("MAIL FROM:<sender@example.net>")
        client.say("RCPT TO:<no@example.org>")
        self.assertIn(client.say("DATA").code, (503, 554))
        self.assertEqual(self.smtpin.new(), [])

    def test_several(self):
        reply = self.dialogue().deliver(
            MESSAGE, "alice@example.org", "bob@example.org",
            "x@catch.example")
        self.assertEqual(reply.codes, "250 2.0.0")
        for user in ("alice", "bob", "carol"):
            headers, rest = self.smtpin.only(user)
            self.assertEqual(rest, MESSAGE)
            # One recipient must not learn of the others.
            self.assertNotIn(b" for ", headers[b"Received"])

    def test_same_user_twice(self):
        """By two addresses: one copy in the Maildir."""
        self.dialogue().deliver(MESSAGE, "alice@example.org",
                                "alice+x@example.org", "Alice@EXAMPLE.org")
        self.assertEqual(len(self.smtpin.new("alice")), 1)

    def test_one_is_named(self):
        self.dialogue().deliver(MESSAGE, "bob@example.org")
        headers, _ = self.smtpin.only("bob")
        self.assertIn(b"for <bob@example.org>", headers[b"Received"])

    def test_postmaster(self):
        """RFC 5321, 4.5.1"""
        self.dialogue().deliver(MESSAGE, "postmaster")
        _, rest = self.smtpin.only("alice")
        self.assertEqual(rest, MESSAGE)

    def test_catch_all(self):
        self.dialogue().deliver(MESSAGE, "any.body@catch.example")
        headers, _ = self.smtpin.only("carol")
        self.assertIn(b"any.body@catch.example", headers[b"Delivered-To"])

    def test_tag(self):
        self.dialogue().deliver(MESSAGE, "bob+lists@example.org")
        headers, _ = self.smtpin.only("bob")
        self.assertIn(b"bob+lists@example.org", headers[b"Delivered-To"])

    def test_hundred_recipients(self):
        """RFC 5321, 4.5.3.1.8"""
        client = self.dialogue()
        client.deliver(MESSAGE, *[f"u{i}@catch.example" for i in range(100)])
        self.assertEqual(len(self.smtpin.new("carol")), 1)

    def test_no_relay_of_anything(self):
        """RFC 5321, 7.3"""
        client = self.dialogue()
        for verb in ("VRFY alice", "EXPN list"):
            self.assertEqual(client.say(verb).codes, "502 5.5.1")

    def test_bare_lf_command(self):
        """RFC 5321, 2.3.8"""
        client = self.dialogue()
        client.send(b"MAIL FROM:<sender@example.net>\n")
        self.assertEqual(client.reply().codes, "500 5.5.2")

    def test_smuggled_message(self):
        """Only CRLF . CRLF ends a message (RFC 5321, 4.1.1.4)."""
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n"):
            with self.subTest(end), \
                    fixture.Dialogue(self.smtpin.port) as client:
                before = len(self.smtpin.new())
                client.begin("bob@example.org")
                client.send(b"one" + end + b"MAIL FROM:<evil@example.net>\r\n"
                            b"RCPT TO:<alice@example.org>\r\nDATA\r\n"
                            b"\r\nsmuggled\r\n.\r\n")
                client.reply()
                self.assertEqual(client.say("NOOP").code, 250)
                self.assertLessEqual(len(self.smtpin.new()) - before, 1)
                self.assertEqual(self.smtpin.new("alice"), [])

    def test_header_injection(self):
        """What a client says in EHLO cannot begin a line of its own
        (RFC 5321, 7.1)."""
        client = fixture.Dialogue(self.smtpin.port, greet=False)
        with client:
            client.reply()
            client.send(b"EHLO client\rX-Evil: 1\r\n")
            self.assertGreaterEqual(client.reply().code, 500)
            client.say("EHLO client.example.net")
            client.deliver(MESSAGE, "bob@example.org")
        self.assertNotIn(b"X-Evil", fixture.read(self.smtpin.new("bob")[0]))

    def test_size(self):
        """RFC 1870, 6.1"""
        client = self.dialogue()
        reply = client.say("MAIL FROM:<a@example.net> SIZE=99999999999")
        self.assertEqual(reply.codes, "552 5.3.4")


if __name__ == "__main__":
    fixture.main()
