# SPDX-License-Identifier: MIT
"""The units under a systemd of their own: its first process in namespaces,
with no units but those of the tree.

What they install is looked at elsewhere; here the sockets, a restart, a reload,
a hand-over and the watchdog are, while clients count.
"""

import glob
import os
import shutil
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture
import world
from restart_case import Senders

EXAMPLES = os.path.dirname(os.path.abspath(__file__)) + "/../../examples"
SYSTEMD = "/lib/systemd/systemd"

# The hierarchy of cgroups that systemd takes, which is one for the machine.
CGROUPS = """\
mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd &&
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd &&
	cgroups=/sys/fs/cgroup/systemd || {
	umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
		cgroups=/sys/fs/cgroup
} || exit 1
"""

LOCK = CGROUPS + """\
exec 9<"$cgroups" && flock 9 && echo locked && exec cat
"""

BOOT = """\
mount -t proc proc /proc && mount --bind /proc/sys /proc/sys &&
	mount -o remount,bind,ro /proc/sys && mount -t tmpfs tmpfs /run || exit 1
""" + CGROUPS + """\
ulimit -n 65536
export container=lxc SYSTEMD_UNIT_PATH="$1"
exec "$0" --system --unit=test.target --log-target=null --show-status=no
"""

TARGETS = ("test", "sysinit", "basic", "sockets", "slices", "shutdown",
           "umount", "final", "exit")

# As nobody, who owns what the directory has, and at addresses of loopback.  What
# looks for leaks at the end needs ptrace(), which the units forbid, and would
# wait for ever.
SERVICE = """\
[Service]
User=nobody
Group=nogroup
PrivateTmp=no
WatchdogSec={watchdog}
RestartSec=1
ReadWritePaths={root}
StandardError=append:{root}/{name}.log
Environment=LD_LIBRARY_PATH={libraries} ASAN_OPTIONS=detect_leaks=0
ExecStart=
ExecStart={program} --config {root}/{name}.conf
"""

SOCKET = """\
[Socket]
ListenStream=
ListenStream={}
"""


class Manager:
    """A systemd with the units of the tree."""

    def __init__(self, watchdog="2min"):
        self.root = tempfile.mkdtemp(prefix="smtpd-systemd.")
        os.chmod(self.root, 0o755)
        self.units = self.root + "/units"
        self.host = world.Host("systemd")
        self.process = self.pid = None
        os.mkdir(self.units)
        for name in TARGETS:
            fixture.write(f"{self.units}/{name}.target",
                          "[Unit]\nDescription=test\n")
        for name in ("mail", "queue"):
            os.mkdir(f"{self.root}/{name}")
            os.chown(f"{self.root}/{name}", 65534, 65534)
        self.add_service("smtpin", watchdog)
        self.add_service("smtpout", watchdog)
        self.drop_in("smtpin.socket", SOCKET.format("127.0.0.2:25"))
        self.drop_in("smtpin-tls.socket", SOCKET.format("127.0.0.2:465"))
        fixture.write(self.root + "/map", fixture.USERS)
        fixture.write(self.root + "/smtpout.conf",
                      f"hostname out.example\nqueue {self.root}/queue\n"
                      "dns 127.0.0.1:9\n")
        self.configure()

    def configure(self, *more):
        lines = ["hostname mx.example.org", f"users {self.root}/map",
                 f"maildir {self.root}/mail/%u", "max-per-address 0", *more]
        fixture.write(self.root + "/smtpin.conf", "\n".join(lines) + "\n")

    def add_service(self, name, watchdog):
        program = world.program(name)
        unit = fixture.read(f"{EXAMPLES}/{name}/{name}.service.in").decode()
        fixture.write(f"{self.units}/{name}.service",
                      unit.replace("@sbindir@/" + name, program))
        for path in os.listdir(f"{EXAMPLES}/{name}"):
            if path.endswith(".socket"):
                shutil.copy(f"{EXAMPLES}/{name}/{path}", self.units)
        build = os.path.dirname(os.path.dirname(os.path.dirname(program)))
        self.drop_in(name + ".service", SERVICE.format(
            name=name, program=program, root=self.root, watchdog=watchdog,
            libraries=build + "/lib"))

    def drop_in(self, unit, text):
        os.mkdir(f"{self.units}/{unit}.d")
        fixture.write(f"{self.units}/{unit}.d/test.conf", text)

    def start(self):
        self.process = self.host.popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts",
             "--ipc", "sh", "-c", BOOT, SYSTEMD, self.units],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            fixture.until(
                lambda: self.process.poll() is not None or self.is_up(),
                "systemd does not answer")
        except AssertionError as error:
            raise unittest.SkipTest(str(error)) from error
        if self.process.poll() is not None:
            raise unittest.SkipTest("systemd cannot run here")

    def is_up(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.pid = fixture.read(path).decode().strip()
        return self.pid and self.ctl(
            "is-active", "test.target", check=False) == "active"

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.host.remove()
        shutil.rmtree(self.root, ignore_errors=True)

    def inside(self, *command, check=True):
        done = subprocess.run(
            ["nsenter", "--all", "--target", self.pid, *command],
            capture_output=True, text=True, check=False,
            timeout=3 * fixture.WAIT)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def ctl(self, *words, check=True):
        return self.inside("systemctl", *words, check=check)

    def value(self, unit, name):
        return self.ctl("show", "--value", "-p", name, unit)

    def wait_main(self, unit, before):
        """Until another process than BEFORE is the main one, and ready."""
        fixture.until(
            lambda: self.value(unit, "MainPID") not in ("0", before)
            and self.value(unit, "SubState") == "running",
            f"no other process: {self.log(unit)[-2000:]}")

    def log(self, name):
        try:
            return fixture.read(f"{self.root}/{name}.log").decode()
        except FileNotFoundError:
            return ""

    def signal(self, name, unit):
        self.ctl("kill", "-s", name, unit)


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """One at a time on a machine, whatever namespaces it is in."""
        if os.geteuid() != 0:
            fixture.cannot("only root can start a systemd")
        for tool in ("systemctl", "unshare", "nsenter"):
            fixture.need(tool)
        if not os.access(SYSTEMD, os.X_OK):
            fixture.cannot("systemd is not installed")
        lock = cls.enterClassContext(subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", LOCK], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE))
        if not lock.stdout.readline():
            fixture.cannot("the cgroups of systemd cannot be mounted")

    def start(self, *units, **options):
        manager = Manager(**options)
        self.addCleanup(manager.end)
        manager.start()
        manager.ctl("start", *units)
        return manager

    def deliver_to(self, manager, host, rcpt):
        def deliver(subject):
            with manager.host.inside(), fixture.Dialogue(25, host) as client:
                reply = client.deliver(fixture.plain(subject=subject), rcpt)
                if reply.code != 250 or client.quit().code != 221:
                    raise AssertionError(reply)
        return deliver

    def test_nobody_is_refused(self):
        """By restarts, reloads, and hand-overs."""
        manager = self.start("smtpin.socket", "smtpout.socket")
        with Senders(self.deliver_to(manager, "127.0.0.2",
                                     "alice@example.org"), 2) as mail, \
            Senders(self.deliver_to(manager, "127.0.0.1",
                                    "bob@nowhere.example"), 2) as posts:
            for _ in range(2):
                for unit in ("smtpin", "smtpout"):
                    before = manager.value(unit, "MainPID")
                    manager.ctl("restart", unit)
                    manager.ctl("reload", unit)
                    manager.signal("USR2", unit)
                    manager.wait_main(unit, before)
                mail.wait_more(10)
                posts.wait_more(10)
        self.assertEqual(mail.faults + posts.faults, [])
        self.assertEqual(len(glob.glob(manager.root + "/mail/alice/new/*")),
                         len(mail.sent))
        for unit in ("smtpin", "smtpout"):
            self.assertEqual(manager.value(unit, "NRestarts"), "0")
            self.assertIn("connections now",
                          manager.value(unit, "StatusText"))
            self.assertNotRegex(manager.log(unit), "cut off: [1-9]")
            manager.ctl("stop", unit + ".socket", unit)
            self.assertEqual(manager.value(unit, "Result"), "success")

    def test_tls_socket(self):
        """Its name, not its port, says that TLS begins at once."""
        manager = Manager()
        self.addCleanup(manager.end)
        certs = os.environ["CERTS"]
        for kind in ("pem", "key"):
            shutil.copy(f"{certs}/a.{kind}", manager.root)
            os.chmod(f"{manager.root}/a.{kind}", 0o644)
        manager.configure(f"tls-cert {manager.root}/a.pem",
                          f"tls-key {manager.root}/a.key", "tls-port 0")
        manager.start()
        manager.ctl("start", "smtpin.socket", "smtpin-tls.socket", "smtpin")
        if "built without TLS" in manager.log("smtpin"):
            self.skipTest("built without TLS")
        self.assertIn("listening on 127.0.0.2:465 with TLS",
                      manager.log("smtpin"))

    def test_watchdog(self):
        """A process that does nothing any more is replaced."""
        manager = self.start("smtpin.socket", "smtpin", watchdog="2s")
        manager.signal("STOP", "smtpin")
        fixture.until(lambda: manager.value("smtpin", "NRestarts") == "1",
                      "it is not started again")
        self.deliver_to(manager, "127.0.0.2", "alice@example.org")("x")


if __name__ == "__main__":
    world.main()
