# SPDX-License-Identifier: MIT
"""The addresses that smtpout sends from, and by which name."""

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

ZONE = """
four.example.	MX 10 old.example.
"""
IPV4, IPV6 = "198.51.100.77", "2001:db8::77"
NEWS = "198.51.100.78"


class Sources(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls.world.host("old", 24, "4")
        cls.world.zone(ZONE)

    def add(self, *addresses):
        for address in addresses:
            self.world.out.ip(f"address add {address} dev eth0")
            self.addCleanup(self.world.out.ip,
                            f"address del {address} dev eth0")

    def start(self, *sources, routes=()):
        options = [word for source in sources for word in ("--source", source)]
        for route in routes:
            options += ["--route", route]
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "1",
            "--connect-timeout", "2", *options))

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

    def test_routes_have_their_own(self):
        """Mail of one sender leaves from elsewhere, over connections and as a
        site of its own, also where the DNS names the hosts; a family that the
        route has no address of leaves as all mail does."""
        new = f"[IPv6:{self.mx1.address6}]"
        self.add(f"{IPV4}/24", f"{NEWS}/24", f"{IPV6}/64 nodad")
        self.start(f"{IPV4}=four.example", f"{IPV6}=six.example",
                   routes=[f"from:news@home.example=mx;source={NEWS}="
                           "news.example"])
        seen = []
        with Scripted(self.old) as old, Scripted(self.mx1) as six:
            for server, sender, domain, count in (
                    (old, "alice", "four.example", 1),
                    (old, "news", "four.example", 2),
                    (old, "alice", "four.example", 3),
                    (six, "news", new, 1)):
                self.smtpout.submit(message(), f"bob@{domain}",
                                    sender=f"{sender}@home.example")
                taken = server.wait(count)[-1]
                self.assertEqual(taken.sender, f"{sender}@home.example")
                seen.append((taken.peer, taken.hello))
            self.smtpout.wait_empty()
        self.assertEqual(seen, [
            (IPV4, "four.example"), (NEWS, "news.example"),
            (IPV4, "four.example"), (IPV6, "six.example")])

    def test_a_route_whose_own_is_not_there(self):
        """Mail of other routes does not wait for it."""
        self.start(routes=[f"from:news@home.example=mx;source={NEWS}"])
        self.smtpout.wait_log(
            rf"this host does not have the address {NEWS} \(of a route\)")
        with Scripted(self.old) as server:
            ident = self.smtpout.submit(message(), "bob@four.example",
                                        sender="news@home.example")
            line = self.smtpout.attempts(ident, 1)[0]
            self.assertEqual(line["status"], "deferred")
            self.assertIn(f"mx from {NEWS} old.example",
                          self.smtpout.ask("stats"))
            self.smtpout.submit(message(), "bob@four.example")
            taken, = server.wait()
            self.assertEqual(taken.sender, "alice@home.example")
            self.assertEqual(taken.peer, self.world.out.address)

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
