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
            self.assertIn("mail for root goes to" if status == os.EX_OK else
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
        """The start says what is wrong, and where, and goes on; --check does
        not."""
        smtpout = self.begin(
            aliases="nobody: /dev/null\nroot: alice@home.example\n")
        smtpout.wait_log("warning .*aliases:1: no mail goes to a file")
        smtpout.submit(CRON, "nobody", "root", sender="root")
        self.came()
        smtpout.wait_empty()
        self.assertEqual(smtpout.dead(), [])
        self.write("a: b\nb: c\nc: a\n")
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("smtpout"), "-H", "out.example", "-q",
                 self.scratch + "/queue", "--check", "--aliases", self.path],
                capture_output=True, timeout=10 * fixture.WAIT, check=False)
        self.assertEqual(done.returncode, os.EX_CONFIG, done.stderr)
        self.assertIn(b"the alias leads back to itself", done.stderr)

    def verify(self, *arguments):
        """What -bv prints, its status, and how it complains."""
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("sendmail"), "-bv", "--port", "25",
                 *arguments], input="", text=True, capture_output=True,
                env={"HOME": self.scratch}, timeout=10 * fixture.WAIT,
                check=False)
        return done.stdout.splitlines(), done.returncode, done.stderr

    def test_verify(self):
        """RFC 5321, 3.5.2; RFC 5321, 3.5.4: what would become of mail is
        said, and nothing is done."""
        smtpout = self.begin(
            "--route", "two.example=lmtp:/run/lmtp",
            "--route", "old@one.example=error:5.1.6 Ask at new@one.example",
            "--route", "from:eve@box.example=ann@relay.example:587,mx",
            "--password-file", self.password_file(),
            aliases="staff: bob@one.example, eve@two.example, "
            "old@one.example\n"
            + "many: " + ", ".join(f"user{i}@one.example"
                                   for i in range(500)) + "\n")
        lines, status, said = self.verify("-f", "root", "staff",
                                          "a@b.example")
        self.assertEqual(lines, [
            "staff: <bob@one.example> by the mail hosts of one.example",
            "staff: <eve@two.example> by lmtp:/run/lmtp",
            "staff: <old@one.example> is refused: 5.1.6 Ask at "
            "new@one.example",
            "a@b.example: <a@b.example> by the mail hosts of b.example"])
        self.assertEqual((status, said), (0, ""))
        self.assertEqual(
            self.verify("-f", "eve", "staff@localhost", "nobody-here")[:2],
            (["staff@localhost: <bob@one.example> by relay.example:587,mx",
              "staff@localhost: <eve@two.example> by lmtp:/run/lmtp",
              "staff@localhost: <old@one.example> is refused: 5.1.6 Ask at "
              "new@one.example",
              "nobody-here: <nobody-here@box.example> by "
              "relay.example:587,mx"], 0))
        lines, status, _ = self.verify("many")
        self.assertEqual(status, 0)
        self.assertRegex(lines[-1], r"^many: and \d+ more than fit here$")
        self.assertEqual(
            len(lines) - 1 + int(lines[-1].split()[2]), 500)
        lines, status, _ = self.verify("old@one.example")
        self.assertEqual(status, os.EX_UNAVAILABLE)
        lines, status, said = self.verify("a@@b", "bob@one.example")
        self.assertEqual((len(lines), status), (1, os.EX_USAGE))
        self.assertIn('"a@@b" is not an address', said)
        self.assertEqual(self.verify()[1], os.EX_USAGE)
        with smtpout.client() as client:
            self.assertIn("EXPN", client.must("EHLO x").split())
            if "SMTPUTF8" in client.must("EHLO x"):
                self.assertEqual(
                    self.verify("jürgen@one.example")[:2],
                    (["jürgen@one.example: <jürgen@one.example> by the mail "
                      "hosts of one.example"], 0))
            self.assertEqual(client.say("VRFY <bob@one.example>").code, 250)
            self.assertEqual(client.say("VRFY staff").code, 252)
            self.assertEqual(client.say("EXPN").code, 553)
            self.assertEqual(client.say("EXPN a@@b").code, 553)
        self.assertEqual(smtpout.list(), [])

    def password_file(self):
        path = os.path.join(self.scratch, "passwords")
        with open(path, "w", encoding="ascii") as file:
            file.write("ann@relay.example secret\n")
        os.chmod(path, 0o600)
        return path

    def read_maildir(self, path):
        """The messages in new/."""
        return [fixture.read(f"{path}/new/{name}")
                for name in os.listdir(path + "/new")]

    def test_nobody_is_named(self):
        """What is for root is kept on this host, and who starts it is told
        that perhaps nobody reads it."""
        smtpout = self.begin()
        smtpout.wait_log("warning mail for root goes to a Maildir")
        for to in ("root", "postmaster@out.example", "root@localhost"):
            smtpout.submit(CRON, to, sender="root")
        smtpout.wait_empty()
        kept = smtpout.queue_dir + "/local/"
        self.assertEqual(len(self.read_maildir(kept + "root")), 2)
        [text] = self.read_maildir(kept + "postmaster")
        self.assertTrue(text.startswith(
            b"Return-Path: <root@box.example>\n"
            b"Delivered-To: postmaster@localhost\n"), text)
        lines, status, _ = self.verify("root")
        self.assertEqual(status, 0)
        self.assertIn(f"by maildir:{kept}%u", lines[0])
        # Names that are no accounts may be elsewhere; their report is kept.
        smtpout.submit(CRON, "nobody-here", sender="root")
        smtpout.wait_empty()
        self.assertEqual(len(self.read_maildir(kept + "root")), 3)
        self.assertEqual(smtpout.dead(), [])
        smtpout.restart()
        smtpout.ask("check")

    def test_maildirs(self):
        """A route to Maildirs: those of accounts are made, others get mail
        where they are there."""
        one = self.server()
        mail = self.scratch + "/mail"
        os.mkdir(mail)
        smtpout = self.begin(
            "--route", f"box.example=maildir:{mail}/%u",
            "--route", f"localhost=maildir:{mail}/kept-%u",
            aliases="bob: \\bob\n")
        # Two for one domain are two, and each recipient has its own.
        lines, _, _ = self.verify("bob", "daemon")
        self.assertEqual(
            lines, [f"bob: <bob@box.example> by maildir:{mail}/%u",
                    "daemon: <daemon@localhost> by "
                    f"maildir:{mail}/kept-%u"])
        for to in ("daemon", "bob@box.example", "bob@one.example"):
            smtpout.submit(CRON, to, sender="daemon")
        one.wait(1)
        smtpout.wait_empty()
        # One for daemon, and the report that there is no bob.
        texts = self.read_maildir(mail + "/kept-daemon")
        self.assertEqual(len(texts), 2)
        self.assertTrue(any(b"5.1.1" in text for text in texts))
        self.assertEqual(os.listdir(mail), ["kept-daemon"])
        for part in ("", "/new", "/cur", "/tmp"):
            os.mkdir(mail + "/bob" + part)
        os.mkdir(mail + "/kept-root")
        os.chown(mail + "/kept-root", 1, 1)
        smtpout.submit(CRON, "bob", "root", sender="daemon")
        smtpout.wait_log("status=deferred.*Cannot write to the Maildir")
        fixture.until(lambda: len(self.read_maildir(mail + "/bob")) == 1,
                      "bob has no mail")
        os.rmdir(mail + "/kept-root")
        smtpout.flush_until(lambda: not smtpout.list(), "it is still there")
        self.assertEqual(len(self.read_maildir(mail + "/kept-root")), 1)

    def test_where_it_stays_as_it_was(self):
        """A host that has a smarthost, or a route for its names, sends mail for
        root on."""
        for arguments in (("--smarthost", "mx1.example"),
                          ("--route", "*=mx1.example"),
                          ("--route", "box.example=mx1.example")):
            with self.subTest(arguments=arguments):
                server = self.server()
                smtpout = self.begin(*arguments)
                smtpout.wait_log("mail for root goes to the mail hosts of")
                smtpout.submit(CRON, "root", sender="root")
                server.wait(1)
                self.assertEqual(server.rcpts(), ["root@box.example"])
                smtpout.stop()
                server.__exit__(None, None, None)


if __name__ == "__main__":
    world.main()
