# SPDX-License-Identifier: MIT
"""smtpout logs in at a smarthost by tokens that run out and are revoked: from a
command that asks an OAuth server, and from a file."""

import base64
import json
import os
import signal
import subprocess
import sys
import time

import oauth_server
import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import message
from tls_case import TlsCase

WHERE = "ann@x.example@mx1.example:25"
USER = "ann@x.example"


class TokenCase(TlsCase):
    def setUp(self):
        super().setUp()
        self.oauth = self.enterContext(
            oauth_server.OAuthServer(self.world.out))
        self.secrets = [oauth_server.GRANT]

    def tearDown(self):
        self.no_secrets()
        super().tearDown()

    def no_secrets(self):
        """Nothing of a token is in the log, nor what was sent of it."""
        said = self.smtpout.text()
        for secret in self.oauth.given + self.secrets:
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                for at in range(0, len(form) - 12, 6):
                    self.assertNotIn(form[at:at + 12], said)
        self.assertNotIn("auth=Bearer", said)

    def start_with(self, *options, where=WHERE):
        self.start("--smarthost", where, "-n", "trace", *options)

    def command(self, grant=oauth_server.GRANT):
        return " ".join((sys.executable, "-B", oauth_server.__file__,
                         self.oauth.url, grant))

    def start_command(self, *options):
        self.start_with("--token-command", self.command(), *options)

    def host(self, **options):
        options.setdefault("tokens", self.oauth.is_good)
        options.setdefault("mechanisms", "PLAIN LOGIN XOAUTH2 OAUTHBEARER")
        return self.server("mx1", tls=self.good, one_message=True, **options)

    def sent(self, server, count):
        """A message more arrives, the COUNTth."""
        ident = self.submit("bob@nowhere.example")
        taken = server.wait(count)[-1]
        self.assertEqual(taken.login, USER)
        return ident


class Command(TokenCase):
    def test_mechanisms(self):
        """RFC 7628, 3.1: the best that is offered, or that the operator
        names; a token is no password."""
        for offered, options, used in (
                ("PLAIN XOAUTH2 OAUTHBEARER", (), "OAUTHBEARER"),
                ("LOGIN XOAUTH2", (), "XOAUTH2"),
                ("=XOAUTH2/PLAIN", (), "XOAUTH2"),
                ("XOAUTH2 OAUTHBEARER", ("--auth-mechanisms", "xoauth2"),
                 "XOAUTH2")):
            with self.subTest(offered), Scripted(
                    self.mx1, tls=self.good, mechanisms=offered,
                    tokens=self.oauth.is_good) as server:
                self.start_command(*options)
                self.sent(server, 1)
                self.assertEqual([line.split()[1] for line in
                                  server.commands("AUTH")], [used])
                self.smtpout.stop()
                self.smtpout.remove()

    def test_curl(self):
        """As the manual has it: over HTTPS, with the secret in a file; what
        the server says against it is in the log."""
        grant = os.path.join(self.world.root, "grant")
        with open(grant, "w", encoding="ascii") as file:
            file.write("grant_type=refresh_token\n&refresh_token="
                       f"{oauth_server.GRANT}\n")
        oauth = self.enterContext(oauth_server.OAuthServer(
            self.world.out, tls=self.ca.sign("oauth.example")))
        server = self.host(tokens=oauth.is_good)
        url = oauth.url.replace("127.0.0.1", "oauth.example")
        port = url.split(":")[2].split("/")[0]
        self.start_with("--token-command", " ".join((
            fixture.need("curl"), "-sS -d", "@" + grant, "--cacert",
            self.ca.ca, "--resolve", f"oauth.example:{port}:127.0.0.1", url)))
        self.sent(server, 1)
        oauth.revoke()
        oauth.fault = (400, {"error": "invalid_grant"})
        self.submit("bob@nowhere.example")
        self.smtpout.wait_log("waits: .*token command .*: invalid_grant")
        oauth.fault = None
        self.smtpout.flush_to(server, 2)
        self.secrets += oauth.given

    def test_it_runs_out(self):
        """It is renewed before its end: no login fails."""
        self.oauth.lifetime = 3
        server = self.host()
        self.start_command()
        self.sent(server, 1)
        time.sleep(1.6)
        self.sent(server, 2)
        self.assertEqual(len(self.oauth.given), 2)
        self.assertEqual(server.refusals, 0)

    def test_it_is_revoked(self):
        """535 has a new one fetched at once, and the message is not even
        deferred."""
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            with self.subTest(mechanism):
                server = self.host(mechanisms=mechanism)
                self.start_command()
                self.sent(server, 1)
                self.oauth.revoke()
                ident = self.sent(server, 2)
                self.assertEqual(server.refusals, 1)
                self.assertEqual([line["status"] for line in
                                  self.smtpout.attempts(ident, 1)], ["sent"])
                server.close()
                self.smtpout.stop()
                self.smtpout.remove()

    def test_the_grant_is_over(self):
        """The operator's trouble: mail waits, and one warning says why."""
        self.oauth.fault = (400, {"error": "invalid_grant",
                                  "error_description": "it was revoked"})
        server = self.host()
        self.start_command()
        ident = self.submit("bob@nowhere.example")
        self.deferred(ident)
        self.smtpout.ask("flush", ident)
        self.deferred(ident, 2)
        self.assertEqual(server.sessions, [])
        warning, = self.smtpout.warnings()
        self.assertRegex(warning, 'site="smarthost required" waits: .*'
                         f"token command {sys.executable}: "
                         "invalid_grant: it was revoked")
        self.assertEqual(self.smtpout.ids(), [ident])
        self.oauth.fault = None
        self.smtpout.flush_to(server)
        self.smtpout.wait_empty()

    def test_it_is_refused(self):
        """RFC 4954, 6: a new one too; nothing is returned to a sender."""
        good = []
        server = self.host(
            tokens=lambda token: bool(good) and self.oauth.is_good(token))
        self.start_command()
        ident = self.submit("bob@nowhere.example")
        self.deferred(ident)
        # Two logins for an attempt, and no more.
        attempts = len(self.smtpout.attempts(ident, 1))
        self.assertLessEqual(server.refusals, 2 * (attempts + 1))
        self.assertIn("535 5.7.8 no (invalid_token)",
                      self.smtpout.ask("why", ident))
        self.assertEqual(self.smtpout.ids(), [ident])
        good.append(True)
        self.smtpout.flush_to(server)
        self.smtpout.wait_empty()

    def test_what_it_says_is_no_secret(self):
        """It breaks off with a token on its standard error."""
        secret = "ya29." + "Q" * 5 + "sEcReT" * 20
        self.secrets.append(secret)
        path = os.path.join(self.world.root, "tells")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho 'token {secret} is old' >&2\n"
                       f"echo {secret}\nexit 1\n")
        os.chmod(path, 0o755)
        self.start_with("--token-command", path)
        self.deferred(self.submit("bob@nowhere.example"))
        self.assertRegex(self.smtpout.warnings()[0],
                         rf"{path}: it ended with exit status 1: "
                         r"token \* is old")


class File(TokenCase):
    def write(self, path, text):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def test_it_is_read_when_it_changes(self):
        """By whoever writes it: it may come later, too."""
        path = os.path.join(self.world.root, "token")
        server = self.host()
        self.start_with("--token-file", path)
        ident = self.submit("bob@nowhere.example")
        self.deferred(ident)
        self.assertIn(f"the token file {path} cannot be read: ",
                      self.smtpout.ask("why", ident))
        status, answer = self.oauth.answer(
            {"grant_type": ["refresh_token"],
             "refresh_token": [oauth_server.GRANT]})
        self.assertEqual(status, 200)
        self.write(path, json.dumps(answer))
        self.smtpout.flush_to(server)
        self.oauth.revoke()
        ident = self.submit("bob@nowhere.example")
        self.deferred(ident)
        self.assertIn("535 5.7.8 no (invalid_token) (there is no other yet)",
                      self.smtpout.ask("why", ident))
        _, answer = self.oauth.answer(
            {"grant_type": ["refresh_token"],
             "refresh_token": [oauth_server.GRANT]})
        self.write(path, answer["access_token"] + "\n3600\n")
        self.smtpout.flush_to(server, 2)


class Routes(TokenCase):
    """Each sender has a provider, and a token, of its own."""

    def test_a_token_by_route(self):
        path = os.path.join(self.world.root, "routes")
        token = os.path.join(self.world.root, "bobs-token")
        ann = f"from:ann@x.example={WHERE}; token-command={self.command()}\n"
        with open(path, "w", encoding="ascii") as file:
            file.write(ann + "from:bob@x.example=bob@mx2.example:25; "
                       f"token-file={token}; auth-mechanisms=XOAUTH2\n")
        first = self.host()
        second = self.server("mx2", tls=self.good2, mechanisms=(
            "XOAUTH2 OAUTHBEARER"), tokens=self.oauth.is_good)
        self.start("--route-file", path, "-n", "trace")
        self.smtpout.wait_log(f"mail waits for a token: the token file {token}"
                              " cannot be read: ")
        for sender in ("ann", "bob"):
            self.smtpout.submit(message(), "who@one.example",
                                sender=f"{sender}@x.example")
        self.assertEqual(first.wait(1)[0].login, USER)
        self.assertEqual(second.sessions, [])
        _, answer = self.oauth.answer(
            {"grant_type": ["refresh_token"],
             "refresh_token": [oauth_server.GRANT]})
        with open(token, "w", encoding="ascii") as file:
            file.write(answer["access_token"])
        self.assertEqual(self.smtpout.flush_to(second)[0].login, "bob")
        self.assertEqual([line.split()[1] for line in
                          second.commands("AUTH")], ["XOAUTH2"])
        # A command that cannot be run changes nothing; one that can does, and
        # the token that there is stays in use.
        for line, said in (
                ("x.example=a@b.example;token-command=/nowhere/x",
                 "old configuration stays in use: the token command cannot"),
                (f"x.example={WHERE};token-command={self.command()}",
                 "read .* again: 2 routes")):
            with open(path, "w", encoding="ascii") as file:
                file.write(ann + line + "\n")
            os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)
            self.smtpout.wait_log(said)
        given = len(self.oauth.given)
        self.smtpout.submit(message(), "who@x.example",
                            sender="carl@x.example")
        self.assertEqual(first.wait(2)[1].login, USER)
        self.assertEqual(len(self.oauth.given), given)


    def test_no_reason_to_give_up(self):
        """Mail that waits for a token does not expire, nor does it go by the
        next target; its sender learns nothing of the command."""
        self.oauth.fault = (400, {"error": "invalid_grant"})
        first = self.host()
        second = self.server("mx2")
        self.start("--lifetime", "3", "--delay-notice", "1", "-n", "trace",
                   "--route", f"from:ann@x.example={WHERE};token-command="
                   f"{self.command()},mx2.example:25",
                   "--route", "*=mx2.example:25")
        ident = self.smtpout.submit(message(), "who@one.example",
                                    sender=USER)
        report = second.wait(1)[0].content.decode()
        self.assertIn("Action: delayed", report)
        self.assertIn("the login there fails", report)
        for word in ("invalid_grant", "token", os.path.dirname(sys.executable)):
            self.assertNotIn(word, report)
        # Its life is over, by then.
        self.deferred(ident, 3)
        time.sleep(3)
        self.smtpout.ask("flush", ident)
        self.deferred(ident, 4)
        self.assertEqual(first.sessions, [])
        self.assertEqual(len(second.taken), 1)
        self.oauth.fault = None
        self.assertEqual(self.smtpout.flush_to(first)[0].login, USER)
        self.smtpout.wait_empty()
        self.assertEqual(len(second.taken), 1)


class Check(TlsCase):
    def test_check(self):
        """--check says what a start would."""
        for option, value, said in (
                ("--token-file", "/nowhere/token", "cannot be read"),
                ("--token-command", "/nowhere/x y", "cannot be run")):
            done = subprocess.run(
                [world.program("smtpout"), "--check", "-H", "out.example",
                 "-q", os.path.join(self.world.root, "q"), "--smarthost",
                 WHERE, option, value],
                capture_output=True, text=True, timeout=3 * fixture.WAIT,
                check=False)
            self.assertEqual(done.returncode, 66, done.stderr)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    world.main()
