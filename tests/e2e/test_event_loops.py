# SPDX-License-Identifier: MIT
"""Programs that have the server in an event loop."""

import smtplib
import socket
import signal
import subprocess
import sys
import unittest

# As long as nothing may take.
PATIENCE = 60
CLIENTS = 20


class EventLoop(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen(
            [PROGRAM], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        line = self.process.stdout.readline()
        host, port = line.removeprefix("listening on ").strip().split(":")
        self.address = host, int(port)

    def test_mail_comes_in_and_a_stop_lets_it_finish(self):
        """Whoever is silent is told, a message that is under way is taken,
        and only then the program ends."""
        clients = [smtplib.SMTP(*self.address, timeout=PATIENCE)
                   for _ in range(CLIENTS)]
        for i, client in enumerate(clients):
            client.sendmail(f"{i}@example.org", "b@example.org", "x")
        heard = {self.process.stdout.readline() for _ in clients}
        self.assertEqual(heard, {f"message from <{i}@example.org>\n"
                                 for i in range(CLIENTS)})

        busy, silent = clients[0], clients[1]
        for command, code in (("MAIL FROM:<last@example.org>", 250),
                              ("RCPT TO:<b@example.org>", 250),
                              ("DATA", 354)):
            self.assertEqual(busy.docmd(command)[0], code)
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(silent.getreply()[0], 421)
        self.assertIsNone(self.process.poll())
        busy.send("x\r\n.\r\n")
        self.assertEqual(busy.getreply()[0], 250)
        self.assertEqual(self.process.stdout.readline(),
                         "message from <last@example.org>\n")
        self.assertEqual(self.process.wait(PATIENCE), 0)
        with self.assertRaises(OSError):
            socket.create_connection(self.address, PATIENCE)
        for client in clients:
            client.close()


PROGRAM = sys.argv.pop()

if __name__ == "__main__":
    unittest.main()
