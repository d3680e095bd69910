# SPDX-License-Identifier: MIT
"""smtpin behind Dovecot: its submission service hands mail on by XCLIENT and
BDAT, its LMTP proxy by LMTP."""

import base64
import re
import unittest

import smtpin_fixture as fixture
from private_dovecot import Dovecot
from smtp_client import Lmtp

SETTINGS = """\
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{dir}/home/%%u
submission_relay_host = 127.0.0.1
submission_relay_port = %(relay)s
submission_relay_trusted = yes
lmtp_proxy = yes
passdb {
  driver = static
  args = password=secret %(proxy)s
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home={dir}/home/%%u
}
"""

MESSAGE = fixture.plain()


def start_dovecot(protocol, relay):
    """RELAY is the port that it hands mail on to."""
    proxy = f"proxy=y host=127.0.0.1 port={relay}"
    return Dovecot(protocol, SETTINGS % {
        "relay": relay, "proxy": proxy if protocol == "lmtp" else ""})


class Peer(unittest.TestCase):
    def smtpin(self, *arguments):
        return self.enterContext(fixture.Smtpin(
            level="trace", arguments=["-a", "127.0.0.1:0", *arguments]))

    def test_submission(self):
        smtpin = self.smtpin("--xclient-from", "127.0.0.1")
        with start_dovecot("submission", smtpin.port) as dovecot, \
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
        with start_dovecot("lmtp", port) as dovecot, \
            Lmtp(dovecot.port) as client:
            client.begin("alice@example.org", "bob@example.org")
            replies = client.finish_all(MESSAGE, 2)
            self.assertEqual([reply[:3] for reply in replies], ["250"] * 2,
                             dovecot.said())
        for user in ("alice", "bob"):
            self.assertEqual(len(smtpin.new(user)), 1)


if __name__ == "__main__":
    fixture.main()
