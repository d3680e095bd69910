# SPDX-License-Identifier: MIT
"""A small Internet: hosts with addresses of their own, a DNS server, a bridge
between them.

Each host is a network namespace without a name, which lives as long as this
process has its descriptor open: nothing is left behind, however the tests end,
and runs side by side do not meet.  A thread goes inside() a host; sockets that
it makes there, and programs that it starts there, stay there.

The program needs root and iproute2; E2E_STRICT=1 makes their lack a failure.
"""

import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import smtpin_fixture as fixture

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

# Addresses that nobody has and nobody answers for: whoever connects to one
# hears nothing at all.
SILENT = "203.0.113.9"
SILENT6 = "2001:db8:dead::9"

# The programs under test, by name; see main().
PROGRAMS = {}


def program(name):
    """The path of the program under test that is called NAME."""
    path = PROGRAMS.get(name) or os.environ.get(name.upper())
    if not path:
        fixture.cannot(f"which {name}? name it in {name.upper()}")
    return path


def main():
    """Run the tests of the calling file.  Arguments of the form NAME=PATH
    name the programs to test."""
    while len(sys.argv) > 1 and "=" in sys.argv[1]:
        name, path = sys.argv.pop(1).split("=", 1)
        PROGRAMS[name] = os.path.abspath(path)
    if "smtpin" in PROGRAMS:
        os.environ["SMTPIN"] = PROGRAMS["smtpin"]
    # As an interrupt: what is to be done at the end is done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)


def check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def present_namespace():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Host:
    """A host of the world, with loopback up."""

    def __init__(self, name):
        self.name = name
        home = present_namespace()
        try:
            check(LIBC.unshare(CLONE_NEWNET))
            self.namespace = present_namespace()
            check(LIBC.setns(home, CLONE_NEWNET))
        finally:
            os.close(home)
        self.address = self.address6 = None
        self.ip("link set lo up")

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is at this host."""
        before = present_namespace()
        try:
            check(LIBC.setns(self.namespace, CLONE_NEWNET))
            try:
                yield self
            finally:
                check(LIBC.setns(before, CLONE_NEWNET))
        finally:
            os.close(before)

    def ip(self, *lines):
        """Run ip(8) here, with each of LINES."""
        with self.inside():
            subprocess.run(["ip", "-batch", "-"], input="\n".join(lines),
                           text=True, check=True, capture_output=True)

    def popen(self, command, **options):
        """Start COMMAND here.  It dies with the thread that started it."""
        with self.inside():
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], **options)

    def cage(self, command, **options):
        """The same for one that has children, or changes its user and so
        would outlive us: in a PID namespace, which dies with its first."""
        return self.popen(
            ["unshare", "--pid", "--fork", "--kill-child=KILL",
             "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh", *command],
            **options)

    def path(self):
        """Of the namespace, for others."""
        return f"/proc/{os.getpid()}/fd/{self.namespace}"

    def cut(self):
        """Take the cable out; plug() puts it in again."""
        self.ip("link set eth0 down")

    def plug(self):
        self.ip("link set eth0 up",
                f"address replace {self.address6}/64 dev eth0 nodad")

    def remove(self):
        os.close(self.namespace)


class World:
    """Hosts on one wire.  The DNS server is 198.51.100.53."""

    dns = "198.51.100.53"

    def __init__(self):
        if os.geteuid() != 0:
            fixture.cannot("network namespaces need root")
        for tool in ("ip", "setpriv"):
            fixture.need(tool)
        self.root = tempfile.mkdtemp(prefix="smtp-world.")
        os.chmod(self.root, 0o755)
        self.hosts = {}
        self.ends = contextlib.ExitStack()
        self.pid = os.getpid()
        atexit.register(self.close)
        try:
            self.build()
        except subprocess.CalledProcessError as error:
            self.close()
            fixture.cannot(f"no network namespaces: {error.stderr}")
        except OSError as error:
            self.close()
            fixture.cannot(f"no network namespaces: {error}")

    def build(self):
        self.switch = Host("switch")
        self.ends.callback(self.switch.remove)
        self.switch.ip("link add bridge type bridge mcast_snooping 0",
                       "link set bridge up")
        self.out = self.host("out", 1)
        self.make_silence(self.out)
        self.names = Nsd(self.host("dns", 53), self.root)
        self.ends.callback(self.names.stop)

    @staticmethod
    def make_silence(host):
        """Packets to the silent addresses go to a host that is not there."""
        host.ip("neighbor add 198.51.100.250 lladdr 02:00:00:00:00:fa "
                "nud permanent dev eth0",
                "neighbor add 2001:db8::250 lladdr 02:00:00:00:00:fa "
                "nud permanent dev eth0",
                "route add default via 198.51.100.250",
                "route add ::/0 via 2001:db8::250")

    def host(self, name, number, families="46"):
        """A new host, 198.51.100.NUMBER and 2001:db8::NUMBER."""
        host = Host(name)
        self.ends.callback(host.remove)
        host.number = number
        self.switch.ip(
            f"link add {name} type veth peer name eth0 netns {host.path()}",
            f"link set {name} master bridge", f"link set {name} up")
        host.ip("link set eth0 up")
        if "4" in families:
            host.address = f"198.51.100.{number}"
            host.ip(f"address add {host.address}/24 dev eth0")
        if "6" in families:
            host.address6 = f"2001:db8::{number}"
            host.ip(f"address add {host.address6}/64 dev eth0 nodad")
        self.hosts[name] = host
        return host

    def zone(self, text):
        """What the DNS says from now on, in the form of a zone of all names;
        NAME.example is the host NAME."""
        lines = []
        for name, host in self.hosts.items():
            if host.address:
                lines.append(f"{name}.example. A {host.address}")
            if host.address6:
                lines.append(f"{name}.example. AAAA {host.address6}")
        self.names.serve("\n".join(lines) + "\n" + text + "\n")

    def close(self):
        if os.getpid() != self.pid:
            return
        self.ends.close()
        shutil.rmtree(self.root, ignore_errors=True)
        atexit.unregister(self.close)


class Nsd:
    """The DNS server of the world: a real one that serves the root."""

    CONFIGURATION = """
server:
	ip-address: {host.address}
	ip-address: {host.address6}
	server-count: 1
	username: ""
	chroot: ""
	database: ""
	zonesdir: "{dir}"
	pidfile: "{dir}/pid"
	xfrdfile: "{dir}/xfrd"
	zonelistfile: "{dir}/zonelist"
	xfrdir: "{dir}"
	logfile: "{dir}/log"
remote-control:
	control-enable: no
zone:
	name: "."
	zonefile: zone
"""

    HEAD = """\
$ORIGIN .
$TTL 1
. SOA dns.example. hostmaster.example. {serial} 3600 600 86400 1
. NS dns.example.
"""

    def __init__(self, host, root):
        self.program = fixture.need("nsd")
        self.host = host
        self.dir = os.path.join(root, "nsd")
        os.mkdir(self.dir)
        with open(os.path.join(self.dir, "nsd.conf"), "w",
                  encoding="ascii") as file:
            file.write(self.CONFIGURATION.format(host=host, dir=self.dir))
        self.process = None
        self.zone = ""
        self.serial = 0

    def serve(self, zone):
        """Serve ZONE instead of what was served."""
        self.stop()
        self.zone = zone
        self.start()

    def start(self):
        self.serial += 1
        with open(os.path.join(self.dir, "zone"), "w",
                  encoding="ascii") as file:
            file.write(self.HEAD.format(serial=self.serial) + self.zone)
        self.spawn()
        fixture.until(self.answers, "nsd does not answer")

    def spawn(self):
        self.process = self.host.cage(
            [self.program, "-d", "-c", os.path.join(self.dir, "nsd.conf")],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self):
        """Whether it serves the zone.  The one before may still be on its way
        out: then this one ends, as the port is taken, while that one answers,
        by another serial."""
        if self.process.poll() is not None:
            self.spawn()
        query = b"\1\2\0\0\0\1\0\0\0\0\0\0\0\0\6\0\1"
        with self.host.inside(), \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(query, (self.host.address, 53))
                answer = s.recv(512)
            except OSError:
                return False
        # Behind the header, the question and the root's name come type, class,
        # TTL and length; the serial is the first of five numbers at the end.
        end = 28 + int.from_bytes(answer[26:28], "big")
        return answer[7] > 0 and self.serial == int.from_bytes(
            answer[end - 20:end - 16], "big")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class WorldCase(unittest.TestCase):
    """Tests in one world for the class, with the hosts mx1 to mx3."""

    HOSTS = ("mx1", "mx2", "mx3")

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        for number, name in enumerate(cls.HOSTS, 11):
            setattr(cls, name, cls.world.host(name, number))

    def tearDown(self):
        """What smtpout said before a test failed."""
        smtpout = getattr(self, "smtpout", None)
        result = self._outcome.result
        failed = any(test is self
                     for test, _ in result.failures + result.errors)
        if smtpout is not None and failed:
            print("\n" + "\n".join(smtpout.lines[-60:]))
