# SPDX-License-Identifier: MIT
"""smtpout hands mail to Dovecot: to its LMTP server as the last stop, and to
its submission service, where it logs in by a token."""

import glob
import os

import smtpin_fixture as fixture
import world
from oauth_server import OAuthServer
from private_dovecot import UID, Dovecot
from receivers import Smtpin
from smtpout_fixture import Report, message
from tls_case import ZONE, TlsCase

STORE = """
ssl = no
mail_location = maildir:~/mail
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = {dir}/users
}
userdb {
  driver = passwd-file
  args = {dir}/users
}
"""

SUBMISSION = """
ssl = required
ssl_cert = <%(cert)s
ssl_key = <%(key)s
auth_mechanisms = %(mechanism)s
mail_location = maildir:{dir}/home/%%u
submission_relay_host = 127.0.0.1
submission_relay_port = 2600
submission_relay_trusted = yes
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home={dir}/home/%%u
}
"""

INTROSPECTION = """
introspection_mode = get
introspection_url = %s?token=
username_attribute = username
active_attribute = active
active_value = true
"""


class DovecotCase(TlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.host("home", 30)
        cls.world.zone(ZONE + "home.example.	MX 10 home.example.\n")

    def dovecot(self, protocol, settings, **files):
        """One at mx1, with FILES in its directory."""
        class WithFiles(Dovecot):
            def start(self, command):
                for name, text in files.items():
                    fixture.write(os.path.join(self.dir, name), text.replace(
                        "{dir}", self.dir))
                super().start(command)

        return self.enterContext(WithFiles(protocol, settings, self.mx1))


class Lmtp(DovecotCase):
    def test_each_mailbox(self):
        """RFC 2033, 4.2; RFC 3461, 5.2.3: whoever is there has it, what is sent
        to others is reported, and success is delivery."""
        home = self.enterContext(
            Smtpin(self.world.hosts["home"], "home.example", "alice"))
        users = "".join(
            f"{name}@store.example:{{PLAIN}}x:{UID}:{UID}::"
            "{dir}/home/" + name + "\n" for name in ("ann", "bob"))
        store = self.dovecot("lmtp", STORE, users=users)
        self.start("--route",
                   f"store.example=lmtp:{self.mx1.address}:{store.port}")
        content = message(".\n..\nGr\u00fc\u00dfe\n")
        self.smtpout.submit(
            content, "ann@store.example", "nobody@store.example",
            ("bob@store.example", "NOTIFY=SUCCESS"), mail="BODY=8BITMIME")
        self.smtpout.wait_empty()
        for name in ("ann", "bob"):
            path, = glob.glob(os.path.join(store.home, name, "mail/new/*"))
            self.assertEqual(fixture.read(path).split(b"\n\n", 1)[1],
                             content.split(b"\n\n", 1)[1], store.said())
        said = {}
        for report in map(Report, home.wait(2, "alice")):
            for fields in report.rcpts:
                who = fields["Final-Recipient"].split()[1]
                said[who.split("@")[0]] = fields["Action"]
        self.assertEqual(said, {"bob": "delivered", "nobody": "failed"})


class Token(DovecotCase):
    def check(self, mechanism):
        """Mail goes out with a token; when that is revoked it waits, and the
        next one is used."""
        oauth = self.enterContext(OAuthServer(self.mx1))
        relay = self.enterContext(Smtpin(
            self.mx1, "x.example", "who",
            options=["-a", "127.0.0.1:2600", "--xclient-from", "127.0.0.1"]))
        cert, key = self.good
        host = self.dovecot(
            "submission",
            SUBMISSION % {"cert": cert, "key": key, "mechanism": mechanism},
            **{"oauth2.conf": INTROSPECTION % oauth.url})
        token = os.path.join(self.world.root, "token-" + mechanism)
        fixture.write(token, oauth.give())
        self.start("--smarthost", f"{oauth.user}@mx1.example:{host.port}",
                   "--token-file", token)
        self.submit("who@x.example")
        relay.wait(1, "who")
        self.smtpout.wait_empty()
        oauth.revoke()
        self.smtpout.restart()
        ident = self.submit("who@x.example")
        self.deferred(ident)
        self.assertIn("535 5.7.8", self.smtpout.ask("why", ident))
        fixture.write(token + ".new", oauth.give())
        os.rename(token + ".new", token)
        self.smtpout.ask("flush")
        relay.wait(2, "who")
        self.smtpout.wait_empty()
        self.assertIn(mechanism.upper(), host.said().upper())

    def test_oauthbearer(self):
        """RFC 7628, 3.1"""
        self.check("oauthbearer")

    def test_xoauth2(self):
        self.check("xoauth2")


if __name__ == "__main__":
    world.main()
