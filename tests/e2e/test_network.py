# SPDX-License-Identifier: MIT
"""Which addresses smtpin listens on."""

import os
import re
import signal
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


class Rates(unittest.TestCase):
    def test_connections(self):
        with fixture.Smtpin(arguments=["-a", "127.0.0.1:0", "--max-rate",
                                       "2/h"]) as smtpin:
            for _ in range(2):
                fixture.Dialogue(smtpin.port).quit()
            with fixture.Dialogue(smtpin.port, greet=False) as client:
                self.assertEqual(client.reply().codes, "421 4.7.0")
            fixture.Dialogue(smtpin.port, source="127.0.0.9").quit()
            smtpin.await_words("too many new connections from it")

    def test_recipients(self):
        with fixture.Smtpin(arguments=["-a", "127.0.0.1:0",
                                       "--max-rcpt-rate", "2/h"]) as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.say("MAIL FROM:<sender@example.net>")
                replies = [client.say("RCPT TO:<bob@example.org>").code
                           for _ in range(2)]
                self.assertEqual(replies, [250, 450])


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

    def ask(self, smtpin, host, port=2525):
        """Connect from inside: the greeting, or what went wrong."""
        script = ("import socket,sys\n"
                  "s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)\n"
                  "print(s.recv(100).decode())\n")
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{smtpin.process.pid}/ns/net",
             sys.executable, "-c", script, host, str(port)],
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

    def inside(self, smtpin, *words):
        subprocess.run(["nsenter", f"--net=/proc/{smtpin.process.pid}/ns/net",
                        *words], check=True)

    def test_tentative(self):
        """O9: an address that is tested still is one."""
        smtpin = fixture.Smtpin(
            arguments=["-i", "net0", "-p", "2525"],
            prefix=[word.replace("10/64 dev net0 nodad", "10/64 dev net0")
                    .replace("ip link set net0 up",
                             "ip link set net0 up; sysctl -qw "
                             "net.ipv6.conf.net0.dad_transmits=20 || true; "
                             "ip address add 2001:db8::11/64 dev net0")
                    for word in INSIDE])
        self.addCleanup(smtpin.remove)
        with smtpin:
            fixture.until(lambda: {"192.0.2.10", "2001:db8::11"} <= {
                host for host, _ in smtpin.addresses()}, smtpin.text())

    def test_address_comes(self):
        """O11: the addresses of an interface are followed, also by a user who
        may not bind to their port."""
        smtpin = fixture.Smtpin(
            arguments=["-i", "net1", "-p", "25", "-U", "nobody"],
            prefix=INSIDE)
        self.addCleanup(smtpin.remove)
        os.chmod(smtpin.root, 0o755)
        os.chmod(smtpin.mail, 0o777)
        with smtpin:
            self.inside(smtpin, "ip", "address", "del", "198.51.100.10/24",
                        "dev", "net1")
            self.inside(smtpin, "ip", "address", "add", "198.51.100.15/24",
                        "dev", "net1")
            smtpin.process.send_signal(signal.SIGHUP)
            fixture.until(lambda: "listening on 198.51.100.15:25"
                          in smtpin.text(), "not followed")
            self.assertIn("220 mx.example.org",
                          self.ask(smtpin, "198.51.100.15", 25))

    def test_hand_over(self):
        """A process that took over follows too, though it was never root."""
        smtpin = fixture.Smtpin(
            arguments=["-i", "net1", "-p", "25", "-U", "nobody"],
            prefix=INSIDE)
        self.addCleanup(smtpin.remove)
        for path in (smtpin.root, smtpin.mail):
            os.chmod(path, 0o777)
        with smtpin:
            self.inside(smtpin, "ip", "address", "add", "198.51.100.15/24",
                        "dev", "net1")
            smtpin.process.send_signal(signal.SIGUSR2)
            fixture.until(lambda: "listening on 198.51.100.15:25"
                          in smtpin.text(), "not followed")
            smtpin.process.wait(fixture.WAIT)
            os.kill(int(re.search(r"process (\d+) takes over",
                                  smtpin.text())[1]), signal.SIGTERM)

    def test_capabilities(self):
        """O14: what is not needed any more is given up."""
        for arguments, kept in ((["-a", "192.0.2.10:25"], 0),
                                (["-i", "net0", "-p", "25"], 1 << 10)):
            smtpin = fixture.Smtpin(arguments=[*arguments, "-U", "nobody"],
                                    prefix=INSIDE)
            self.addCleanup(smtpin.remove)
            os.chmod(smtpin.root, 0o755)
            os.chmod(smtpin.mail, 0o777)
            with smtpin:
                status = fixture.read(f"/proc/{smtpin.process.pid}/status")
                for name in (b"CapPrm", b"CapEff"):
                    self.assertIn(b"%s:\t%016x\n" % (name, kept), status)

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
        smtpin.await_words("route")


if __name__ == "__main__":
    fixture.main()
