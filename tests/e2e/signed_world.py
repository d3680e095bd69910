# SPDX-License-Identifier: MIT
"""A world whose DNS is signed (DNSSEC): zones of their own below the root, each
secure, without signatures, or with wrong ones; and a resolver that validates,
at the host "out".

The root is signed with a key of this world, which the resolver trusts.  Below
it are

	dane.	signed
	plain.	not signed, as the root says
	bogus.	signed, but with another key than the root says
"""

import os
import shutil
import subprocess

import smtpin_fixture as fixture
import world

ALGORITHM = "ECDSAP256SHA256"
ZONES = ("dane", "plain", "bogus")

UNBOUND = """
server:
	interface: {address}
	interface: 127.0.0.1
	access-control: 0.0.0.0/0 allow
	do-daemonize: no
	username: ""
	chroot: ""
	directory: "{dir}"
	pidfile: "{dir}/pid"
	logfile: ""
	use-syslog: no
	verbosity: 1
	val-log-level: 2
	module-config: "{modules}"
	trust-anchor-file: "{dir}/anchor"
	root-hints: "{dir}/hints"
	cache-max-ttl: 1
	cache-max-negative-ttl: 1
	do-ip6: no
	qname-minimisation: no
	val-bogus-ttl: 1
	infra-host-ttl: 1
	num-threads: 1
remote-control:
	control-enable: no
"""


def run(*command, where):
    done = subprocess.run(command, cwd=where, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


class Keys:
    """The key of a zone, and its DS record."""

    def __init__(self, zone, where):
        self.where = where
        self.base = run("ldns-keygen", "-a", ALGORITHM, "-k", zone,
                        where=where)
        self.ds = run("ldns-key2ds", "-n", "-2", self.base + ".key",
                      where=where)
        with open(os.path.join(where, self.base + ".key"),
                  encoding="ascii") as file:
            self.public = file.read()

    def sign(self, name, zone):
        """Sign the file NAME of ZONE to NAME.signed."""
        run("ldns-signzone", "-n", "-o", zone, "-f", name + ".signed", name,
            self.base, where=self.where)


class SignedNames(world.Nsd):
    """nsd with the root and the zones below it."""

    def __init__(self, host, root):
        super().__init__(host, root)
        for tool in ("ldns-keygen", "ldns-signzone", "ldns-key2ds"):
            fixture.need(tool)
        self.keys = {zone: Keys(zone + ".", self.dir)
                     for zone in ("", "dane", "bogus")}
        self.wrong = Keys("bogus.", self.dir)
        with open(os.path.join(self.dir, "nsd.conf"), "a",
                  encoding="ascii") as file:
            for zone in ZONES:
                file.write(f'zone:\n\tname: "{zone}."\n'
                           f'\tzonefile: {zone}.zone\n')

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as file:
            file.write(text)

    def head(self, zone):
        name = zone + "."
        return (f"$ORIGIN {name}\n$TTL 1\n{name} SOA dns.dane. "
                f"hostmaster.dane. {self.serial} 3600 600 86400 1\n"
                f"{name} NS dns.dane.\n")

    def make(self, zone, text):
        """Write the file of ZONE with TEXT, signed if it has a key."""
        name = (zone or "root") + ".zone"
        self.write(name, self.head(zone) + text)
        key = self.keys.get(zone)
        if key is not None:
            key.sign(name, zone + ".")
            os.replace(os.path.join(self.dir, name + ".signed"),
                       os.path.join(self.dir, name))

    def start(self):
        """The zone is the text of all zones: a line belongs to that in which
        its name ends."""
        self.serial += 1
        parts = {zone: "" for zone in ZONES}
        for line in self.zone.splitlines():
            name = line.split()[0].rstrip(".") if line.split() else ""
            zone = name.rsplit(".", 1)[-1]
            if zone in parts:
                parts[zone] += line + "\n"
        for zone, text in parts.items():
            self.make(zone, text)
        self.make("", "".join(
            f"{zone}. NS dns.dane.\n" for zone in ZONES)
            + f"dns.dane. A {self.host.address}\n"
            + self.keys["dane"].ds + "\n" + self.wrong.ds + "\n")
        os.replace(os.path.join(self.dir, "root.zone"),
                   os.path.join(self.dir, "zone"))
        self.spawn()
        fixture.until(self.answers, "nsd does not answer")


class Resolver:
    """unbound at HOST, which validates by the key of NAMES, or does not."""

    def __init__(self, host, names, root, validates=True):
        self.program = fixture.need("unbound")
        self.host = host
        self.dir = os.path.join(
            root, "unbound" if validates else "unbound-plain")
        os.mkdir(self.dir)
        self.process = None
        self.write("anchor", names.keys[""].public)
        self.write("hints", f". NS dns.dane.\ndns.dane. A "
                   f"{names.host.address}\n")
        self.write("unbound.conf", UNBOUND.format(
            dir=self.dir, address=host.address,
            modules="validator iterator" if validates else "iterator"))

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as file:
            file.write(text)

    def start(self):
        """Forget what was known, and answer."""
        self.stop()
        log = os.path.join(self.dir, "log")
        with open(log, "w", encoding="ascii") as file:
            self.process = self.host.cage(
                [self.program, "-d", "-c",
                 os.path.join(self.dir, "unbound.conf")],
                stdin=subprocess.DEVNULL, stderr=file)
        fixture.until(self.is_ready, "unbound does not answer")

    def is_ready(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8") as file:
            return "start of service" in file.read()

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class SignedWorld(world.World):
    """Its zone() takes the text of all zones below the root."""

    def build(self):
        super().build()
        self.names.stop()
        shutil.rmtree(self.names.dir)
        self.names = SignedNames(self.hosts["dns"], self.root)
        self.resolver = Resolver(self.out, self.names, self.root)
        self.ends.callback(self.names.stop)
        self.ends.callback(self.resolver.stop)

    def zone(self, text):
        lines = [f"dns.dane. A {self.names.host.address}"]
        for name, host in self.hosts.items():
            for zone in ZONES:
                lines.append(f"{name}.{zone}. A {host.address}")
        self.names.serve("\n".join(lines) + "\n" + text + "\n")
        self.resolver.start()

