# SPDX-License-Identifier: MIT
"""smtpin behind Dovecot: its submission service hands mail on by XCLIENT and
BDAT, its LMTP proxy by LMTP."""

import base64
import os
import re
import subprocess
import unittest

import smtpin_fixture as fixture
from private_daemon import PrivateDaemon
from smtp_client import Lmtp

CONFIG = """\
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
protocols = {protocol}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
hostname = mail.example.org
mail_location = maildir:{dir}/home/%u
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_trusted = yes
lmtp_proxy = yes
passdb {{
  driver = static
  args = password=secret {proxy}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={dir}/home/%u
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
"""

MESSAGE = fixture.plain()


class Dovecot(PrivateDaemon):
    """One that serves PROTOCOL; RELAY is the port that it hands mail on to."""

    def __init__(self, protocol, relay):
        program = fixture.need("dovecot")
        version = subprocess.run([program, "--version"], check=True,
                                 capture_output=True, text=True).stdout
        if not version.startswith("2.3."):
            raise unittest.SkipTest(
                f"its settings have another form than in 2.3: {version}")
        if os.geteuid() != 0:
            fixture.cannot("Dovecot needs root to start")
        super().__init__("Dovecot", "log")
        home = os.path.join(self.dir, "home")
        os.mkdir(home)
        os.chown(home, 65534, 65534)
        self.port = fixture.free_port()
        ports = {"submission": 0, "lmtp": 0, protocol: self.port}
        proxy = f"proxy=y host=127.0.0.1 port={relay}"
        config = os.path.join(self.dir, "dovecot.conf")
        fixture.write(config, CONFIG.format(
            dir=self.dir, protocol=protocol, relay=relay, **ports,
            proxy=proxy if protocol == "lmtp" else ""))
        try:
            self.start([program, "-F", "-c", config])
        except BaseException:
            self.close()
            raise


class Peer(unittest.TestCase):
    def smtpin(self, *arguments):
        return self.enterContext(fixture.Smtpin(
            level="trace", arguments=["-a", "127.0.0.1:0", *arguments]))

    def test_submission(self):
        smtpin = self.smtpin("--xclient-from", "127.0.0.1")
        with Dovecot("submission", smtpin.port) as dovecot, \
            fixture.Dialogue(dovecot.port, source="127.0.0.9") as client:
            client.say("EHLO client.example.net")
            login = base64.b64encode(b"\0ann\0secret").decode()
            self.assertEqual(client.say("AUTH PLAIN " + login).code, 235,
                             dovecot.said())
            self.assertEqual(client.deliver(MESSAGE, "alice@example.org").code,
                             250, dovecot.said())
            client.quit()
        headers, _ = smtpin.only("alice")
        self.assertIn(b"[127.0.0.9]", headers[b"Received"])
        smtpin.await_words("command=BDAT")

    def test_lmtp(self):
        smtpin = self.smtpin("--lmtp", "127.0.0.1:0")
        port = fixture.until(
            lambda: re.search(r"127\.0\.0\.1:(\d+) for LMTP$", smtpin.text(),
                              re.M), "no LMTP")[1]
        with Dovecot("lmtp", port) as dovecot, Lmtp(dovecot.port) as client:
            client.begin("alice@example.org", "bob@example.org")
            replies = client.finish_all(MESSAGE, 2)
            self.assertEqual([reply[:3] for reply in replies], ["250"] * 2,
                             dovecot.said())
        for user in ("alice", "bob"):
            self.assertEqual(len(smtpin.new(user)), 1)


if __name__ == "__main__":
    fixture.main()
