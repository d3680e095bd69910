# SPDX-License-Identifier: MIT
"""Which addresses smtpin listens on."""

import os
import subprocess
import sys
import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()


class Families(unittest.TestCase):
    def test_ipv4(self):
        with fixture.Smtpin() as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.deliver(MESSAGE, "alice@example.org")
            headers, _ = smtpin.only("alice")
            self.assertIn(b"[127.0.0.1]", headers[b"Received"])

    def test_ipv6(self):
        if not fixture.has_ipv6():
            fixture.cannot("there is no IPv6 loopback address")
        with fixture.Smtpin() as smtpin:
            with fixture.Dialogue(smtpin.port6, "::1") as client:
                client.deliver(MESSAGE, "alice@example.org")
            headers, _ = smtpin.only("alice")
            self.assertIn(b"[IPv6:::1]", headers[b"Received"])


# Two interfaces with addresses, the default route on the first; one without.
SETUP = """\
set -e
make() {
	# Whichever kind this kernel has that needs no hardware.
	ip link add "$1" type dummy 2>/dev/null ||
		ip link add "$1" type ifb 2>/dev/null ||
		ip link add "$1" type bridge
}
ip link set lo up
make net0
make net1
make net2
ip address add 192.0.2.10/24 dev net0
ip address add 2001:db8::10/64 dev net0 nodad
ip address add 198.51.100.10/24 dev net1
ip link set net0 up
ip link set net1 up
ip link set net2 up
ip -6 address flush dev net2
ip route add default via 192.0.2.1
exec "$@"
"""

INSIDE = ["unshare", "--net", "sh", "-c", SETUP, "sh"]


class Interfaces(unittest.TestCase):
    """In a network namespace of their own."""

    @classmethod
    def setUpClass(cls):
        fixture.need("unshare")
        done = subprocess.run(INSIDE + ["true"], stderr=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode:
            fixture.cannot("no network namespace: " + done.stderr.strip())

    def smtpin(self, *arguments):
        return fixture.Smtpin(
            arguments=[*arguments, "-p", "2525"], prefix=INSIDE)

    def hosts(self, listeners, *arguments):
        with self.smtpin(*arguments) as smtpin:
            fixture.until(lambda: len(smtpin.addresses()) >= listeners,
                          f"{listeners} listeners, not {smtpin.text()}")
            return {host for host, _ in smtpin.addresses()
                    if not host.startswith("fe80:")}

    def test_default_route(self):
        self.assertEqual(self.hosts(2), {"192.0.2.10", "2001:db8::10"})

    def test_interface(self):
        self.assertEqual(self.hosts(1, "-i", "net1"), {"198.51.100.10"})

    def test_loopback(self):
        self.assertEqual(self.hosts(2, "-l"), {"127.0.0.1", "::1"})

    def test_interface_lo(self):
        self.assertEqual(self.hosts(2, "-i", "lo"), {"127.0.0.1", "::1"})

    def ask(self, smtpin, host):
        """Connect from inside: the greeting, or what went wrong."""
        script = ("import socket,sys\n"
                  "s = socket.create_connection((sys.argv[1], 2525), 60)\n"
                  "print(s.recv(100).decode())\n")
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{smtpin.process.pid}/ns/net",
             sys.executable, "-c", script, host],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False)
        return done.stdout or done.stderr

    def test_only_there(self):
        with self.smtpin("-i", "net1") as smtpin:
            self.assertIn("220 mx.example.org",
                          self.ask(smtpin, "198.51.100.10"))
            for host in ("192.0.2.10", "127.0.0.1", "2001:db8::10"):
                self.assertIn("refused", self.ask(smtpin, host))

    def test_both_families(self):
        with self.smtpin() as smtpin:
            for host in ("192.0.2.10", "2001:db8::10"):
                self.assertIn("220 mx.example.org", self.ask(smtpin, host))

    def refused(self, *arguments):
        smtpin = self.smtpin(*arguments)
        self.addCleanup(smtpin.remove)
        smtpin.spawn()
        status = smtpin.process.wait(fixture.WAIT)
        smtpin.reader.join(fixture.WAIT)
        self.assertEqual(status, os.EX_UNAVAILABLE, smtpin.text())
        return smtpin.text()

    def test_no_address(self):
        self.assertIn("net2", self.refused("-i", "net2"))

    def test_no_default_route(self):
        smtpin = fixture.Smtpin(arguments=["-p", "2525"],
                                prefix=["unshare", "--net"])
        self.addCleanup(smtpin.remove)
        smtpin.spawn()
        status = smtpin.process.wait(fixture.WAIT)
        smtpin.reader.join(fixture.WAIT)
        self.assertEqual(status, os.EX_UNAVAILABLE, smtpin.text())
        self.assertIn("route", smtpin.text())


if __name__ == "__main__":
    fixture.main()
