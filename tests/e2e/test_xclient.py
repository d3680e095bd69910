# SPDX-License-Identifier: MIT
"""smtpin behind filters that speak for their clients: swaks by XCLIENT, Postfix
by XFORWARD."""

import subprocess
import unittest

import smtpin_fixture as fixture
from private_postfix import Postfix

MESSAGE = fixture.plain()
CLIENT = "127.0.0.9"


def smtpin(*arguments):
    return fixture.Smtpin(arguments=[
        "-a", "127.0.0.1:0", "--xclient-from", "127.0.0.1", *arguments])


class Swaks(unittest.TestCase):
    def swaks(self, server, *arguments):
        return subprocess.run(
            [fixture.need("swaks"), "--server", f"127.0.0.1:{server.port}",
             "--helo", "filter.example", "--from", "sender@example.net",
             "--to", "alice@example.org", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=fixture.WAIT, check=False)

    def test_ipv4(self):
        with smtpin() as server:
            done = self.swaks(
                server, "--xclient-addr", "192.0.2.1", "--xclient-name",
                "client.example", "--xclient-port", "4660", "--xclient-proto",
                "ESMTP", "--xclient-helo", "client", "--xclient-login", "ann",
                "--xclient-destaddr", "198.51.100.2", "--xclient-destport",
                "25")
            self.assertEqual(done.returncode, 0, done.stdout)
            headers, _ = server.only("alice")
            self.assertIn(b"[192.0.2.1]", headers[b"Received"])
            server.await_words("peer=192.0.2.1 ")

    def test_ipv6_in_two_commands(self):
        with smtpin() as server:
            done = self.swaks(
                server, "--xclient-addr", "IPV6:2001:db8::1",
                "--xclient-delim", "--xclient-name", "[TEMPUNAVAIL]")
            self.assertEqual(done.returncode, 0, done.stdout)
            headers, _ = server.only("alice")
            self.assertIn(b"[IPv6:2001:db8::1]", headers[b"Received"])

    def test_from_elsewhere(self):
        with smtpin() as server:
            done = self.swaks(server, "--local-interface", CLIENT,
                              "--xclient-addr", "192.0.2.1")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("Host did not advertise XCLIENT", done.stdout)
            self.assertEqual(server.new(), [])

    def test_limits_are_those_of_the_client(self):
        with smtpin("--max-per-address", "1") as server:
            with fixture.Dialogue(server.port) as first, \
                    fixture.Dialogue(server.port) as second:
                self.assertEqual(
                    first.say("XCLIENT ADDR=192.0.2.1").code, 220)
                self.assertEqual(
                    second.say("XCLIENT ADDR=192.0.2.1").codes, "421 4.7.0")
                self.assertEqual(second.file.read(), b"")
            server.await_words("refused peer=192.0.2.1")


class Xforward(unittest.TestCase):
    MAIN = """\
myhostname = filter.example
mynetworks = 127.0.0.0/8
default_transport = smtp:[127.0.0.1]:%d
smtp_send_xforward_command = yes
smtp_tls_security_level = none
"""

    def test_postfix(self):
        with smtpin() as server, \
                Postfix(self.MAIN % server.port) as postfix:
            with fixture.Dialogue(postfix.port, source=CLIENT) as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
            fixture.until(lambda: f"peer=127.0.0.1 origin={CLIENT}"
                          in server.text(), "no message of its client",
                          2 * fixture.WAIT)
            headers, _ = server.only("alice")
            self.assertIn(b"filter.example", headers[b"Received"])


if __name__ == "__main__":
    fixture.main()
