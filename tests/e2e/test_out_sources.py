# SPDX-License-Identifier: MIT
"""The addresses that smtpout sends from, and by which name."""

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

ZONE = """
four.example.	MX 10 mx1.example.
"""
IPV4, IPV6 = "198.51.100.77", "2001:db8::77"


class Sources(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.zone(ZONE)

    def add(self, *addresses):
        for address in addresses:
            self.world.out.ip(f"address add {address} dev eth0")
            self.addCleanup(self.world.out.ip,
                            f"address del {address} dev eth0")

    def start(self, *sources):
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "1",
            "--connect-timeout", "2",
            *(word for source in sources for word in ("--source", source))))

    def test_each_family(self):
        """RFC 5321, 4.1.4: with the name that belongs to the address."""
        host = self.mx1
        self.add(f"{IPV4}/24", f"{IPV6}/64 nodad")
        self.start(f"{IPV4}=four.example", f"{IPV6}=six.example")
        with Scripted(host) as server:
            seen = {}
            for literal in (f"[{host.address}]", f"[IPv6:{host.address6}]"):
                self.smtpout.submit(message(), f"bob@{literal}")
                taken = server.wait(len(seen) + 1)[-1]
                seen[taken.peer] = taken.hello
            self.assertEqual(seen, {IPV4: "four.example", IPV6: "six.example"})

    def test_a_family_without_one(self):
        host = self.mx1
        self.add(f"{IPV4}/24")
        self.start(f"{IPV4}=four.example")
        with Scripted(host) as server:
            self.smtpout.submit(message(), f"bob@[IPv6:{host.address6}]")
            taken, = server.wait()
            self.assertEqual(taken.peer, self.world.out.address6)
            self.assertEqual(taken.hello, "out.example")

    def test_one_that_is_not_there(self):
        """Our own trouble: mail waits for the address, and the log says so."""
        self.start(IPV4)
        self.smtpout.wait_log(
            f"this host does not have the address {IPV4} ")
        with Scripted(self.mx1) as server:
            ident = self.smtpout.submit(
                message(), f"bob@[{self.mx1.address}]")
            line = self.smtpout.attempts(ident, 1)[0]
            self.assertEqual(line["status"], "deferred")
            self.smtpout.wait_log(
                f"waits: .*from {IPV4}: this host does not have that address")
            self.assertEqual(server.sessions, [])
            self.add(f"{IPV4}/24")
            self.assertEqual(self.smtpout.flush_to(server)[0].peer, IPV4)
            self.smtpout.wait_empty(2 * fixture.WAIT)


if __name__ == "__main__":
    world.main()
