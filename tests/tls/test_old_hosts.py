# SPDX-License-Identifier: MIT
"""The client against hosts of TLS 1.2 at most with an RSA certificate, which
choose the signature by the client's order or by their own."""

import os
import socket
import ssl
import subprocess
import threading
import unittest

import harness
from harness import WAIT, at

SMTPSEND = os.environ["SMTPSEND"]


class Host:
    """Take one message, over two connections at most."""

    def __init__(self, own_order):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(at("a-rsa.pem"), at("a-rsa.key"))
        if own_order:
            self.context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        else:
            self.context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(WAIT)
        self.port = self.listener.getsockname()[1]
        self.version = None
        self.content = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with self.listener:
            for _ in range(2):
                try:
                    connection, _ = self.listener.accept()
                    with connection:
                        connection.settimeout(WAIT)
                        self.serve(connection)
                except OSError:
                    continue
                if self.content is not None:
                    return

    def serve(self, connection):
        lines = connection.makefile("rwb", buffering=0)
        lines.write(b"220 a.example\r\n")
        lines.readline()
        lines.write(b"250-a.example\r\n250 STARTTLS\r\n")
        if lines.readline() != b"STARTTLS\r\n":
            return
        lines.write(b"220 go\r\n")
        with self.context.wrap_socket(connection, server_side=True) as tls:
            self.version = tls.version()
            self.take_message(tls.makefile("rwb", buffering=0))

    def take_message(self, lines):
        while True:
            line = lines.readline()
            if line == b"":
                return
            if line == b"DATA\r\n":
                lines.write(b"354 go\r\n")
                content = b""
                while (line := lines.readline()) not in (b".\r\n", b""):
                    content += line
                self.content = content
            lines.write(b"250 ok\r\n")


class OldHosts(unittest.TestCase):
    def send(self, own_order):
        host = Host(own_order)
        sent = subprocess.run(
            [SMTPSEND, "-v", "--helo", "me.example", "-f", "a@example.net",
             "-s", f"127.0.0.1:{host.port}", "--tls-ca", at("ca.pem"),
             "b@a.example"],
            input="Subject: x\n\nhi\n", capture_output=True, text=True,
            timeout=3 * WAIT, check=False)
        host.thread.join()
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertEqual(host.version, "TLSv1.2", sent.stderr)
        self.assertEqual(host.content, b"Subject: x\r\n\r\nhi\r\n")

    def test_order_of_the_client(self):
        self.send(False)

    def test_order_of_the_host(self):
        self.send(True)


if __name__ == "__main__":
    harness.main()
