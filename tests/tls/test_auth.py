# SPDX-License-Identifier: MIT
"""AUTH with clients that others wrote: each mechanism that they have, over
STARTTLS and where TLS begins at once."""

import base64
import os
import smtplib
import subprocess
import unittest

import harness
from harness import Client, at, client_context, need, serve

MESSAGE = "Subject: test\n\nHello.\n"
MECHANISMS = "SCRAM-SHA-256 PLAIN LOGIN OAUTHBEARER XOAUTH2"
PLAIN = "AUTH PLAIN " + base64.b64encode(b"\0joe\0pencil").decode()

# Trace: all that there is.
TRACE = 5

SECRETS = ("pencil", "t0ken", "cGVuY2ls", "dDBrZW4", "AGpvZQ", "AUTH PLAIN ")


class Authentication(unittest.TestCase):
    def setUp(self):
        self.host = self.serve(auth=MECHANISMS)

    def serve(self, **settings):
        host = serve(self, "a", auth_required=1, log_level=TRACE, **settings)
        self.plain, self.tls = map(str, host.ports)
        return host

    def run_client(self, *command, good=True, env=None):
        result = subprocess.run(
            [need(command[0]), *command[1:]], input=MESSAGE, text=True,
            capture_output=True, timeout=harness.WAIT, check=False,
            env={**os.environ, **(env or {})})
        said = result.stdout + result.stderr
        # The GNU SASL of Debian 13 (2.2.2) makes no first message of SCRAM:
        # nothing reaches the server, which is what is tested.
        if "GNU SASL: Error" in said and "--> AUTH" not in said:
            self.skipTest("msmtp gives up before it says AUTH")
        self.assertEqual(result.returncode == 0, good, said)

    def delivered(self, mechanism, session=1):
        """By the user, who was told to the log, and no secret was."""
        said = self.host.saw(f"^message {session} .*").group()
        self.assertIn(" with ESMTPSA ", said)
        self.host.saw(f"authenticated session={session} peer=127.0.0.1 "
                      f"mechanism={mechanism} user=joe$")
        self.no_secrets()

    def no_secrets(self):
        for line in self.host.lines:
            for secret in SECRETS:
                self.assertNotIn(secret, line)

    # msmtp has SCRAM by GNU SASL, and checks the server's signature.
    def msmtp(self, mechanism, secret="pencil", good=True, port=None):
        self.run_client(
            "msmtp", "--debug", "--file=/dev/null", "--host=127.0.0.1",
            f"--port={port or self.plain}", "--from=a@example.net",
            "--tls=on", "--tls-starttls=" + ("off" if port else "on"),
            "--tls-trust-file=" + at("ca.pem"),
            "--tls-host-override=a.example", "--auth=" + mechanism,
            "--user=joe", "--passwordeval=echo " + secret, "b@example.org",
            good=good)

    def test_msmtp_scram(self):
        self.msmtp("scram-sha-256")
        self.delivered("SCRAM-SHA-256")

    def test_msmtp_scram_tls_at_once(self):
        self.msmtp("scram-sha-256", port=self.tls)
        self.delivered("SCRAM-SHA-256")

    def test_msmtp_chooses(self):
        self.msmtp("on")
        self.host.saw("authenticated session=1 .* user=joe$")

    def test_msmtp_plain(self):
        self.msmtp("plain")
        self.delivered("PLAIN")

    def test_msmtp_login(self):
        self.msmtp("login")
        self.delivered("LOGIN")

    def test_msmtp_oauthbearer(self):
        self.msmtp("oauthbearer", "t0ken")
        self.delivered("OAUTHBEARER")

    def test_msmtp_xoauth2(self):
        self.msmtp("xoauth2", "t0ken")
        self.delivered("XOAUTH2")

    def test_msmtp_wrong(self):
        for mechanism in ("scram-sha-256", "plain", "login", "oauthbearer",
                          "xoauth2"):
            with self.subTest(mechanism):
                self.msmtp(mechanism, "wrong", good=False)
        self.assertEqual(self.host.counter("authenticated"), 0)
        self.assertFalse(any("authenticated" in x for x in self.host.lines))
        self.no_secrets()

    def curl(self, mechanism, *options, good=True):
        self.run_client(
            "curl", "-sS", "--url", f"smtp://a.example:{self.plain}",
            "--ssl-reqd", "--resolve", f"a.example:{self.plain}:127.0.0.1",
            "--cacert", at("ca.pem"), "--mail-from", "a@example.net",
            "--mail-rcpt", "b@example.org", "--upload-file", "-",
            "--login-options", "AUTH=" + mechanism, *options, good=good)

    def test_curl_plain(self):
        self.curl("PLAIN", "--user", "joe:pencil")
        self.delivered("PLAIN")

    def test_curl_initial_response(self):
        self.curl("PLAIN", "--user", "joe:pencil", "--sasl-ir")
        self.delivered("PLAIN")

    def test_curl_login(self):
        self.curl("LOGIN", "--user", "joe:pencil")
        self.delivered("LOGIN")

    def test_curl_oauthbearer(self):
        self.curl("OAUTHBEARER", "--user", "joe:", "--oauth2-bearer", "t0ken")
        self.delivered("OAUTHBEARER")

    def test_curl_xoauth2(self):
        """It prefers OAUTHBEARER."""
        self.host = self.serve(auth="XOAUTH2")
        self.curl("XOAUTH2", "--user", "joe:", "--oauth2-bearer", "t0ken")
        self.delivered("XOAUTH2")

    def test_curl_wrong(self):
        self.curl("PLAIN", "--user", "joe:wrong", good=False)
        self.curl("OAUTHBEARER", "--user", "joe:", "--oauth2-bearer", "wrong",
                  good=False)
        self.assertFalse(any("authenticated" in x for x in self.host.lines))

    def swaks(self, *options, good=True):
        self.run_client(
            "swaks", "--server", "127.0.0.1", "--port", self.plain, "--tls",
            "--helo", "client.example.net", "--from", "a@example.net",
            "--to", "b@example.org", "--auth-user", "joe", *options, good=good)

    def test_swaks_plain(self):
        self.swaks("--auth", "PLAIN", "--auth-password", "pencil")
        self.delivered("PLAIN")

    def test_swaks_login(self):
        self.swaks("--auth", "LOGIN", "--auth-password", "pencil")
        self.delivered("LOGIN")

    def test_swaks_wrong(self):
        self.swaks("--auth", "LOGIN", "--auth-password", "wrong", good=False)
        self.host.saw("auth_failed session=1 peer=127.0.0.1 mechanism=LOGIN "
                      "user=joe$")
        self.host.saw("refused session=1 .* command=AUTH code=535 ")
        self.assertEqual(self.host.counter("refused_auth"), 1)

    def test_python(self):
        for n, method in enumerate(("auth_plain", "auth_login"), 1):
            with smtplib.SMTP_SSL("127.0.0.1", int(self.tls),
                                  context=client_context()) as client:
                client.ehlo()
                with self.assertRaises(smtplib.SMTPSenderRefused):
                    client.sendmail("a@example.net", "b@example.org", MESSAGE)
                client.user, client.password = "joe", "pencil"
                name = method.rpartition("_")[2].upper()
                client.auth(name, getattr(client, method))
                client.sendmail("a@example.net", "b@example.org", MESSAGE)
            self.delivered(name, n)

    def test_python_wrong(self):
        """Clients that try all mechanisms do so on one connection."""
        with smtplib.SMTP("127.0.0.1", int(self.plain)) as client:
            client.starttls(context=client_context())
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("joe", "wrong")
        self.assertEqual(self.host.counter("authenticated"), 0)

    def test_failures_are_logged_with_a_name(self):
        """Escaped, and ten of a session; nothing else that was said."""
        host = serve(self, "a", auth="PLAIN SCRAM-SHA-256", auth_delay_ms=1,
                     max_auth_failures=100, log_level=TRACE)
        client = Client(host.ports[1])
        client.wrap(client_context())
        client.greet()
        client.say("EHLO client.example.net")
        for _ in range(12):
            client.expect("535 5.7.8 ", client.say(
                "AUTH PLAIN " + base64.b64encode(
                    b'\0a="b" \xff\0wr0ng').decode()))
        client.expect("501 5.5.2 ", client.say("AUTH PLAIN AAAA"))
        client.quit()
        host.saw("^disconnect 1 ")
        failed = [x for x in host.lines if "auth_failed" in x]
        self.assertEqual(len(failed), 10)
        self.assertTrue(failed[0].endswith(
            r' mechanism=PLAIN user="a=\x22b\x22 \xff"'), failed[0])
        self.assertFalse([x for x in host.lines if "wr0ng" in x])

    def test_only_in_tls(self):
        """RFC 4954, 4: before STARTTLS nothing is offered, nor taken."""
        client = Client(self.host.ports[0])
        client.greet()
        self.assertNotIn("AUTH", client.say("EHLO client.example.net"))
        self.assertIn("538 5.7.11 ", client.say(PLAIN))
        client.expect("220 2.0.0 ", client.say("STARTTLS"))
        client.wrap(client_context(), None, None)
        self.assertIn("AUTH " + MECHANISMS,
                      client.say("EHLO client.example.net"))
        client.expect("235 2.7.0 ", client.say(PLAIN))
        client.expect("503 5.5.1 ", client.say(PLAIN))
        client.quit()
        self.no_secrets()


class BeforeTls(unittest.TestCase):
    def test_starttls_forgets_the_user(self):
        """RFC 3207, 4.2: who authenticated before does so again."""
        host = serve(self, "a", auth="PLAIN", auth_without_tls=1)
        client = Client(host.ports[0])
        client.greet()
        client.expect("235 2.7.0 ", client.say(PLAIN))
        client.expect("220 2.0.0 ", client.say("STARTTLS"))
        client.wrap(client_context(), None, None)
        self.assertIn("AUTH PLAIN", client.say("EHLO client.example.net"))
        client.deliver()
        self.assertIn(" with ESMTPS ", host.saw("^message .*").group())
        client.expect("235 2.7.0 ", client.say(PLAIN))
        client.expect("250 ", client.say("RSET"))
        client.say("EHLO client.example.net")
        client.deliver()
        host.saw("^message .* with ESMTPSA ")
        client.quit()

    def test_without_tls(self):
        """RFC 4954, 7; RFC 3848, 1"""
        host = serve(self, "a", auth="PLAIN", auth_without_tls=1)
        client = Client(host.ports[0])
        client.greet()
        client.expect("235 2.7.0 ", client.say(PLAIN))
        client.deliver()
        host.saw("^message .* with ESMTPA ")
        client.quit()

    def test_smtputf8(self):
        """RFC 6531, 4.3"""
        host = serve(self, "a", auth="PLAIN", auth_without_tls=1, smtputf8=1)
        client = Client(host.ports[0])
        client.reply()
        for name in ("UTF8SMTPA", "UTF8SMTPSA"):
            if "SMTPUTF8" not in client.say("EHLO client.example.net"):
                self.skipTest("built without libidn2")
            client.expect("235 2.7.0 ", client.say(PLAIN))
            # The octets of UTF-8 in Latin-1, which is sent.
            client.say("MAIL FROM:<j\u00c3\u00bcrgen@example.net> SMTPUTF8")
            client.say("RCPT TO:<b@example.org>")
            client.expect("354", client.say("DATA"))
            client.expect("250", client.say("Subject: test\r\n\r\nx\r\n."))
            host.saw(f"^message .* with {name} ")
            if name == "UTF8SMTPA":
                client.expect("220 2.0.0 ", client.say("STARTTLS"))
                client.wrap(client_context(), None, None)
        client.quit()


if __name__ == "__main__":
    harness.main()
