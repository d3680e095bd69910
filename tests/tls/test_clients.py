# SPDX-License-Identifier: MIT
"""Real clients, over STARTTLS and where TLS begins at once."""

import smtplib
import subprocess
import unittest

import harness
from harness import at, client_context, need, serve

MESSAGE = "Subject: test\n\nHello.\n"


class Clients(unittest.TestCase):
    def setUp(self):
        self.host = serve(self, "a")
        self.plain, self.tls = map(str, self.host.ports)

    def run_client(self, *command, stdin=MESSAGE):
        result = subprocess.run(
            [need(command[0]), *command[1:]], input=stdin, text=True,
            capture_output=True, timeout=harness.WAIT, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def delivered(self):
        self.assertIn(" with ESMTPS ", self.host.saw("^message .*").group())
        self.host.saw("^end 1 delivered 250")
        self.host.saw("^disconnect 1 quit")

    def openssl(self, greeting, *options):
        """Commands one by one, each when the reply to the last is there;
        at first to the GREETING codes."""
        command = [need("openssl"), "s_client", "-quiet", "-crlf",
                   "-verify_return_error", "-CAfile", at("ca.pem"),
                   "-servername", "a.example", *options]
        with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True) as client:
            codes = [self.code(client.stdout) for _ in greeting]
            for text in ("EHLO client.example.net\n",
                         "MAIL FROM:<a@example.net>\n",
                         "rCPT TO:<b@example.org>\n", "DATA\n",
                         MESSAGE + ".\n", "QUIT\n"):
                client.stdin.write(text)
                client.stdin.flush()
                codes.append(self.code(client.stdout))
            self.assertEqual(client.stdout.read(), "")
            client.stdin.close()
            self.assertEqual(client.wait(harness.WAIT), 0)
        self.assertEqual(codes, greeting + ["250", "250", "250", "354",
                                     "250", "221"])
        self.delivered()

    @staticmethod
    def code(file):
        """Of the next reply."""
        for line in file:
            if line[3:4] == " ":
                return line[:3]
        return ""

    def test_openssl_starttls(self):
        self.openssl([], "-starttls", "smtp", "-connect",
                     "127.0.0.1:" + self.plain)

    def test_openssl_at_once(self):
        self.openssl(["220"], "-connect", "127.0.0.1:" + self.tls)

    def swaks(self, *options):
        return self.run_client(
            "swaks", "--server", "127.0.0.1", "--helo", "client.example.net",
            "--from", "a@example.net", "--to", "b@example.org", *options,
            stdin="")

    @staticmethod
    def verify():
        """The swaks of 2024 verifies the name as well."""
        with open(need("swaks"), encoding="utf-8") as script:
            new = "tls-verify-target" in script.read()
        return ["--tls-verify"] + (
            ["--tls-verify-target", "a.example"] if new else [])

    def test_swaks_starttls(self):
        self.assertIn("TLS started", self.swaks(
            "--port", self.plain, "--tls", "--tls-sni", "a.example",
            *self.verify(), "--tls-ca-path", at("ca.pem")))
        self.delivered()

    def test_swaks_at_once(self):
        self.swaks("--port", self.tls, "--tlsc")
        self.delivered()

    def curl(self, scheme, port, *options):
        self.run_client(
            "curl", "-sS", "--url", f"{scheme}://a.example:{port}",
            "--resolve", f"a.example:{port}:127.0.0.1",
            "--cacert", at("ca.pem"), "--mail-from", "a@example.net",
            "--mail-rcpt", "b@example.org", "--upload-file", "-",
            *options)
        self.delivered()

    def test_curl_starttls(self):
        self.curl("smtp", self.plain, "--ssl-reqd")

    def test_curl_at_once(self):
        self.curl("smtps", self.tls)

    def msmtp(self, port, starttls):
        self.run_client(
            "msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={port}",
            "--from=a@example.net", "--tls=on", f"--tls-starttls={starttls}",
            "--tls-trust-file=" + at("ca.pem"),
            "--tls-host-override=a.example", "b@example.org")
        self.delivered()

    def test_msmtp_starttls(self):
        self.msmtp(self.plain, "on")

    def test_msmtp_at_once(self):
        self.msmtp(self.tls, "off")

    def test_python_starttls(self):
        with smtplib.SMTP("127.0.0.1", int(self.plain)) as client:
            client.starttls(context=client_context())
            client.sendmail("a@example.net", "b@example.org", MESSAGE)
        self.delivered()

    def test_python_at_once(self):
        with smtplib.SMTP_SSL("127.0.0.1", int(self.tls),
                              context=client_context()) as client:
            client.sendmail("a@example.net", "b@example.org", MESSAGE)
        self.delivered()


if __name__ == "__main__":
    harness.main()
