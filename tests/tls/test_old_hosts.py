# SPDX-License-Identifier: MIT
"""The client against hosts of TLS 1.2 at most with an RSA certificate, which
choose the signature by the client's order or by their own."""

import os
import ssl
import subprocess
import unittest

import harness
from harness import WAIT, at
from scripted_server import Loopback, Scripted

SMTPSEND = os.environ["SMTPSEND"]


def context(own_order):
    """TLS 1.2 at most, with an RSA key."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(at("a-rsa.pem"), at("a-rsa.key"))
    if own_order:
        tls.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        tls.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    return tls


class OldHosts(unittest.TestCase):
    def send(self, own_order):
        with Scripted(Loopback(), port=0, tls=context(own_order)) as host:
            sent = subprocess.run(
                [SMTPSEND, "-v", "--helo", "me.example", "-f", "a@example.net",
                 "-s", f"127.0.0.1:{host.port}", "--tls-ca", at("ca.pem"),
                 "b@a.example"],
                input="Subject: x\n\nhi\n", capture_output=True, text=True,
                timeout=3 * WAIT, check=False)
            host.finish()
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertEqual([(t.tls, t.content) for t in host.taken],
                         [("TLSv1.2", b"Subject: x\n\nhi\n")], sent.stderr)

    def test_order_of_the_client(self):
        self.send(False)

    def test_order_of_the_host(self):
        self.send(True)


if __name__ == "__main__":
    harness.main()
