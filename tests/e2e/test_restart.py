# SPDX-License-Identifier: MIT
"""smtpin is started anew while clients come, and what it tells systemd."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

import unittest

import smtpin_fixture as fixture
from restart_case import RESTARTS, NotifySocket, Senders


class Restarted(fixture.Smtpin):
    """It hands over to processes that it starts; the newest is .pid."""

    def __init__(self, **options):
        super().__init__(**options)
        self.environment = {}
        self.passed = []
        self.pids = []

    @property
    def pid(self):
        return self.pids[-1]

    def spawn(self):
        popen = subprocess.Popen
        try:
            subprocess.Popen = lambda *args, **more: popen(
                *args, pass_fds=self.passed,
                env={**os.environ, **self.environment}, **more)
            super().spawn()
        finally:
            subprocess.Popen = popen
        self.pids = [self.process.pid]

    def hand_over(self):
        """Return when a new process takes over; whether the old one has ended
        is not said."""
        count = self.text().count("takes over")
        os.kill(self.pid, signal.SIGUSR2)
        fixture.until(lambda: self.text().count("takes over") > count,
                      f"nobody takes over: {self.text()[-2000:]}")
        self.pids.append(int(re.findall(r"process (\d+) takes over",
                                        self.text())[-1]))

    def stop(self, wait=3 * fixture.WAIT):
        os.kill(self.pid, signal.SIGTERM)
        fixture.until(lambda: not is_running(self.pid), "it does not end")
        self.ended(wait)

    def remove(self):
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().remove()

    def deliver(self, subject):
        with fixture.Dialogue(self.port) as client:
            reply = client.deliver(fixture.plain(subject=subject),
                                   "alice@example.org")
            if reply.code != 250 or client.quit().code != 221:
                raise AssertionError(reply)

    def subjects(self):
        return [re.search(rb"^Subject: (.*)$", fixture.read(path),
                          re.M)[1].decode() for path in self.new("alice")]


def is_running(pid):
    """A zombie has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class HandOver(unittest.TestCase):
    def smtpin(self, **options):
        smtpin = Restarted(**options)
        self.addCleanup(smtpin.remove)
        return smtpin

    def check(self, smtpin, senders):
        self.assertEqual(senders.faults, [])
        self.assertEqual(sorted(smtpin.subjects()), sorted(senders.sent))

    def test_nobody_is_refused(self):
        smtpin = self.smtpin()
        smtpin.start()
        with Senders(smtpin.deliver) as senders:
            for _ in range(RESTARTS):
                smtpin.hand_over()
                senders.wait_more()
        self.check(smtpin, senders)
        smtpin.stop()
        self.assertEqual(len(set(smtpin.pids)), RESTARTS + 1)
        self.assertNotIn("cut off: 1", smtpin.text())

    def test_old_sessions_go_on(self):
        smtpin = self.smtpin()
        smtpin.start()
        with fixture.Dialogue(smtpin.port) as client:
            smtpin.hand_over()
            smtpin.deliver("new")
            self.assertTrue(is_running(smtpin.pids[0]))
            self.assertEqual(client.deliver(
                fixture.plain(subject="old"), "alice@example.org").code, 250)
            client.quit()
        fixture.until(lambda: not is_running(smtpin.pids[0]),
                      "the old process stays")
        self.assertEqual(sorted(smtpin.subjects()), ["new", "old"])
        old, new = smtpin.pids
        smtpin.await_pattern(f"process {old} serves")
        smtpin.await_pattern(f"process {old} ends with its last session, as "
                             f"process {new} takes over")
        smtpin.await_pattern(f"process {new} serves")
        smtpin.await_pattern(f"process {old} stopped; sessions cut off: 0")
        smtpin.stop()

    def test_a_mistake_keeps_the_old(self):
        """A new process that cannot start takes nothing away."""
        smtpin = self.smtpin()
        smtpin.start()
        smtpin.write_map("no colon\n")
        os.kill(smtpin.pid, signal.SIGUSR2)
        fixture.until(lambda: "going on as before" in smtpin.text(),
                      "nothing is said")
        smtpin.await_pattern("error a new process would fail, "
                             "going on as before: .*map:1: ")
        smtpin.deliver("one")
        smtpin.write_map(fixture.USERS)
        smtpin.hand_over()
        smtpin.deliver("two")
        smtpin.stop()

    def test_why_is_in_the_log(self):
        """Not on standard error alone, which may lead nowhere."""
        smtpin = self.smtpin()
        log = smtpin.root + "/log"
        smtpin.arguments += ["--log", log]

        def says(text):
            fixture.until(lambda: os.path.exists(log) and re.search(
                text, fixture.read(log).decode()), f"no {text}")

        smtpin.spawn()
        says("listening on")
        smtpin.write_map("no colon\n")
        os.kill(smtpin.pid, signal.SIGUSR2)
        says("error a new process would fail, going on as before: "
             r"\S*map:1: ")
        smtpin.stop()

    def test_the_old_is_gone(self):
        """It ends before the new one has looked at what it was handed."""
        smtpin = self.smtpin(arguments=[])
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        with socket.create_server(("127.0.0.1", 0)) as server, ours:
            port = server.getsockname()[1]
            smtpin.passed = [server.fileno(), theirs.fileno()]
            smtpin.prefix = ["bash", "-c",
                             f"exec 90<&{server.fileno()} "
                             f"91<&{theirs.fileno()} 3<&90 4<&91 && "
                             "SMTPD_HANDOVER=4:0 LISTEN_FDS=1 LISTEN_PID=1 "
                             'LISTEN_FDNAMES=smtp exec "$@"', "sh"]
            smtpin.spawn()
            theirs.close()
            ours.settimeout(fixture.WAIT)
            smtpin.pids.append(int.from_bytes(ours.recv(16), sys.byteorder))
        fixture.until(lambda: f"listening on 127.0.0.1:{port}" in
                      smtpin.text(), "it does not serve")
        smtpin.deliver("one")
        smtpin.stop()

    def test_kinds_of_listeners(self):
        """What is spoken at each stays; a path keeps its file."""
        smtpin = self.smtpin()
        path = smtpin.root + "/socket"
        lmtp = smtpin.root + "/lmtp"
        smtpin.arguments += ["-a", path, "--lmtp", lmtp]
        smtpin.start(listeners=1)
        for _ in range(2):
            smtpin.hand_over()
            fixture.until(lambda: not is_running(smtpin.pids[-2]),
                          "the old process stays")
            for where, hello in ((path, "EHLO"), (lmtp, "LHLO")):
                with socket.socket(socket.AF_UNIX) as s, \
                        s.makefile("rb") as file:
                    s.settimeout(fixture.WAIT)
                    s.connect(where)
                    self.assertEqual(file.readline()[:3], b"220")
                    s.sendall(f"{hello} x.example\r\n".encode())
                    self.assertEqual(file.readline()[:3], b"250")
        self.assertTrue(os.path.exists(path) and os.path.exists(lmtp))
        smtpin.stop()
        self.assertFalse(os.path.exists(path) or os.path.exists(lmtp))

    def test_as_another_user(self):
        if os.geteuid() != 0:
            fixture.cannot("only root can become another user")
        smtpin = self.smtpin()
        for path in (smtpin.root, smtpin.mail):
            os.chmod(path, 0o755)
            os.chown(path, 65534, 65534)
        smtpin.arguments += ["-U", "nobody"]
        smtpin.start()
        smtpin.deliver("one")
        smtpin.hand_over()
        smtpin.deliver("two")
        self.assertEqual(os.stat(f"/proc/{smtpin.pid}").st_uid, 65534)
        smtpin.stop()


class Systemd(unittest.TestCase):
    """Sockets that systemd keeps open, and what it is told."""

    def activate(self, *names, notify=None, **environment):
        """An smtpin with sockets of these names."""
        smtpin = Restarted(arguments=[])
        self.addCleanup(smtpin.remove)
        sockets = [self.enterContext(socket.create_server(("127.0.0.1", 0)))
                   for _ in names]
        fds = [s.fileno() for s in sockets]
        move = " ".join(f"{90 + i}<&{fd}" for i, fd in enumerate(fds)) \
            + " " + " ".join(f"{3 + i}<&{90 + i}" for i in range(len(fds)))
        smtpin.prefix = ["bash", "-c", f"exec {move} && LISTEN_FDS={len(fds)} "
                         f"LISTEN_FDNAMES={':'.join(names)} LISTEN_PID=$$ "
                         'WATCHDOG_PID=$$ exec "$@"', "sh"]
        smtpin.passed = fds
        smtpin.environment = environment
        if notify:
            smtpin.environment["NOTIFY_SOCKET"] = notify
        return smtpin, [s.getsockname()[1] for s in sockets]

    def test_restart(self):
        """systemctl restart: clients wait, and those that are there may
        finish."""
        smtpin, _ = self.activate("smtp")
        smtpin.start()
        port = smtpin.port
        with Senders(smtpin.deliver) as senders:
            for _ in range(RESTARTS):
                senders.wait_more()
                lines = smtpin.lines
                smtpin.stop()
                self.assertIn("cut off: 0", "\n".join(lines))
                smtpin.start()
                self.assertEqual(smtpin.port, port)
        self.assertEqual(senders.faults, [])
        self.assertEqual(sorted(smtpin.subjects()), sorted(senders.sent))
        smtpin.stop()

    def test_names(self):
        """A name says what is spoken."""
        smtpin, ports = self.activate("lmtp", "smtp", "anything")
        smtpin.start(listeners=2)
        for port, hello in zip(ports, ("LHLO", "EHLO", "EHLO")):
            with fixture.Dialogue(port, greet=False) as client:
                client.reply()
                self.assertEqual(client.say(hello + " x.example").code, 250)
        smtpin.stop()

    def test_too_many(self):
        smtpin, _ = self.activate("smtp")
        smtpin.prefix[2] = smtpin.prefix[2].replace("FDS=1", "FDS=1001")
        smtpin.spawn()
        self.assertEqual(smtpin.process.wait(fixture.WAIT), os.EX_USAGE)
        smtpin.reader.join(fixture.WAIT)
        smtpin.await_words("not one from 0 to 1000")

    def test_why_a_socket_is_not_taken_over(self):
        """What --check cannot know is in the log too, and all goes on."""
        smtpin, _ = self.activate("smtps")
        log, config, cert, key = (smtpin.root + "/" + name for name in (
            "log", "config", "cert", "key"))
        subprocess.run(
            [fixture.need("openssl"), "req", "-x509", "-newkey", "ec",
             "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=mx.example.org", "-out", cert, "-keyout", key],
            check=True, capture_output=True)

        def says(text):
            fixture.until(lambda: os.path.exists(log)
                          and text in fixture.read(log).decode(),
                          f"no {text}")

        def configure(text):
            with open(config, "w", encoding="ascii") as file:
                file.write(text)

        configure(f"tls-cert {cert}\ntls-key {key}\n")
        smtpin.arguments = ["--config", config, "--log", log]
        smtpin.spawn()
        says("listening on 127.0.0.1:")
        configure("")
        os.kill(smtpin.pid, signal.SIGHUP)
        says("files read again after SIGHUP; options that were changed count "
             "after SIGUSR2 or a restart")
        os.kill(smtpin.pid, signal.SIGUSR2)
        says('the new process has failed (a socket that was passed to it is '
             'named "smtps": TLS needs a certificate and its key '
             "(--tls-cert, --tls-key)), going on as before")
        smtpin.stop()

    def test_tls_needs_a_certificate(self):
        smtpin, _ = self.activate("smtps")
        smtpin.spawn()
        self.assertEqual(smtpin.process.wait(fixture.WAIT), os.EX_USAGE)
        smtpin.reader.join(fixture.WAIT)
        smtpin.await_words('named "smtps": TLS needs a certificate')

    def notify_socket(self, kind):
        if kind == "abstract":
            path = f"@smtpd-test-notify-{os.getpid()}"
        else:
            path = self.enterContext(
                tempfile.TemporaryDirectory()) + "/notify"
        notify = NotifySocket(path)
        self.addCleanup(notify.close)
        return notify, path

    def test_states(self):
        for kind in ("path", "abstract"):
            with self.subTest(kind):
                notify, path = self.notify_socket(kind)
                smtpin, _ = self.activate("smtp", notify=path,
                                          WATCHDOG_USEC="1000000")
                smtpin.start()
                pid = smtpin.process.pid
                self.assertEqual(notify.next("READY=1")["pid"], pid)
                for _ in range(2):
                    notify.next("WATCHDOG=1")
                smtpin.process.send_signal(signal.SIGHUP)
                state = notify.next("RELOADING=1")
                self.assertGreater(int(state["MONOTONIC_USEC"]), 0)
                notify.next("READY=1")
                smtpin.deliver("one")
                smtpin.stop()
                notify.next("STOPPING=1")
                self.assertIn("connections now", str(notify.heard))

    def test_hand_over(self):
        """The new process is the main one before it tells anything, and is
        watched."""
        notify, path = self.notify_socket("path")
        smtpin, _ = self.activate("smtp", notify=path,
                                  WATCHDOG_USEC="1000000")
        smtpin.start()
        notify.next("READY=1")
        smtpin.hand_over()
        notify.next("RELOADING=1")
        while "MAINPID" not in notify.heard[-1]:
            notify.next(f"MAINPID={smtpin.pid}", "READY=1")
        self.assertEqual(notify.heard[-1]["pid"], smtpin.pids[0])
        self.assertEqual(notify.next("READY=1")["pid"], smtpin.pid)
        self.assertEqual(notify.next("WATCHDOG=1")["pid"], smtpin.pid)
        smtpin.deliver("one")
        smtpin.stop()
        self.assertEqual(notify.next("STOPPING=1")["pid"], smtpin.pid)

    def test_socket_activate(self):
        """The program of systemd itself passes the sockets."""
        tool = fixture.need("systemd-socket-activate")
        smtpin = Restarted(arguments=[])
        self.addCleanup(smtpin.remove)
        ports = [fixture.free_port() for _ in range(2)]
        smtpin.prefix = [tool, "--fdname=smtp:lmtp",
                         *(f"--listen=127.0.0.1:{port}" for port in ports)]
        smtpin.spawn()
        fixture.until(lambda: smtpin.text().count("Listening on") == 2,
                      "no sockets")
        with fixture.Dialogue(ports[0]) as client:
            client.quit()
        with fixture.Dialogue(ports[1], greet=False) as client:
            client.reply()
            self.assertEqual(client.say("LHLO x.example").code, 250)
        smtpin.stop()


if __name__ == "__main__":
    fixture.main()
