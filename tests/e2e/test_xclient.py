# SPDX-License-Identifier: MIT
"""smtpin behind filters that speak for their clients: swaks by XCLIENT, Postfix
by XFORWARD."""

import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()
CLIENT = "127.0.0.9"


def smtpin(*arguments):
    return fixture.Smtpin(arguments=[
        "-a", "127.0.0.1:0", "--xclient-from", "127.0.0.1", *arguments])


class Swaks(unittest.TestCase):
    def swaks(self, server, *arguments):
        return subprocess.run(
            [fixture.need("swaks"), "--server", f"127.0.0.1:{server.port}",
             "--helo", "filter.example", "--from", "sender@example.net",
             "--to", "alice@example.org", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=fixture.WAIT, check=False)

    def test_ipv4(self):
        with smtpin() as server:
            done = self.swaks(
                server, "--xclient-addr", "192.0.2.1", "--xclient-name",
                "client.example", "--xclient-port", "4660", "--xclient-proto",
                "ESMTP", "--xclient-helo", "client", "--xclient-login", "ann",
                "--xclient-destaddr", "198.51.100.2", "--xclient-destport",
                "25")
            self.assertEqual(done.returncode, 0, done.stdout)
            headers, _ = server.only("alice")
            self.assertIn(b"[192.0.2.1]", headers[b"Received"])
            self.assertIn("peer=192.0.2.1 ", server.text())

    def test_ipv6_in_two_commands(self):
        with smtpin() as server:
            done = self.swaks(
                server, "--xclient-addr", "IPV6:2001:db8::1",
                "--xclient-delim", "--xclient-name", "[TEMPUNAVAIL]")
            self.assertEqual(done.returncode, 0, done.stdout)
            headers, _ = server.only("alice")
            self.assertIn(b"[IPv6:2001:db8::1]", headers[b"Received"])

    def test_from_elsewhere(self):
        with smtpin() as server:
            done = self.swaks(server, "--local-interface", CLIENT,
                              "--xclient-addr", "192.0.2.1")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("Host did not advertise XCLIENT", done.stdout)
            self.assertEqual(server.new(), [])

    def test_limits_are_those_of_the_client(self):
        with smtpin("--max-per-address", "1") as server:
            with fixture.Dialogue(server.port) as first, \
                    fixture.Dialogue(server.port) as second:
                self.assertEqual(
                    first.say("XCLIENT ADDR=192.0.2.1").code, 220)
                self.assertEqual(
                    second.say("XCLIENT ADDR=192.0.2.1").codes, "421 4.7.0")
                self.assertEqual(second.file.read(), b"")
            self.assertIn("refused peer=192.0.2.1", server.text())


class Postfix:
    """It takes mail on a port of its own, and sends it on to PORT."""

    MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = filter.example
mydestination =
mynetworks = 127.0.0.0/8
default_transport = smtp:[127.0.0.1]:{port}
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtp_send_xforward_command = yes
smtp_tls_security_level = none
"""
    MASTER = """\
127.0.0.1:{own} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

    # All its processes end with the first.
    CAGE = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]

    def __init__(self, port):
        program = fixture.need("postfix")
        daemons = "/usr/lib/postfix/sbin"
        if os.geteuid() != 0 or not os.path.exists(daemons):
            fixture.cannot("Postfix needs root, and its daemons")
        done = subprocess.run([*self.CAGE, "true"], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            fixture.cannot(f"no PID namespace: {done.stderr}")
        self.port = fixture.free_port()
        self.dir = tempfile.mkdtemp(prefix="smtpin-postfix.")
        os.chmod(self.dir, 0o755)
        for name in ("spool", "data", "conf"):
            os.mkdir(os.path.join(self.dir, name))
        os.chown(os.path.join(self.dir, "data"),
                 pwd.getpwnam("postfix").pw_uid, -1)
        for name, text in (("main.cf", self.MAIN), ("master.cf", self.MASTER)):
            with open(os.path.join(self.dir, "conf", name), "w",
                      encoding="ascii") as file:
                file.write(text.format(dir=self.dir, daemons=daemons,
                                       port=port, own=self.port))
        self.process = subprocess.Popen(
            [*self.CAGE, program, "-c", os.path.join(self.dir, "conf"),
             "start-fg"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        try:
            fixture.until(self.answers, "Postfix does not answer",
                          2 * fixture.WAIT)
        except BaseException:
            self.close()
            raise
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Postfix ended: {self.said()}")
        try:
            fixture.Dialogue(self.port).quit()
            return True
        except OSError:
            return False

    def said(self):
        try:
            return fixture.read(os.path.join(self.dir, "maillog"))
        except OSError:
            return "nothing"

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Xforward(unittest.TestCase):
    def test_postfix(self):
        with smtpin() as server, Postfix(server.port) as postfix:
            with fixture.Dialogue(postfix.port, source=CLIENT) as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
            fixture.until(lambda: f"peer=127.0.0.1 origin={CLIENT}"
                          in server.text(), "no message of its client",
                          2 * fixture.WAIT)
            headers, _ = server.only("alice")
            self.assertIn(b"filter.example", headers[b"Received"])


if __name__ == "__main__":
    fixture.main()
