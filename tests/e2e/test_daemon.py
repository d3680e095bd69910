# SPDX-License-Identifier: MIT
"""Options, signals and the end of smtpin."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()


def recipient(smtpin, address):
    """What a client is told about ADDRESS."""
    with fixture.Dialogue(smtpin.port) as client:
        client.say("MAIL FROM:<sender@example.net>")
        return client.say(f"RCPT TO:<{address}>")


class Reload(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin())

    def hangup(self):
        self.smtpin.process.send_signal(signal.SIGHUP)

    def test_new_map(self):
        self.assertEqual(recipient(self.smtpin, "dave@example.org").code, 550)
        self.smtpin.write_map(fixture.USERS + "dave : dave@example.org\n")
        self.hangup()
        fixture.until(lambda: recipient(
            self.smtpin, "dave@example.org").code == 250, "dave is unknown")
        with fixture.Dialogue(self.smtpin.port) as client:
            client.deliver(MESSAGE, "dave@example.org")
        self.assertEqual(self.smtpin.only("dave")[1], MESSAGE)

    def test_user_removed(self):
        self.smtpin.write_map("bob : bob@example.org\n"
                              "bob : postmaster@example.org\n")
        self.hangup()
        fixture.until(lambda: recipient(
            self.smtpin, "alice@example.org").code == 550, "alice is there")
        self.assertEqual(recipient(self.smtpin, "bob@example.org").code, 250)

    def test_bad_map_keeps_the_old(self):
        self.smtpin.write_map("bob : bob@example.org\nwhat is this\n")
        self.hangup()
        fixture.until(lambda: f"{self.smtpin.map}:2" in self.smtpin.text(),
                      "no complaint that names file and line")
        self.assertEqual(recipient(self.smtpin, "alice@example.org").code,
                         250)

    def test_missing_map_keeps_the_old(self):
        os.unlink(self.smtpin.map)
        said = len(self.smtpin.lines)
        self.hangup()
        fixture.until(lambda: any(
            self.smtpin.map in line for line in self.smtpin.lines[said:]),
            "no complaint")
        self.assertEqual(recipient(self.smtpin, "alice@example.org").code,
                         250)

    def test_a_mistake_anywhere_keeps_all(self):
        """The configuration is read as by a start before anything is
        used."""
        self.smtpin.stop()
        config = self.smtpin.root + "/conf"
        fixture.write(config, "close-after 30\n")
        self.smtpin.arguments += ["--config", config, "--"]
        self.smtpin.start()
        fixture.write(config, "close-after 30\nmax-recipient 500\n")
        self.smtpin.write_map(fixture.USERS + "dave : dave@example.org\n")
        self.hangup()
        fixture.until(lambda: "error the old configuration stays in use: "
                      f'{config}:2: there is no option "max-recipient"'
                      in self.smtpin.text(), "no complaint")
        self.assertEqual(recipient(self.smtpin, "dave@example.org").code, 550)
        fixture.write(config, "close-after 30\n")
        self.hangup()
        fixture.until(lambda: recipient(
            self.smtpin, "dave@example.org").code == 250, "dave is unknown")

    def test_check(self):
        """--check reads what a start reads, beside a daemon that runs."""
        def check():
            return subprocess.run(
                [*self.smtpin.command(), "--check"], capture_output=True,
                text=True, check=False, timeout=fixture.WAIT)

        self.assertEqual(check().returncode, 0)
        self.smtpin.write_map("bob : bob@example.org\nwhat is this\n")
        done = check()
        self.assertEqual(done.returncode, os.EX_CONFIG)
        self.assertIn(f"smtpin: {self.smtpin.map}:2: ", done.stderr)
        self.assertEqual(recipient(self.smtpin, "alice@example.org").code,
                         250)

    def test_transaction_goes_on(self):
        """A recipient who was accepted gets the message."""
        with fixture.Dialogue(self.smtpin.port) as client:
            client.begin("alice@example.org")
            self.smtpin.write_map("bob : bob@example.org\n"
                                  "bob : postmaster@example.org\n")
            self.hangup()
            fixture.until(lambda: recipient(
                self.smtpin, "alice@example.org").code == 550, "no reload")
            self.assertEqual(client.finish(MESSAGE).code, 250)
        self.assertEqual(self.smtpin.only("alice")[1], MESSAGE)


class Termination(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin())

    def test_message_is_finished(self):
        with fixture.Dialogue(self.smtpin.port) as client, \
                fixture.Dialogue(self.smtpin.port) as idle:
            client.begin("alice@example.org")
            client.send(b"Subject: half\r\n")
            self.smtpin.process.send_signal(signal.SIGTERM)
            # The idle one is told, so the daemon is on its way down.
            self.assertEqual(idle.reply().codes, "421 4.3.2")
            self.assertEqual(client.finish(b"\nother half\n").code, 250)
            self.smtpin.ended()
        _, rest = self.smtpin.only("alice")
        self.assertEqual(rest, b"Subject: half\n\nother half\n")
        self.smtpin.start()

    def test_idle_clients_do_not_hold_it(self):
        clients = [fixture.Dialogue(self.smtpin.port) for _ in range(20)]
        self.smtpin.stop(fixture.WAIT)
        for client in clients:
            self.assertEqual(client.reply().code, 421)
            client.close()
        self.smtpin.start()

    def test_interrupt(self):
        self.smtpin.process.send_signal(signal.SIGINT)
        self.smtpin.ended()
        self.smtpin.start()

    def test_port_is_free_at_once(self):
        with fixture.Dialogue(self.smtpin.port) as client:
            client.quit()
        port = self.smtpin.port
        self.smtpin.stop()
        self.smtpin.arguments = ["-a", f"127.0.0.1:{port}"]
        self.smtpin.start()
        self.assertEqual(self.smtpin.port, port)


class Surroundings(unittest.TestCase):
    def test_closed_descriptors(self):
        """O13: mail is received, and the daemon ends, whichever of the
        descriptors 0, 1 and 2 were closed at the start."""
        for closed in range(8):
            words = " ".join(f"{fd}<&-" for fd in range(3)
                             if closed & 1 << fd)
            port = fixture.free_port()
            smtpin = fixture.Smtpin(
                arguments=["-a", f"127.0.0.1:{port}"], level="trace",
                prefix=["sh", "-c", 'exec "$@" ' + words, "sh"])
            self.addCleanup(smtpin.remove)
            with self.subTest(closed=words):
                smtpin.spawn()
                fixture.until(lambda: is_open(port), "it does not listen")
                for fd in range(3):
                    if closed & 1 << fd:
                        self.assertEqual(os.readlink(
                            f"/proc/{smtpin.process.pid}/fd/{fd}"),
                            "/dev/null")
                with fixture.Dialogue(port) as client:
                    client.deliver(MESSAGE, "alice@example.org")
                smtpin.stop()
                self.assertEqual(smtpin.only("alice")[1], MESSAGE)


    def test_short_name(self):
        """O4: a name without a domain is warned of."""
        smtpin = fixture.Smtpin(
            arguments=fixture.loopback() + ["-H", "myhost"])
        self.addCleanup(smtpin.remove)
        with smtpin:
            smtpin.await_pattern(' warning .*"myhost", has no')

    def test_silent_resolver(self):
        """O7: nobody waits long for a name server that does not answer."""
        fixture.need("unshare")
        script = ("mount --bind $ROOT/resolv.conf /etc/resolv.conf && "
                  "mount --bind $ROOT/hosts /etc/hosts && "
                  "ip link set lo up && hostname myhost && exec \"$@\"")
        smtpin = fixture.Smtpin(
            prefix=["unshare", "--mount", "--uts", "--net", "sh", "-c",
                    script, "sh"])
        self.addCleanup(smtpin.remove)
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"
                            "options timeout:30 attempts:5\n"),
                           ("hosts", "127.0.0.1 localhost\n")):
            with open(f"{smtpin.root}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        silent = ("import socket,os,sys\ns = socket.socket(socket.AF_INET, "
                  "socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 53))\n"
                  "s.set_inheritable(True)\n"
                  "os.execvp(sys.argv[1], sys.argv[1:])\n")
        smtpin.prefix += [sys.executable, "-c", silent]
        command = smtpin.command
        smtpin.command = lambda: [word for i, word in enumerate(command())
                                  if "-H" not in command()[max(i - 1, 0):i + 1]]
        os.environ["ROOT"] = smtpin.root
        begin = time.monotonic()
        try:
            smtpin.start(1)
        except AssertionError as error:
            if "unshare" in str(error) or "mount" in str(error):
                fixture.cannot(str(error))
            raise
        try:
            self.assertLess(time.monotonic() - begin, 20)
            smtpin.await_words('"myhost", has no domain: clients that look')
        finally:
            smtpin.stop()

    def test_units(self):
        """O10: the units try again, for as long as it takes."""
        examples = os.path.dirname(os.path.abspath(__file__)) + \
            "/../../examples"
        for name in ("smtpin", "smtpout"):
            unit = fixture.read(
                f"{examples}/{name}/{name}.service.in").decode()
            self.assertIn("\nRestartSec=5\n", unit)
            self.assertIn("\nStartLimitIntervalSec=0\n", unit)
            stops = unit.split("RestartPreventExitStatus=")[1].split("\n")[0]
            self.assertEqual(stops.split(),
                             ["64", "66", "67", "73", "77", "78", "217"])

    def test_units_are_valid(self):
        """As systemd reads them."""
        tool = fixture.need("systemd-analyze")
        examples = os.path.dirname(os.path.abspath(__file__)) + \
            "/../../examples"
        with tempfile.TemporaryDirectory() as root:
            paths = []
            for name in ("smtpin/smtpin.service", "smtpin/smtpin.socket",
                         "smtpin/smtpin-tls.socket", "smtpout/smtpout.service",
                         "smtpout/smtpout.socket"):
                source = f"{examples}/{name}"
                if name.endswith(".service"):
                    source += ".in"
                paths.append(f"{root}/{os.path.basename(name)}")
                with open(paths[-1], "wb") as file:
                    file.write(re.sub(rb"@sbindir@/\w+",
                                      fixture.program().encode(),
                                      fixture.read(source)))
            done = subprocess.run([tool, "verify", "--man=no", *paths],
                                  capture_output=True, text=True, check=False)
            self.assertEqual([line for line in done.stderr.splitlines()
                              if root in line or "smtp" in line], [])
            self.assertEqual(done.returncode, 0)

    def test_installed_files(self):
        """O18: what the units name is made by sysusers.d and tmpfiles.d, and
        the example configurations are good."""
        examples = os.path.dirname(os.path.abspath(__file__)) + \
            "/../../examples"

        def text(name):
            return fixture.read(f"{examples}/{name}").decode()

        for name in ("smtpin", "smtpout"):
            user = re.search(r"\nUser=(\w+)\n",
                             text(f"{name}/{name}.service.in"))[1]
            self.assertIn(f"u {user} ", text(f"{name}/{name}.sysusers"))
            suffix = ".in" if name == "smtpout" else ""
            for line in text(f"{name}/{name}.tmpfiles{suffix}").splitlines():
                if "drop" not in line:
                    self.assertEqual(line.split()[3:5], [user, user])
        self.assertIn("\ng smtpdrop ", text("smtpout/smtpout.sysusers"))
        for line in ("d /var/spool/smtpout-drop 1730 smtpout smtpdrop",
                     "z @sbindir@/smtpout-drop 2755 root smtpdrop"):
            self.assertIn(line, text("smtpout/smtpout.tmpfiles.in"))
        self.assertIn("/var/vmail", text("smtpin/smtpin.tmpfiles"))
        self.assertIn("/run/smtpout/socket", text("smtpout/smtpout.socket"))
        with tempfile.TemporaryDirectory() as root:
            config = root + "/smtpin.conf"
            with open(config, "w", encoding="ascii") as file:
                file.write(text("smtpin/smtpin.conf").replace(
                    "/etc/smtpin", examples + "/smtpin").replace(
                        "/var/vmail", root))
            smtpin = fixture.Smtpin()
            self.addCleanup(smtpin.remove)
            smtpin.arguments = ["-a", "127.0.0.1:0"]
            smtpin.command = lambda: [
                fixture.program(), *smtpin.arguments, "-H", "mx.example.org",
                "--config", config]
            with smtpin:
                smtpin.await_words("4 addresses")


class Refusals(unittest.TestCase):
    """It does not start, says why in a line, and ends as sysexits(3) says."""

    def setUp(self):
        self.smtpin = fixture.Smtpin()
        self.addCleanup(self.smtpin.remove)

    def run_it(self, arguments):
        return subprocess.run(
            [fixture.program(), *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=fixture.WAIT, check=False)

    def base(self, *more):
        return ["-a", "127.0.0.1:0", "-u", self.smtpin.map,
                "-m", self.smtpin.mail + "/%u/Maildir", *more]

    def refused(self, arguments, status, *words):
        done = self.run_it(arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotEqual(done.stderr, "")

    def test_units_are_named(self):
        self.refused(self.base("--quota", "2X"), os.EX_USAGE,
                     '"2X" is not a number from 0 to 4611686018427387904, '
                     "nor one with K, M or G")

    def test_unknown_option(self):
        self.refused(self.base("--frobnicate"), os.EX_USAGE, "frobnicate")

    def test_bad_number(self):
        self.refused(self.base("-p", "99999"), os.EX_USAGE, "99999")
        self.refused(self.base("-p", "http"), os.EX_USAGE, "http")

    def test_bad_level(self):
        self.refused(self.base("-n", "loud"), os.EX_USAGE, "loud")

    def test_superfluous_argument(self):
        self.refused(self.base("what"), os.EX_USAGE, "what")

    def test_option_of_the_other_daemon(self):
        self.refused(self.base("-q", "/tmp"), os.EX_USAGE, "smtpout")

    def test_bad_address(self):
        self.refused(self.base("-a", "nowhere"), os.EX_USAGE, "nowhere")

    def test_interface_as_address(self):
        """O27: -a with an interface."""
        self.refused(self.base("-a", "lo"), os.EX_USAGE, "--interface lo")

    def test_smtpout_was_meant(self):
        """O31: without a map."""
        self.refused(["-l", "-n", "255"], os.EX_USAGE, "start smtpout")

    def test_hostname_of_file(self):
        """O29: a mistake in a file is told with its line."""
        config = self.smtpin.root + "/config"
        with open(config, "w", encoding="ascii") as file:
            file.write("# x\nhostname a b # c\n")
        self.refused(self.base("--config", config), os.EX_CONFIG,
                     config + ":2:", '"a b" is not the name of a host')

    def test_no_mailbox_can_be_made(self):
        """O18: no mail could be stored."""
        if os.geteuid() != 0:
            fixture.cannot("only root can change the user")
        os.chmod(self.smtpin.root, 0o755)
        os.chmod(self.smtpin.map, 0o644)
        self.refused(self.base("-U", "nobody"), os.EX_CANTCREAT,
                     "no mailbox can be made in", "chown")

    def test_log_that_cannot_be_made(self):
        log = self.smtpin.root + "/missing/log"
        self.refused(self.base("-j", log), os.EX_CANTCREAT,
                     f"cannot write the log {log}: No such file or directory")

    def test_missing_map(self):
        self.smtpin.map += ".missing"
        self.refused(self.base(), os.EX_NOINPUT, self.smtpin.map)

    def test_bad_map(self):
        self.smtpin.write_map("# comment\n\nalice alice@example.org\n")
        self.refused(self.base(), os.EX_CONFIG, self.smtpin.map + ":3")

    def test_missing_interface(self):
        self.refused(["-i", "nosuch0", "-p", "2525", "-u", self.smtpin.map,
                      "-m", self.smtpin.mail + "/%u"], os.EX_UNAVAILABLE,
                     "nosuch0")

    def test_taken_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.refused(self.base("-a", "127.0.0.1:" + port),
                         os.EX_UNAVAILABLE, port)

    def test_no_right_to_bind(self):
        if os.geteuid() != 0:
            fixture.cannot("only root can give up rights")
        os.chmod(self.smtpin.root, 0o755)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "--bounding-set=-net_bind_service", fixture.program(),
             *self.base("-a", "127.0.0.1:25")], stderr=subprocess.PIPE, text=True,
            timeout=fixture.WAIT, check=False)
        if "setpriv: failed to execute" in done.stderr:
            fixture.cannot("others may not read the program")
        self.assertEqual(done.returncode, os.EX_NOPERM, done.stderr)
        self.assertIn("25", done.stderr)

    def test_help(self):
        done = self.run_it(["--help"])
        self.assertEqual(done.returncode, 0)
        lines = done.stdout.splitlines()
        self.assertIn("smtpin", lines[0])
        self.assertLessEqual(len(lines), 50)
        for line in lines:
            self.assertLessEqual(len(line), 80, line)


class Options(unittest.TestCase):
    def test_loopback(self):
        port = str(fixture.free_port())
        with fixture.Smtpin(arguments=["-l", "-p", port]) as smtpin:
            hosts = {host for host, _ in smtpin.addresses()}
            self.assertLessEqual(hosts, {"127.0.0.1", "::1"})
            self.assertIn("127.0.0.1", hosts)

    def test_journal(self):
        """-j: nothing on stderr, everything in the file."""
        smtpin = fixture.Smtpin()
        self.addCleanup(smtpin.remove)
        log = smtpin.root + "/log"
        smtpin.arguments += ["-j", log]
        smtpin.spawn()
        try:
            fixture.until(lambda: os.path.exists(log)
                          and b"listening on" in fixture.read(log),
                          "nothing in the log")
            smtpin.lines += fixture.read(log).decode().splitlines()
            port = smtpin.port
            smtpin.lines.clear()
            with fixture.Dialogue(port) as client:
                reply = client.deliver(MESSAGE, "alice@example.org")
        finally:
            smtpin.stop()
        self.assertEqual(smtpin.lines, [])
        text = fixture.read(log).decode("ascii")
        self.assertIn("sender@example.net", text)
        self.assertIn("alice@example.org", text)
        # The id that the client was told is in the line.
        self.assertIn(reply.split()[-1].rpartition("=")[2], text)

    def test_journal_is_reopened(self):
        """After SIGHUP, so that it can be rotated."""
        smtpin = fixture.Smtpin()
        self.addCleanup(smtpin.remove)
        log = smtpin.root + "/log"
        smtpin.arguments += ["-j", log]
        smtpin.spawn()
        try:
            fixture.until(lambda: os.path.exists(log)
                          and b"listening on" in fixture.read(log),
                          "nothing in the log")
            os.rename(log, log + ".1")
            smtpin.process.send_signal(signal.SIGHUP)
            fixture.until(lambda: os.path.exists(log), "not reopened")
        finally:
            smtpin.stop()

    def test_level(self):
        """-n: nothing at 0, more at each level."""
        sizes = []
        for level in ("0", "error", "info", "trace"):
            smtpin = fixture.Smtpin()
            self.addCleanup(smtpin.remove)
            log = smtpin.root + "/log"
            # One port for all: at level 0 it says none.
            port = fixture.free_port()
            smtpin.arguments = ["-a", f"127.0.0.1:{port}", "-j", log,
                                "-n", level]
            smtpin.spawn()
            try:
                fixture.until(lambda: is_open(port), "it does not listen")
                with fixture.Dialogue(port) as client:
                    client.deliver(MESSAGE, "alice@example.org")
            finally:
                smtpin.stop()
            sizes.append(os.path.getsize(log)
                         if os.path.exists(log) else 0)
        self.assertEqual(sizes[:2], [0, 0])
        self.assertLess(0, sizes[2])
        self.assertLess(sizes[2], sizes[3])

    def test_each_recipient(self):
        """O20, T12: the log has each recipient, with the id."""
        with fixture.Smtpin() as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.begin("alice@example.org", "bob@example.org")
                client.finish(MESSAGE)
            fixture.until(lambda: "to=<bob@example.org>" in smtpin.text(),
                          "no line for bob")
            ids = [re.search(r"id=(\S+) .*to=<(alice|bob)@", line)
                   for line in smtpin.lines
                   if " stored id" in line or " recipient id" in line]
            self.assertEqual([match[2] for match in ids], ["alice", "bob"])
            self.assertEqual(ids[0][1], ids[1][1])
            for user in ("alice", "bob"):
                self.assertIn(f"to=<{user}@example.org> "
                              f"mailbox=<{smtpin.maildir(user)}>",
                              smtpin.text())

    def test_refused_recipient(self):
        """O20: its sender and its id are in the line."""
        with fixture.Smtpin() as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.say("EHLO x")
                client.say("MAIL FROM:<sender@example.net>")
                client.say("RCPT TO:<nobody@example.org>")
            fixture.until(lambda: "refused session=" in smtpin.text(),
                          "no refusal")
            smtpin.await_pattern(r'refused session=.* command=RCPT id=\w+ '
                                 r'from=<sender@example.net>')

    def test_refusals_are_counted(self):
        """O32: when a client is slowed and sent away can be set."""
        arguments = [*fixture.loopback(), "--slow-after", "0",
                     "--close-after", "3"]
        with fixture.Smtpin(arguments=arguments) as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                codes = [client.say("NONSENSE").code for _ in range(3)]
            self.assertEqual(codes, [500, 500, 421])

    def test_early_talker(self):
        """O32: who talks before the greeting is sent away."""
        arguments = [*fixture.loopback(), "--greet-delay", "30"]
        with fixture.Smtpin(arguments=arguments) as smtpin:
            with socket.create_connection(("127.0.0.1", smtpin.port)) as s:
                s.sendall(b"EHLO x\r\n")
                s.settimeout(20 * fixture.WAIT)
                self.assertTrue(s.recv(100).startswith(b"521 "))

    def test_min_free(self):
        """O32: how much of the disk stays free can be set."""
        arguments = [*fixture.loopback(), "--min-free", "1000000G"]
        with fixture.Smtpin(arguments=arguments) as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.say("EHLO x")
                self.assertEqual(
                    client.say("MAIL FROM:<sender@example.net>").code, 452)
            fixture.until(
                lambda: "1073741824000000 bytes and a" in smtpin.text(),
                "no line")

    def test_no_postmasters(self):
        """O33: many domains without one are summed up."""
        users = "".join(f"ann : ann@d{i}.example\n" for i in range(1000))
        with fixture.Smtpin(users) as smtpin:
            lines = [line for line in smtpin.lines if "postmaster" in line]
            self.assertEqual(len(lines), 6)
            self.assertIn("1000 domains", lines[-1])

    def test_forged_log_line(self):
        """Nothing a client sends begins a line of the log."""
        with fixture.Smtpin(level="trace") as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                client.send(b"NOOP a\rforged=1\x1b[2Jb\r\n")
                client.reply()
                client.say("NOOP end")
            smtpin.stop()
            for line in smtpin.lines:
                self.assertFalse(line.startswith("forged"), line)
                self.assertTrue(line.isprintable(), line)
            smtpin.start()

    def test_max_message_size(self):
        arguments = fixture.loopback() + ["--max-message-size", "100000"]
        with fixture.Smtpin(arguments=arguments) as smtpin:
            with fixture.Dialogue(smtpin.port) as client:
                reply = client.deliver(fixture.plain("x" * 70 + "\n") * 900,
                                       "alice@example.org")
                self.assertEqual(reply.codes, "552 5.3.4")
                reply = client.deliver(MESSAGE, "alice@example.org")
                self.assertEqual(reply.code, 250)
            self.assertEqual(smtpin.only("alice")[1], MESSAGE)
            self.assertEqual(smtpin.tmp(), [])

    def test_max_connections(self):
        arguments = fixture.loopback() + ["--max-per-address", "2"]
        with fixture.Smtpin(arguments=arguments) as smtpin:
            held = [fixture.Dialogue(smtpin.port) for _ in range(2)]
            with fixture.Dialogue(smtpin.port, greet=False) as third:
                self.assertEqual(third.reply().codes, "421 4.7.0")
            for client in held:
                client.quit()

    def test_root_must_exist(self):
        """Where the root of the Maildirs is missing, mail waits."""
        with fixture.Smtpin() as smtpin:
            os.rename(smtpin.mail, smtpin.mail + ".away")
            with fixture.Dialogue(smtpin.port) as client:
                client.say("MAIL FROM:<sender@example.net>")
                reply = client.say("RCPT TO:<alice@example.org>")
                self.assertEqual(reply.code, 451)
                client.say("RSET")
                os.rename(smtpin.mail + ".away", smtpin.mail)
                reply = client.deliver(MESSAGE, "alice@example.org")
                self.assertEqual(reply.code, 250)
            self.assertEqual(smtpin.only("alice")[1], MESSAGE)


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


if __name__ == "__main__":
    fixture.main()
