# SPDX-License-Identifier: MIT
"""Mail with bytes outside ASCII, or with long lines, goes through smtpout to
hosts that do not take it as it is (RFC 6152, 3)."""

import os
import stat

import smtpin_fixture as fixture
import world
from odd_mail import SEVEN, leaves, odd_message
from receivers import Sink
from retry_case import HomeCase
from smtpout_fixture import Smtpout


class Convert(HomeCase):
    def setUp(self):
        super().setUp()
        self.smtpout = self.enterContext(
            Smtpout(self.world, "--retry-min", "1", "--retry-max", "2"))

    def submit(self, content):
        return self.smtpout.submit(content, "bob@one.example",
                                   mail="BODY=8BITMIME")

    def log_of(self, ident, words="converted",
               reason="8BITMIME is not offered"):
        self.smtpout.wait_log(f'id={ident} host=mx1.example content="{words}" '
                              f'reason="{reason}"')

    def test_smtp_sink(self):
        where = os.path.join(self.smtpout.root, "taken")
        os.mkdir(where)
        os.chmod(where, 0o777)
        os.chmod(self.smtpout.root, os.stat(self.smtpout.root).st_mode
                 | stat.S_IXOTH)
        self.enterContext(Sink(self.world.hosts["mx1"], "-8",
                               "-d", os.path.join(where, "%M.")))
        ident = self.submit(odd_message())
        self.smtpout.wait_empty()
        name, = os.listdir(where)
        taken = fixture.read(os.path.join(where, name))
        self.assertTrue(taken.isascii())
        self.assertEqual(leaves(taken), leaves(odd_message()))
        self.log_of(ident)

    def test_host_without_8bitmime(self):
        server = self.server(ehlo=SEVEN)
        ident = self.submit(odd_message())
        taken, = server.wait(1)
        self.assertTrue(taken.content.isascii())
        self.assertEqual(leaves(taken.content), leaves(odd_message()))
        self.assertNotIn("BODY", taken.parameters)
        self.assertEqual(int(taken.parameters["SIZE"]),
                         len(taken.content.replace(b"\n", b"\r\n")))
        self.log_of(ident)
        self.smtpout.wait_empty()

    def test_host_with_8bitmime(self):
        server = self.server()
        content = odd_message()
        self.submit(content)
        taken, = server.wait(1)
        self.assertEqual(taken.parameters["BODY"], "8BITMIME")
        self.assertIn(content, taken.content)
        self.smtpout.wait_empty()
        self.assertEqual(self.smtpout.said("content="), [])

    def test_signed(self):
        server = self.server(ehlo=SEVEN)
        signed = b"DKIM-Signature: v=1; x\n" + odd_message()
        ident = self.submit(signed)
        taken, = server.wait(1)
        self.assertIn(signed, taken.content)
        self.log_of(ident, "not converted, which would break its signature")

    def test_long_lines(self):
        """RFC 5321, 4.5.3.1.6"""
        server = self.server()
        text = b"ab " * 2000 + b"\n"
        ident = self.submit(b"Subject: x\n\n" + text)
        taken, = server.wait(1)
        self.assertLessEqual(max(map(len, taken.content.split(b"\n"))), 998)
        self.assertEqual(leaves(taken.content), [("text/plain", text)])
        self.log_of(ident, reason="it has lines of more than 998 octets")


if __name__ == "__main__":
    world.main()
