# SPDX-License-Identifier: MIT
"""smtpout --route and --route-file: hosts in turn, LMTP, errors, senders, and
a file that changes while mail waits."""

import os
import re
import signal
import subprocess

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from scripted_server import Scripted
from smtpout_fixture import Report, Smtpout, message

ZONE = """
home.example.	MX 10 home.example.
one.example.	MX 10 mx1.example.
two.example.	MX 10 mx2.example.
"""

LMTP_PORT = 2424


class RouteTable(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.host("home", 30)

    def setUp(self):
        self.world.zone(ZONE)
        self.home = self.enterContext(
            Smtpin(self.world.hosts["home"], "home.example", "alice"))

    def start(self, *routes, more=()):
        options = [word for route in routes for word in ("--route", route)]
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "1", "--retry-max", "2",
            "--connect-timeout", "2", *options, *more))
        return self.smtpout

    def server(self, name, **rules):
        return self.enterContext(Scripted(self.world.hosts[name], **rules))

    def submit(self, *rcpts, **options):
        return self.smtpout.submit(message(), *rcpts, **options)

    def report(self):
        return Report(self.home.wait(1, "alice")[0])

    def test_targets_in_turn(self):
        """Nobody listens at the first, the second has no time, the third
        greets with 5xx; the fourth takes it, and no message goes to more than
        one."""
        self.server("mx1", greeting="421 4.3.2 busy")
        self.server("mx2", greeting="554 5.3.2 no")
        last = self.server("mx3")
        self.start(f"*={self.mx1.address}:2599,{self.mx1.address},"
                   f"{self.world.hosts['mx2'].address},mx3.example")
        for _ in range(3):
            self.submit("bob@anywhere.example")
        last.wait(3)
        self.smtpout.wait_empty()
        self.assertEqual(last.rcpts(), ["bob@anywhere.example"] * 3)
        site = self.smtpout.said("relay=mx3.example")
        self.assertEqual(len(site), 3)

    def test_mx_first_and_then_a_host(self):
        """What the hosts of the domain put off goes to the fallback; what
        they refuse does not."""
        self.server("mx1", rcpt=lambda _, who: "550 5.1.1 nobody"
                    if "nobody" in who else "450 4.2.0 later")
        fallback = self.server("mx2")
        self.start("one.example=mx,mx2.example")
        self.submit("bob@one.example", "nobody@one.example")
        fallback.wait(1)
        self.assertEqual(self.report().rcpt("nobody@one.example")["Status"],
                         "5.1.1")
        self.smtpout.wait_empty()
        self.assertEqual(fallback.rcpts(), ["bob@one.example"])

    def test_by_sender_domain_and_address(self):
        """The first that matches; connections of one are not those of
        another."""
        first, second = self.server("mx1"), self.server("mx2")
        third = self.server("mx3")
        self.start("from:boss@home.example=mx3.example",
                   "bob@two.example=mx1.example", ".one.example=mx2.example")
        self.submit("bob@two.example", "eve@two.example")
        self.submit("x@sub.one.example")
        self.submit("x@one.example")
        self.submit("bob@two.example", sender="boss@home.example")
        first.wait(2)
        second.wait(2)
        third.wait(1)
        self.smtpout.wait_empty()
        self.assertEqual(sorted(first.rcpts()),
                         ["bob@two.example", "x@one.example"])
        self.assertEqual(sorted(second.rcpts()),
                         ["eve@two.example", "x@sub.one.example"])
        self.assertEqual(third.rcpts(), ["bob@two.example"])

    def test_error(self):
        self.start("old.example=error:5.1.6 Moved to new.example, since May")
        ident = self.submit("bob@old.example")
        fields = self.report().rcpt("bob@old.example")
        self.assertEqual(fields["Status"], "5.1.6")
        self.assertIn("Moved to new.example, since May",
                      fields["Diagnostic-Code"] or self.report().text)
        self.smtpout.wait_log(rf"id={ident} .* relay=none .* status=bounced "
                              r'reply="5\.1\.6 Moved to new\.example, since')
        self.smtpout.wait_empty()

    def test_lmtp_to_smtpin(self):
        """RFC 2033; RFC 3461, 5.2.3: over a socket, to our own; who is unknown
        there is reported alone, and success is delivery."""
        path = os.path.join(self.world.root, "lmtp.sock")
        store = self.enterContext(fixture.Smtpin(
            arguments=fixture.loopback() + ["--lmtp", path]))
        fixture.until(lambda: f"listening on {path} for LMTP" in store.text(),
                      "no LMTP")
        os.chmod(path, 0o777)
        self.start(f"example.org=lmtp:{path}")
        self.submit("alice@example.org", "unknown@example.org",
                    "bob@example.org", rcpt="NOTIFY=SUCCESS,FAILURE")
        fixture.until(lambda: store.new("alice") and store.new("bob"),
                      "it did not arrive")
        said = {}
        for content in self.home.wait(2, "alice"):
            for fields in Report(content).rcpts:
                who = fields["Final-Recipient"].split()[1].split("@")[0]
                said[who] = (fields["Action"], fields["Status"][0])
                self.assertIsNone(fields["Remote-MTA"])
        self.assertEqual(said, {
            "alice": ("delivered", "2"), "bob": ("delivered", "2"),
            "unknown": ("failed", "5")})
        self.smtpout.wait_empty()
        self.smtpout.wait_log(
            rf"to=<alice@example\.org> relay={re.escape(path)} tls=none ")

    def aiosmtpd(self, replies):
        """Python's LMTP server, at the host "out", which answers for each
        recipient what is in REPLIES; all that it was given."""
        try:
            from aiosmtpd.controller import Controller
            from aiosmtpd.lmtp import LMTP
        except ImportError:
            fixture.cannot("python3-aiosmtpd is not installed")
        got = []

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                got.append(list(envelope.rcpt_tos))
                return "\r\n".join(
                    replies[rcpt.partition("@")[0]].pop(0)
                    for rcpt in envelope.rcpt_tos)

        class LmtpController(Controller):
            def factory(self):
                return LMTP(self.handler)

        with self.world.out.inside():
            controller = LmtpController(
                Handler(), hostname="127.0.0.1", port=LMTP_PORT,
                ready_timeout=fixture.WAIT)
            controller.start()
        self.addCleanup(self.stop_inside, controller)
        return got

    def stop_inside(self, controller):
        with self.world.out.inside():
            controller.stop()

    def test_lmtp_replies_for_each(self):
        """RFC 2033, 4.2: one has it, one is tried again alone, one is
        reported."""
        got = self.aiosmtpd({
            "ann": ["250 2.0.0 kept"],
            "full": ["452 4.2.2 full", "250 2.0.0 kept"],
            "bad": ["550 5.7.1 not wanted"],
        })
        self.start(f"store.example=lmtp:127.0.0.1:{LMTP_PORT}")
        self.submit("ann@store.example", "full@store.example",
                    "bad@store.example")
        report = self.report()
        self.assertEqual(len(report.rcpts), 1)
        self.assertIn("not wanted",
                      report.rcpt("bad@store.example")["Diagnostic-Code"])
        self.smtpout.wait_empty()
        self.assertEqual(
            [sorted(rcpts) for rcpts in got],
            [["ann@store.example", "bad@store.example", "full@store.example"],
             ["full@store.example"]])

    def write(self, path, text):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def hup(self):
        os.kill(self.smtpout.pid_of_daemon(), signal.SIGHUP)

    def test_file_is_read_again(self):
        """Mail that waits follows a changed table; a broken one changes
        nothing."""
        path = os.path.join(self.world.root, "routes")
        self.write(path, "# where nobody is\n"
                   f"one.example = {self.mx1.address}:2599\n")
        self.start(more=("--route-file", path))
        ident = self.submit("bob@one.example")
        self.smtpout.wait_log(rf"id={ident} .* status=deferred")
        self.write(path, "one.example=mx2.example\n\ntwo.example\n")
        self.hup()
        self.smtpout.wait_log(f"{re.escape(path)}:3: give PATTERN=TARGET")
        server = self.server("mx2")
        self.submit("eve@one.example")
        self.smtpout.wait_log(r"to=<eve@one.example> .* status=deferred")
        self.assertEqual(server.taken, [])
        self.write(path, "one.example=mx2.example\n")
        self.hup()
        self.smtpout.wait_log("read .*routes again: 1 routes")
        self.smtpout.flush_to(server, 2)
        self.assertEqual(sorted(server.rcpts()),
                         ["bob@one.example", "eve@one.example"])
        self.smtpout.wait_empty()

    def check(self, *options):
        """smtpout --check with OPTIONS: its status and complaint."""
        done = subprocess.run(
            [world.program("smtpout"), "--check", "-l", "-q",
             os.path.join(self.world.root, "no-queue"), *options],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def test_check(self):
        """--check reads the routes, and says where a mistake is."""
        path = os.path.join(self.world.root, "checked")
        self.write(path, "a.example=mx\nb.example=lmtp:store:25\n")
        status, said = self.check("--route-file", path)
        self.assertEqual(status, 78)
        self.assertIn(f"{path}:2: store: cannot have port 25", said)
        status, said = self.check("--route", "a b=mx")
        self.assertEqual(status, 64)
        self.assertIn('--route a b=mx: "a b" is not a domain', said)
        status, said = self.check("--route", "a.example=tls://ann@relay")
        self.assertEqual(status, 64)
        self.assertIn("the password of ann@relay is missing", said)
        status, said = self.check("--route-file", path + ".gone")
        self.assertEqual(status, 66)
        self.assertIn(path + ".gone", said)


if __name__ == "__main__":
    world.main()
