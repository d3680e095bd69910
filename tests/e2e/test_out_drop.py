# SPDX-License-Identifier: MIT
"""The drop box: mail of any user waits there while smtpout does not run."""

import errno
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time

import faults
import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from smtpout_fixture import Smtpout, lacks_sanitizers

ZONE = "one.example. MX 10 mx1.example.\n"

TEXT = b"Subject: x\n\nhi\n"

NOBODY = 65534

# A box as the package makes it, in a mount namespace of its own: $0 is the
# program, $1 the user of the box.
OWN_BOX = ("unshare", "--mount", "sh", "-ec",
           'mount -t tmpfs -o mode=755 tmpfs /var/spool\n'
           '[ ! -d /run/smtpout ] || mount -t tmpfs tmpfs /run/smtpout\n'
           'mkdir -m 1730 /var/spool/smtpout-drop\n'
           'chmod 1730 /var/spool/smtpout-drop\n'
           'chown "$1:mail" /var/spool/smtpout-drop\n'
           'cp "$0" /var/spool/smtpout-drop.program\n'
           'chown root:mail /var/spool/smtpout-drop.program\n'
           'chmod 2755 /var/spool/smtpout-drop.program\n'
           'shift; exec "$@"')


def container(content=b"Subject: x\r\n\r\nhi\r\n", sender="a@home.example",
              rcpts=("bob@one.example",)):
    """What smtpout-drop takes."""
    lines = ["SMTPOUT-DROP 1", "SENDER " + sender]
    lines += ["RCPT " + rcpt for rcpt in rcpts]
    lines.append(f"DATA {len(content)}\n")
    return "\n".join(lines).encode() + content


class DropCase(world.WorldCase):
    HOSTS = ("mx1",)

    def setUp(self):
        self.world.zone(ZONE)
        self.scratch = self.enterContext(
            tempfile.TemporaryDirectory(prefix="smtpout-test."))
        self.box = os.path.join(self.scratch, "box")
        os.mkdir(self.box)
        os.chmod(self.box, 0o1730)
        self.server = self.enterContext(Scripted(self.mx1))

    def make_smtpout(self, *arguments, **options):
        """One that does not run."""
        smtpout = Smtpout(self.world, "--drop-box", self.box, *arguments,
                          **options)
        self.addCleanup(smtpout.remove)
        return smtpout

    def front(self, *arguments, text=TEXT, prefix=(), **env):
        """smtpout-sendmail, whose smtpout does not answer."""
        with self.world.out.inside():
            return subprocess.run(
                [*prefix, world.program("sendmail"), *arguments], input=text,
                capture_output=True, check=False,
                env={"HOME": self.scratch, "PATH": os.environ["PATH"],
                     "SMTPOUT_HOST": "127.0.0.1",
                     "SMTPOUT_DROP": world.program("smtpout-drop"), **env},
                timeout=20 * fixture.WAIT)

    def put(self, *arguments, text=TEXT, **env):
        done = self.front(*arguments, text=text, SMTPOUT_DROP_BOX=self.box,
                          **env)
        self.assertEqual(done.returncode, 0, done.stderr)

    def drop(self, text, box=None, **env):
        """The program alone."""
        return subprocess.run(
            [world.program("smtpout-drop"), "-d", box or self.box],
            input=text, capture_output=True, check=False,
            env={**os.environ, **env}, timeout=20 * fixture.WAIT)

    def waiting(self):
        return sorted(name for name in os.listdir(self.box) if name != "bad")

    def bad(self):
        return sorted(os.listdir(self.box + "/bad"))

    def wait_taken(self):
        fixture.until(lambda: not self.waiting(), "it is still there")


class Box(DropCase):
    def test_nothing_is_lost(self):
        """What is put there comes out as by SMTP: completed, expanded, with
        what RFC 3461 has."""
        aliases = os.path.join(self.scratch, "aliases")
        with open(aliases, "w", encoding="ascii") as file:
            file.write("root: bob@one.example, eve@one.example\n")
        self.put("-f", "cron", "-N", "never", "-R", "hdrs", "-V", "id 1",
                 "root", text=b"To: root\nSubject: x\n\na\0b\n.\nc\n")
        [name] = self.waiting()
        info = os.stat(os.path.join(self.box, name))
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o444)
        smtpout = self.make_smtpout("--aliases", aliases, "--mailname",
                                    "box.example").start()
        [taken] = self.server.wait(1)
        smtpout.wait_empty()
        self.wait_taken()
        self.assertEqual(sorted(self.server.rcpts()),
                         ["bob@one.example", "eve@one.example"])
        self.assertRegex(taken.header, rb"(?m)^To: root@box\.example$")
        self.assertRegex(taken.header, rb"(?m)^From: .*<cron@box\.example>$")
        self.assertRegex(
            taken.header, rb"Received: by out\.example \(smtpout-drop, from "
            rb"userid %d\);" % os.getuid())
        self.assertEqual(taken.body, b"ab\n")
        smtpout.wait_log(rf"queued id=\w+ from=<cron@box\.example> "
                         rf"to=<root@box\.example> nrcpt=1 size=\d+ "
                         rf"peer=drop-box uid={os.getuid()}$")
        self.assertEqual(taken.parameters["RET"], "HDRS")
        self.assertEqual(taken.parameters["ENVID"], "id+201")

    def test_date(self):
        """A message has the time when it was written, in Date and Received."""
        self.put("-f", "a@home.example", "bob@one.example")
        self.put("-f", "a@home.example", "eve@one.example",
                 text=b"Date: Mon, 01 Jan 2024 00:00:00 +0000\n\nhi\n")
        for name in self.waiting():
            path = os.path.join(self.box, name)
            text = fixture.read(path)
            self.assertEqual(text.count(b"\nDate: "), 1)
            os.utime(path, (1000000000, 1000000000))
        self.make_smtpout().start()
        for taken in self.server.wait(2):
            self.assertEqual(taken.header.count(b"\nDate: "), 1)
            self.assertIn(b"\n\tSun, 09 Sep 2001 01:46:40 +0000\n",
                          taken.header)

    def test_while_it_runs(self):
        """It need not be started again, whichever way a file comes."""
        smtpout = self.make_smtpout().start()
        for count in range(1, 4):
            self.assertEqual(self.drop(container()).returncode, 0)
            self.server.wait(count)
        self.wait_taken()
        smtpout.wait_empty()

    def test_nobody_greets(self):
        """Where systemd has the socket of a smtpout that does not start,
        nobody waits for long."""
        path = os.path.join(self.scratch, "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            self.put("-f", "a@home.example", "bob@one.example",
                     SMTPOUT_HOST=path)
        self.assertEqual(len(self.waiting()), 1)

    def test_many_recipients(self):
        """Each file has as many as a message may have anyhow."""
        self.put("-f", "a@home.example", *(f"u{i}@one.example"
                                           for i in range(2500)))
        self.assertEqual(len(self.waiting()), 3)
        self.make_smtpout().start()
        fixture.until(lambda: len(set(self.server.rcpts())) == 2500,
                      "not all got it", 4 * fixture.WAIT)

    def test_kill(self):
        """A crash between the queue and the box: one message comes twice at
        most, and none is lost."""
        count = 60
        for i in range(count):
            self.put("-f", "a@home.example", "bob@one.example",
                     text=b"Subject: x\nX-Number: %d\n\nhi\n" % i)
        smtpout = self.make_smtpout(level="info")
        kills = 0
        while self.waiting():
            smtpout.start()
            left = len(self.waiting())
            fixture.until(
                lambda: len(self.waiting()) <= max(0, left - 10), "no progress")
            smtpout.process.kill()
            smtpout.process.wait()
            kills += 1
        smtpout.start()
        smtpout.ask("flush")
        smtpout.wait_empty(4 * fixture.WAIT)
        numbers = [int(re.search(rb"X-Number: (\d+)", taken.header)[1])
                   for taken in self.server.accepted]
        self.assertEqual(set(numbers), set(range(count)))
        # Also what a host had just taken.
        connections = 10
        self.assertLessEqual(len(numbers), count + kills * (1 + connections))

    def test_foreign_files(self):
        """What smtpout-drop did not write is kept, said once, and holds up
        nothing."""
        def write(name, text, mode=0o444):
            with open(f"{self.box}/{name}", "wb") as file:
                file.write(text)
            os.chmod(f"{self.box}/{name}", mode)

        outside = os.path.join(self.scratch, "outside")
        with open(outside, "wb") as file:
            file.write(container())
        os.chmod(outside, 0o444)
        os.link(outside, self.box + "/b-link")
        os.symlink(outside, self.box + "/c-symbolic")
        os.mkfifo(self.box + "/d-pipe", 0o444)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.box + "/e-socket")
        write("f-empty", b"")
        write("g-mode", container(), 0o644)
        write("h-text", b"hello\n")
        write("i-short", container()[:-1])
        write("j-long", container() + b"x\r\n")
        write("k-address", container(rcpts=["bob@-one.example"]))
        write("l-loop", container(b"Received: x\r\n" * 100 + b"\r\nx\r\n"))
        write("m-forever", b"x" * 100000)
        write("y-unfinished", container()[:20], 0o600)
        write("z-left-behind", container()[:20], 0o600)
        old = time.time() - 100 * 3600
        os.utime(self.box + "/z-left-behind", (old, old))
        os.mkdir(self.box + "/directory")
        self.put("-f", "a@home.example", "bob@one.example")
        smtpout = self.make_smtpout().start()
        self.server.wait(1)
        fixture.until(
            lambda: self.waiting() == ["directory", "y-unfinished"],
            "they are still there")
        names = ["b-link", "c-symbolic", "d-pipe", "e-socket", "f-empty",
                 "g-mode", "h-text", "i-short", "j-long", "k-address",
                 "l-loop", "m-forever"]
        self.assertEqual(self.bad(), names)
        for name in names:
            self.assertEqual(len(smtpout.wait_log(
                rf" file={name} uid={os.getuid()} reason=")), 1)
        smtpout.restart()
        self.assertEqual(self.drop(container()).returncode, 0)
        self.server.wait(2)
        smtpout.wait_empty()
        self.assertEqual(smtpout.said("reason="), [])

    def test_queue_takes_nothing(self):
        """Mail waits in the box while the queue has no room."""
        self.put("-f", "a@home.example", "bob@one.example")
        smtpout = self.make_smtpout("--min-free", "1000000G").start()
        smtpout.wait_log("mail waits there")
        self.assertEqual(len(self.waiting()), 1)
        smtpout.restart("--min-free", "1M")
        self.server.wait(1)
        self.wait_taken()

    def test_second_daemon(self):
        """A box has one reader."""
        self.make_smtpout().start()
        second = self.make_smtpout("-a", "127.0.0.1:2525").start()
        second.wait_log("belongs to another process")

    def test_bad_box(self):
        """A start says what is wrong with it."""
        with open(self.box + "/bad", "wb"):
            pass
        shared = self.scratch + "/tmp"
        os.mkdir(shared)
        os.chmod(shared, 0o1777)
        for box, said in ((self.box, "remove it"), (shared, "chmod 1730"),
                          ("/nonexistent", "mode 1730")):
            with self.world.out.inside():
                done = subprocess.run(
                    [world.program("smtpout"), "-H", "out.example", "-q",
                     self.scratch + "/queue", "--check", "--drop-box", box],
                    capture_output=True, text=True, check=False,
                    timeout=10 * fixture.WAIT)
            self.assertEqual(done.returncode, os.EX_CONFIG, done.stderr)
            self.assertIn(said, done.stderr)


class Program(DropCase):
    """What smtpout-drop refuses, it does not leave in the box."""

    def refused(self, text, status=os.EX_DATAERR):
        done = self.drop(text)
        self.assertEqual(done.returncode, status, (text[:200], done.stderr))
        self.assertTrue(done.stderr.startswith(b"smtpout-drop: "))
        self.assertEqual(self.waiting(), [], text[:200])
        return done.stderr

    def test_bad_input(self):
        good = container()
        first, sender, rcpt, rest = good.split(b"\n", 3)
        data = b"DATA 18\n"
        for text in (
                b"", b"hello\n", b"\n", first, good[:-1], good + b"\n",
                b"\n".join((b"SMTPOUT-DROP 2", sender, rcpt, rest)),
                b"\n".join((first, rcpt, rest)),
                b"\n".join((first, sender, rest)),
                b"\n".join((first, sender, sender, rcpt, rest)),
                b"\n".join((first, sender, rcpt, b"RET FULL", rest)),
                b"\n".join((first, sender, b"RET", rcpt, rest)),
                b"\n".join((first, sender, b"HELO x", rcpt, rest)),
                b"\n".join((first, sender, b"ENVID a\tb", rcpt, rest)),
                b"\n".join((first, sender, b"RCPT ", rest)),
                b"\n".join((first, sender, b"RCPT a> b", rest)),
                b"\n".join((first, sender, b'RCPT "a', rest)),
                b"\n".join((first, sender, b"RCPT a\0b", rest)),
                b"\n".join((first, sender, b"RCPT " + b"a" * 1100, rest)),
                container(rcpts=["b"] * 1001),
                good.replace(data, b"DATA -1\n"),
                good.replace(data, b"DATA 0x12\n"),
                good.replace(data, b"DATA 99999999\n"),
                container(b"a\0b\r\n"), container(b"a\rb\r\n"),
                container(b"a\nb\r\n"), container(b"a\r\n\n"),
                container(b"a\r\nb"), container(b"a\r"),
                container(b"a" * 65537 + b"\r\n")):
            self.refused(text)
        self.assertEqual(self.drop(good).returncode, 0)
        self.assertEqual(len(self.waiting()), 1)

    def test_no_room(self):
        """EX_TEMPFAIL, and the front keeps the message."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "box",
                        self.box], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.box],
                        check=True)
        large = container(b"x\r\n" * 340000)
        self.assertIn(b"no room", self.refused(large, os.EX_TEMPFAIL))
        with open(self.box + "/fill", "wb") as file:
            file.write(bytes(990 * 1024))
        self.assertEqual(self.drop(container()).returncode, os.EX_TEMPFAIL)
        done = self.front("-f", "a@home.example", "bob@one.example",
                          SMTPOUT_DROP_BOX=self.box,
                          SMTPOUT_QUEUE="/nonexistent")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
        self.assertEqual(self.waiting(), ["fill"])
        self.assertIn(b"hi\n", fixture.read(self.scratch + "/dead.letter"))

    def test_file_size_limit(self):
        """A limit of the user is no reason to leave half a file."""
        done = subprocess.run(
            ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh",
             world.program("smtpout-drop"), "-d", self.box],
            input=container(b"x\r\n" * 100000), capture_output=True,
            check=False)
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
        self.assertEqual(self.waiting(), [])

    def test_no_box(self):
        done = self.drop(container(), "/nonexistent")
        self.assertEqual(done.returncode, os.EX_UNAVAILABLE, done.stderr)
        done = self.front("-f", "a@home.example", "bob@one.example",
                          SMTPOUT_QUEUE="/nonexistent",
                          SMTPOUT_DROP="/nonexistent")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL)
        self.assertNotIn(b"drop", done.stderr)

    def test_another_smtpout(self):
        """Mail for another smtpout stays out of the usual box."""
        done = self.front("-f", "a@home.example", "--port", "1",
                          "bob@one.example",
                          SMTPOUT_QUEUE="/nonexistent",
                          SMTPOUT_DROP="/bin/true")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)


class Failing(DropCase):
    """A system call that fails leaves a whole message, or none."""

    def setUp(self):
        super().setUp()
        self.faults = faults.Faults(
            faults.preloaded(world.program("smtpout-drop")), self.scratch)

    def test_program(self):
        text = container()
        for call in ("open", "read", "sync", "memory"):
            for error in faults.ERRORS[call]:
                count = 0
                while count == 0 or self.faults.failed:
                    count += 1
                    self.faults.set(call, error, count)
                    done = self.drop(text, **self.faults.environment)
                    whole = [fixture.read(f"{self.box}/{name}")
                             for name in self.waiting()]
                    self.assertEqual(
                        whole, [text] if done.returncode == 0 else [],
                        (call, error, count, done.stderr))
                    self.assertNotIn(done.returncode, (-11, -6, os.EX_DATAERR))
                    for name in self.waiting():
                        os.unlink(f"{self.box}/{name}")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_file_cannot_be_removed(self):
        """What is queued is not queued once more."""
        smtpout = self.make_smtpout(
            environment=self.faults.environment).start()
        smtpout.wait_log("is taken from")
        self.faults.set("unlink", errno.EIO, 1)
        self.assertEqual(self.drop(container()).returncode, 0)
        smtpout.wait_log("it is queued, but cannot be removed")
        self.faults.clear()
        self.assertEqual(len(self.bad()), 1)
        self.drop(container(rcpts=["eve@one.example"]))
        fixture.until(lambda: sorted(self.server.rcpts()) ==
                      ["bob@one.example", "eve@one.example"], "not both")


class Users(DropCase):
    """The program with the group of the box, as users call it."""

    def setUp(self):
        if not lacks_sanitizers(world.program("smtpout-drop")):
            self.skipTest("one of them cannot look at a set-group-id program")
        super().setUp()
        shutil.chown(self.scratch, "daemon")
        os.chmod(self.scratch, 0o755)
        self.smtpout = Smtpout(
            self.world, "-U", "daemon", level="info",
            root=os.path.join(self.scratch, "root"))
        os.mkdir(self.smtpout.root)
        shutil.chown(self.smtpout.root, "daemon")
        self.keeper = self.spawn_keeper()
        self.smtpout.runner = ["nsenter", "-t", str(self.keeper.pid),
                               "-m", "-r"]
        self.addCleanup(self.smtpout.remove)

    def spawn_keeper(self):
        """A process that keeps the mount namespace."""
        if subprocess.run(["unshare", "--mount", "true"], check=False,
                          capture_output=True).returncode:
            fixture.cannot("no mount namespace")
        keeper = subprocess.Popen(
            [*OWN_BOX, world.program("smtpout-drop"), "daemon", "sh", "-c",
             "echo ready; exec cat"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

        def end():
            keeper.communicate()
        self.addCleanup(end)
        self.assertEqual(keeper.stdout.readline(), b"ready\n")
        return keeper

    def run_as(self, uid, *command, text=b""):
        with self.world.out.inside():
            return subprocess.run(
                ["nsenter", "-t", str(self.keeper.pid), "-m", "-r", "setpriv",
                 "--reuid", str(uid), "--regid", str(uid), "--clear-groups",
                 *command], input=text, capture_output=True, check=False,
                env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                     "SMTPOUT_DROP": "/var/spool/smtpout-drop.program"},
                timeout=20 * fixture.WAIT)

    def put_as(self, uid, *arguments):
        done = self.run_as(uid, world.program("sendmail"), "-f",
                           f"u{uid}@home.example", *arguments, text=TEXT)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_any_user(self):
        """Any user may put mail there, and do nothing else."""
        self.put_as(NOBODY, "bob@one.example")
        self.put_as(12345, "eve@one.example")
        box = "/var/spool/smtpout-drop"
        for command in (["ls", box], ["touch", box + "/x"],
                        ["/var/spool/smtpout-drop.program", "-d", "/tmp"]):
            self.assertNotEqual(self.run_as(NOBODY, *command).returncode, 0,
                                command)
        self.smtpout.start()
        self.assertEqual(len(self.server.wait(2)), 2)
        self.smtpout.wait_log(r"queued .* to=<bob@one.example> .*"
                              rf"uid={NOBODY}$")
        self.smtpout.wait_log(r"queued .* to=<eve@one.example> .*uid=12345$")
        done = self.run_as(0, "sh", "-c", f"ls -A {box} {box}/bad")
        self.assertEqual(done.stdout.split(),
                         f"{box}: bad {box}/bad:".encode().split())

    def test_share(self):
        """One who fills the queue stops nobody else: by the box and by SMTP
        his mail waits, or is refused."""
        self.smtpout.arguments += ["--user-share", "1M"]
        text = container(b"x\r\n" * 200000)
        for _ in range(3):
            done = self.run_as(NOBODY, "/var/spool/smtpout-drop.program",
                               text=text)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.put_as(12345, "eve@one.example")
        self.smtpout.start()
        self.smtpout.wait_log(r"queued .*uid=12345$")
        self.smtpout.wait_log(
            rf"warning uid={NOBODY} has queued its share of 1048576 octets")
        self.smtpout.wait_log("mail waits there: the user's share")
        self.assertEqual(len(self.smtpout.said(rf"queued .*uid={NOBODY}$")), 1)
        done = self.run_as(
            NOBODY, world.program("sendmail"), "--port", "25", "-f",
            "n@home.example", "-i", "bob@one.example",
            text=b"x\n" * 400000)
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
        self.assertIn(b"452 4.3.1", done.stderr)

    def test_turns(self):
        """One user with many messages does not hold up another."""
        count = 300
        done = self.run_as(
            NOBODY, "sh", "-ec", f"for i in $(seq {count}); do "
            "printf '%s' \"$0\" | /var/spool/smtpout-drop.program; done",
            container().decode())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.put_as(12345, "eve@one.example")
        self.smtpout.start()
        lines = self.smtpout.wait_log(r"queued .*peer=drop-box", count + 1,
                                      10 * fixture.WAIT)
        place = [i for i, line in enumerate(lines) if "uid=12345" in line]
        self.assertLessEqual(place[0], 1)


if __name__ == "__main__":
    world.main()
