# SPDX-License-Identifier: MIT
"""10,000 messages to a dead domain beside a live one, which must not feel it.

LOAD_MESSAGES says how many.
"""

import contextlib
import os
import socket
import statistics
import threading
import time

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

MESSAGES = int(os.environ.get("LOAD_MESSAGES", "10000"))
PROBES = 15
CLIENTS = 4

ZONE = f"""
live.example.	MX 10 mx1.example.
refusing.example.	MX 10 mx2.example.
silent.example.	MX 10 silence.example.
silence.example.	A {world.SILENT}
silence.example.	AAAA {world.SILENT6}
slow.example.	MX 10 mx3.example.
"""


class DeadSite(world.WorldCase):
    def setUp(self):
        self.world.zone(ZONE)
        self.live = self.enterContext(Scripted(self.mx1))
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--connect-timeout", "3", "--command-timeout", "30",
            level="info"))

    def probe(self):
        """Send messages to the live domain, one by one.  Return the seconds
        from the 250 to the arrival of the middle one."""
        delays = []
        with self.smtpout.client() as client:
            for _ in range(PROBES):
                before = len(self.live.accepted)
                start = time.monotonic()
                client.submit(message(), "bob@live.example")
                taken = self.live.wait(before + 1, 6 * fixture.WAIT)[-1]
                delays.append(taken.time - start)
        return statistics.median(delays)

    def fill(self, domain):
        """Queue so many for DOMAIN."""
        def work(part):
            with self.smtpout.client() as client:
                for i in range(part, MESSAGES, CLIENTS):
                    client.submit(message(), f"user{i}@{domain}")
        threads = [threading.Thread(target=work, args=(part,))
                   for part in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def tries_beside(self, domain):
        """Live mail arrives though DOMAIN has so many, most of which are not
        tried: else it would wait for hours.  Return how many are."""
        self.fill(domain)
        middle = self.probe()
        tries = len([a for a in self.smtpout.attempts()
                     if a["to"].endswith(f"@{domain}>")])
        print(f"\n{MESSAGES} to {domain}, {tries} tried: live mail took "
              f"{middle * 1000:.1f} ms", end=" ")
        self.assertGreaterEqual(len(self.smtpout.list()), MESSAGES * 0.9)
        return tries

    def test_refusing(self):
        """Nobody listens there: one probe, and then the retry's time."""
        self.assertLess(self.tries_beside("refusing.example"), 10)

    def test_silent(self):
        """Each connection times out; few are tried at all."""
        self.assertLess(self.tries_beside("silent.example"), 40)

    def test_slow(self):
        """It answers every command, but takes its time."""
        def wait(*_):
            time.sleep(2)
            return "250 2.1.0 ok"
        self.enterContext(Scripted(self.mx3, mail=wait))
        self.tries_beside("slow.example")

    def test_levels(self):
        """O22: the journal of systemd has one warning of a dead site, however
        much mail waits for it, and a line when it is well."""
        self.smtpout.runner = [
            "sh", "-c", "export JOURNAL_STREAM=$(stat -Lc %d:%i /dev/fd/2); "
            'exec "$@"', "sh"]
        self.smtpout.restart()
        for _ in range(20):
            self.smtpout.submit(message(), "bob@refusing.example")
        self.smtpout.wait_log("status=deferred")
        self.smtpout.ask("flush")
        host = self.enterContext(Scripted(self.mx2))
        self.smtpout.flush_to(host, 20)
        self.smtpout.wait_log("^<6>mail for site=mx2.example goes out again$")
        warning, = self.smtpout.warnings()
        self.assertRegex(
            warning, "^<4>mail for site=mx2.example waits: mx2.example: ")

    def test_memory_and_start(self):
        """It starts with so many; the figures are for the eye."""
        self.smtpout.stop()
        self.smtpout.start()
        base = resident(self.smtpout.process.pid)
        self.fill("refusing.example")
        self.smtpout.stop()
        start = time.monotonic()
        self.smtpout.start()
        seconds = time.monotonic() - start
        more = resident(self.smtpout.process.pid) - base
        print(f"\nstarted with {MESSAGES} in {seconds:.2f} s, "
              f"{more / MESSAGES:.0f} bytes a message", end=" ")
        self.assertEqual(len(self.smtpout.list()), MESSAGES)


class OwnAddress:
    """An address of the host that smtpout runs on, as a host of its own."""

    address6 = None

    def __init__(self, host, address):
        self.inside = host.inside
        self.address = address


class SlowSites(world.WorldCase):
    """S12: what many other sites make of their time is not to be felt."""

    PORT = 2600

    def setUp(self):
        self.live = self.scripted("127.0.9.1")

    def scripted(self, address, **rules):
        return self.enterContext(Scripted(
            OwnAddress(self.world.out, address), port=self.PORT, **rules))

    def silent(self, address):
        """Connections are taken, and nothing is ever said."""
        with self.world.out.inside():
            self.enterContext(contextlib.closing(
                socket.create_server((address, self.PORT), backlog=20)))

    def run_smtpout(self, *arguments, **options):
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--remote-port", str(self.PORT), *arguments,
            level="info", **options))

    def submit_to(self, *rcpts):
        self.smtpout.submit(message(), *rcpts)

    def check_live(self):
        """Mail to a site that was never asked, and then was a moment ago,
        arrives, though each of the others takes minutes."""
        for i in range(5):
            self.submit_to("bob@[127.0.9.1]")
            self.live.wait(i + 1, 2 * fixture.WAIT)

    def test_silent_greetings(self):
        addresses = [f"127.0.3.{i}" for i in range(1, 201)]
        for address in addresses:
            self.silent(address)
        self.run_smtpout()
        for _ in range(2):
            for address in addresses:
                self.submit_to(f"u@[{address}]")
        self.check_live()

    def test_deaf_dns(self):
        with self.world.out.inside():
            deaf = self.enterContext(contextlib.closing(
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            deaf.bind(("127.0.0.1", 5300))
        self.run_smtpout("--dns", "127.0.0.1:5300", dns=False)
        for part in range(20):
            self.submit_to(*[f"u@d{part}-{i}.example" for i in range(50)])
        self.check_live()
        # O22: one warning for all.
        self.smtpout.wait_log("warning the DNS does not answer")
        warning, = self.smtpout.warnings()
        self.assertIn("127.0.0.1", warning)

    def test_backlog_of_slow_ones(self):
        ended = threading.Event()

        def wait(*_):
            ended.wait(60)
            return "250 2.0.0 ok"
        addresses = [f"127.0.4.{i}" for i in range(1, 9)]
        for address in addresses:
            self.scripted(address, dot=wait)
        self.run_smtpout("--site-connections", "16")
        self.addCleanup(ended.set)
        for _ in range(60):
            for address in addresses:
                self.submit_to(f"u@[{address}]")
        self.check_live()


def resident(pid):
    """Bytes of memory that process PID has."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


if __name__ == "__main__":
    world.main()
