# SPDX-License-Identifier: MIT
"""Clients whose peer is some program's library: GNU SASL's own, and nodemailer
of Node.js, where it is there."""

import json
import os
import subprocess
import unittest

import harness
from harness import need, serve

MECHANISMS = "SCRAM-SHA-256 PLAIN LOGIN XOAUTH2"

# Sends the mail of its first argument by the transport there.
NODEMAILER = """
const nodemailer = require("nodemailer");
const [transport, mail] = JSON.parse(process.argv[1]);
nodemailer.createTransport(transport).sendMail(mail).then(
    info => console.log(JSON.stringify(info)),
    error => { console.error(error); process.exit(1); });
"""


class Case(unittest.TestCase):
    host = None

    def run_client(self, *command, good=True):
        result = subprocess.run(
            [need(command[0]), *command[1:]], stdin=subprocess.DEVNULL,
            text=True, capture_output=True, timeout=harness.WAIT, check=False,
            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
        said = result.stdout + result.stderr
        # The GNU SASL of Debian 13 (2.2.2) makes no first message of SCRAM.
        if good and result.returncode and command[0] == "gsasl" and not any(
                " command=AUTH code=" in line for line in self.host.lines):
            self.skipTest("gsasl gives up by itself")
        self.assertEqual(result.returncode == 0, good, said)
        return result.stdout


class Gsasl(Case):
    """It says STARTTLS before EHLO, which is nothing (RFC 3207, 4): without
    TLS it is."""

    def setUp(self):
        self.host = serve(self, auth=MECHANISMS, auth_without_tls=1,
                          auth_delay_ms=1)

    def gsasl(self, mechanism, password="pencil", good=True):
        self.run_client(
            "gsasl", "--client", "--smtp", "--no-starttls", "--no-cb",
            "--connect", f"127.0.0.1:{self.host.ports[0]}", "--mechanism",
            mechanism, "--authentication-id", "joe", "--password", password,
            *(["--authorization-id", ""] if mechanism == "PLAIN" else []),
            good=good)

    def test_mechanisms(self):
        for n, mechanism in enumerate(("SCRAM-SHA-256", "PLAIN", "LOGIN"), 1):
            with self.subTest(mechanism):
                self.gsasl(mechanism)
                self.host.saw(f"authenticated session={n} peer=127.0.0.1 "
                              f"mechanism={mechanism} user=joe$")

    def test_wrong(self):
        for mechanism in ("SCRAM-SHA-256", "PLAIN", "LOGIN"):
            with self.subTest(mechanism):
                self.gsasl(mechanism, "wrong", good=False)
        self.assertEqual(self.host.counter("authenticated"), 0)


class Nodemailer(Case):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run(
            [need("node"), "-e", 'require("nodemailer")'], check=False,
            capture_output=True,
            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
        if done.returncode:
            raise unittest.SkipTest("nodemailer is not installed")

    def setUp(self):
        self.host = serve(self, "a", start=False, auth=MECHANISMS, dsn=1,
                          smtputf8=1, auth_delay_ms=1)
        self.host.listen("lmtp")
        self.host.ask("start")

    def send(self, transport, good=True, **mail):
        transport = {"host": "127.0.0.1",
                     "tls": {"rejectUnauthorized": False}, **transport}
        mail = {"from": "a@example.net", "to": "b@example.org",
                "subject": "Grüße", "text": ".\n..\nHello.\n", **mail}
        return self.run_client("node", "-e", NODEMAILER,
                               json.dumps([transport, mail]), good=good)

    def delivered(self, protocol, session=1):
        line = self.host.saw(f"^message {session} .*").group()
        self.assertIn(f" with {protocol} ", line)
        self.host.saw(f"^end {session} delivered 250")

    def authenticate(self, secure, **auth):
        self.send({"port": self.host.ports[secure], "secure": bool(secure),
                   "requireTLS": True, **auth})
        self.delivered("ESMTPSA")

    def test_plain_by_starttls(self):
        self.authenticate(0, auth={"user": "joe", "pass": "pencil"})
        self.host.saw("mechanism=PLAIN user=joe$")

    def test_login_in_tls_at_once(self):
        self.authenticate(1, authMethod="LOGIN",
                          auth={"user": "joe", "pass": "pencil"})
        self.host.saw("mechanism=LOGIN user=joe$")

    def test_xoauth2(self):
        self.authenticate(0, auth={"type": "OAuth2", "user": "joe",
                                   "accessToken": "t0ken"})
        self.host.saw("mechanism=XOAUTH2 user=joe$")

    def test_wrong(self):
        self.send({"port": self.host.ports[1], "secure": True,
                   "auth": {"user": "joe", "pass": "wrong"}}, good=False)
        self.assertEqual(self.host.counter("authenticated"), 0)

    def test_dsn(self):
        self.send({"port": self.host.ports[0]}, dsn={
            "id": "some id", "return": "headers", "notify": "failure",
            "recipient": "b@example.org"})
        self.delivered("ESMTPS")

    def test_utf8(self):
        self.send({"port": self.host.ports[0]}, to="ü@example.org")
        self.delivered("UTF8SMTPS")

    def test_lmtp(self):
        self.send({"port": self.host.ports[2], "lmtp": True,
                   "ignoreTLS": True})
        self.delivered("LMTP")


if __name__ == "__main__":
    harness.main()
