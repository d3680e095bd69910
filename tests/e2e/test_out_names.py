# SPDX-License-Identifier: MIT
"""The mail of a machine's own programs reaches somebody: its mail name,
aliases and postmaster."""

import os
import shutil
import signal
import subprocess
import tempfile

import smtpin_fixture as fixture
import world
from retry_case import HomeCase
from smtpout_fixture import Smtpout

# As cron writes it.
CRON = (b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@out> job\n"
        b"Auto-Submitted: auto-generated\n\nfailed\n")


class Names(HomeCase):
    def setUp(self):
        super().setUp()
        self.scratch = self.enterContext(
            tempfile.TemporaryDirectory(prefix="smtpout-test."))
        self.path = os.path.join(self.scratch, "aliases")

    def begin(self, *arguments, aliases=None):
        if aliases is not None:
            self.write(aliases)
            arguments += ("--aliases", self.path)
        return self.enterContext(Smtpout(
            self.world, "--mailname", "box.example", *arguments))

    def write(self, text):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text)

    def reload(self, smtpout, said):
        smtpout.process.send_signal(signal.SIGHUP)
        smtpout.wait_log(said)

    def came(self, count=1):
        """What alice got."""
        return self.home.wait(count, "alice", 2 * fixture.WAIT)

    def test_cron(self):
        """O1, O5: what cron writes to root reaches the postmaster, complete,
        though there are no aliases."""
        smtpout = self.begin("--postmaster", "alice@home.example")
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("sendmail"), "-i", "-FCronDaemon", "-odi",
                 "-oem", "-f", "root", "--port", "25", "root@localhost"],
                input=CRON, env={"HOME": self.scratch}, capture_output=True,
                timeout=10 * fixture.WAIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        text, = self.came()
        self.assertIn(b"\nFrom: root@box.example (Cron Daemon)\n"
                      b"To: root@box.example\n", text)
        smtpout.submit(CRON, "root", sender="root")
        self.assertTrue(any(
            b"From: root@box.example (Cron Daemon)" in text
            and b"To: root@box.example" in text for text in self.came(2)))
        smtpout.wait_empty()
        self.assertEqual(smtpout.dead(), [])

    def test_mail_name_of_the_machine(self):
        """Without --mailname it is that of /etc/mailname, and a bad one is an
        error."""
        etc = os.path.join(self.scratch, "etc")
        os.mkdir(etc)
        for name in ("passwd", "group", "hosts"):
            shutil.copy("/etc/" + name, etc)
        command = ["unshare", "--mount", "sh", "-ec",
                   'mount --bind "$0" /etc; exec "$@"', etc,
                   world.program("smtpout"), "-H", "out.example", "-q",
                   self.scratch + "/queue"]
        for text, status in (("two words\n", os.EX_OK),
                             ("-x.example\n", os.EX_CONFIG)):
            with open(etc + "/mailname", "w", encoding="ascii") as file:
                file.write(text)
            done = subprocess.run(
                [*command, "--check"], capture_output=True, text=True,
                timeout=10 * fixture.WAIT, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn("mail hosts of two," if status == os.EX_OK else
                          '/etc/mailname: "-x.example"', done.stderr)

    def test_report(self):
        """O1: a report to a local sender reaches a person too."""
        self.server(rcpt="550 5.1.1 no such user")
        smtpout = self.begin(aliases="root: alice@home.example\n")
        smtpout.submit(CRON, "bob@one.example", sender="root@localhost")
        text, = self.came()
        self.assertIn(b"multipart/report", text)
        smtpout.wait_empty()
        self.assertEqual(smtpout.dead(), [])

    def test_list(self):
        """RFC 5321, 3.9.1: one record, and one message for each."""
        one, two = self.server(), self.server("mx2")
        smtpout = self.begin(
            "--masquerade", "example",
            aliases="staff: bob@one.example, eve,\n alice@home.example\n"
            "eve: eve@two.example, BOB@one.example\n")
        smtpout.submit(CRON, "staff@box.example", "alice@home.example",
                       sender="root")
        self.assertIn(b"From: root@example (Cron", self.came()[0])
        smtpout.wait_empty()
        self.assertEqual(len(one.accepted), 1)
        self.assertEqual(len(two.accepted), 1)
        self.assertEqual(len(self.home.messages()), 1)

    def test_reload(self):
        """A broken file keeps the old aliases; SIGHUP has them read again."""
        server = self.server()
        smtpout = self.begin(aliases="root: nobody@two.example\n")
        self.write("root: alice@home.example\nstaff: |/bin/false\n")
        self.reload(smtpout, "aliases:2: no mail goes to a program")
        self.write("root: bob@one.example\n")
        self.reload(smtpout, "read 1 aliases from")
        smtpout.submit(CRON, "root")
        server.wait(1)
        smtpout.wait_empty()

    def test_broken_at_the_start(self):
        """The start says what is wrong, and where."""
        self.write("a: b\nb: c\nc: a\n")
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("smtpout"), "-H", "out.example", "-q",
                 self.scratch + "/queue", "--check", "--aliases", self.path],
                capture_output=True, timeout=10 * fixture.WAIT, check=False)
        self.assertEqual(done.returncode, os.EX_CONFIG, done.stderr)
        self.assertIn(b"the alias leads back to itself", done.stderr)

    def test_nobody_is_named(self):
        """Who starts it is told that nobody may read what is for root."""
        smtpout = self.begin()
        smtpout.wait_log("warning mail for root goes to the mail hosts of "
                         "box.example")


if __name__ == "__main__":
    world.main()
