# SPDX-License-Identifier: MIT
"""Programs that people use hand mail to smtpout; Postfix, Exim, OpenSMTPD,
Sendmail and smtpin get it, and it arrives as it was sent."""

import email.message
import os
import pwd
import re
import smtplib
import socket
import subprocess

import smtpin_fixture as fixture
import world
from receivers import Authority, Exim, Postfix, Smtpin, without_trace
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message
from unpacked_receivers import OpenSmtpd, Sendmail

ZONE = """
home.example.	MX 10 mx3.example.
postfix.example.	MX 10 mx1.example.
exim.example.	MX 10 mx2.example.
smtpin.example.	MX 10 mx3.example.
plain.example.	MX 10 mx4.example.
opensmtpd.example.	MX 10 mx5.example.
sendmail.example.	MX 10 mx6.example.
"""

DATED = ("Date: Thu, 01 Jan 2026 00:00:00 +0000\n"
         "Message-ID: <x@home.example>\n")

MESSAGES = {
    "plain": b"Hello.\n",
    "empty": b"",
    "dots": b".\n..\n.x\n...\nx.\n\n.\n.\n",
    "eight bits": bytes(range(0x80, 0x100)) + b"\n",
    "blanks": b" \n\t\nx \n\n\n",
    "commands": b"QUIT\nRSET\n.QUIT\nFrom here\n>From there\n",
    "long lines": (b"x" * 990 + b"\n") * 100,
    "many lines": b"".join(b"line %d\n" % i for i in range(20000)),
    "10 MB": (b"." + b"y" * 75 + b"\n") * 130000,
}


class Interoperation(world.WorldCase):
    HOSTS = ("mx1", "mx2", "mx3", "mx4", "mx5", "mx6")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.zone(ZONE)
        cls.ca = Authority(os.path.join(cls.world.root, "ca"))

    def setUp(self):
        self.socket = os.path.join(self.world.root, "submit.sock")
        self.smtpout = self.enterContext(Smtpout(
            self.world, "-l", "-a", self.socket, "--tls-ca", self.ca.ca,
            "--retry-min", "1"))


class Receivers(Interoperation):
    def check_all(self, receiver, domain):
        for name, body in MESSAGES.items():
            with self.subTest(name):
                before = len(receiver.messages("bob"))
                content = f"From: <alice@home.example>\nSubject: {name}\n" \
                    f"{DATED}\n".encode() + body
                self.smtpout.submit(content, f"bob@{domain}")
                stored = receiver.wait(before + 1, "bob",
                                       3 * fixture.WAIT)
                mine = [s for s in stored
                        if f"\nSubject: {name}\n".encode() in s]
                self.assertEqual(len(mine), 1)
                text = mine[0]
                self.assertIn(b"by out.example", text)
                self.assertRegex(text, rb"(?i)return-path: "
                                       rb"<alice@home.example>")
                self.assertEqual(without_trace(text).rstrip(b"\n"),
                                 content.rstrip(b"\n"))
        self.smtpout.wait_empty()

    def refuses(self, domain):
        """Its own words come back to the sender; they are in the trail."""
        ident = self.smtpout.submit(message(), f"nobody@{domain}")
        line = self.smtpout.wait_log(
            rf"id={ident}\b.*status=bounced")[0]
        self.assertIn("dsn=5.", line)

    def takes_utf8(self, receiver, domain):
        """A header in UTF-8 is announced as such (RFC 6531, 3.4)."""
        before = len(receiver.messages("bob"))
        content = f"From: <alice@home.example>\nSubject: Grüße\n" \
            f"{DATED}\nHello.\n".encode()
        self.smtpout.submit(content, f"bob@{domain}",
                            mail="SMTPUTF8 BODY=8BITMIME")
        stored = receiver.wait(before + 1, "bob", 3 * fixture.WAIT)
        text, = [s for s in stored if "Subject: Grüße".encode() in s]
        self.assertRegex(text, rb"(?is)with utf8e?smtps? .*by out\.example\s"
                               rb"+with utf8smtp ")

    def check_other(self, kind, host, utf8=True):
        """One that others wrote, at HOST."""
        domain = kind.__name__.lower() + ".example"
        pair = self.ca.sign(host.name + ".example")
        with kind(self.world, host, domain, pair, "bob") as receiver:
            self.check_all(receiver, domain)
            if utf8:
                self.takes_utf8(receiver, domain)
            self.refuses(domain)

    def test_postfix(self):
        self.check_other(Postfix, self.mx1)

    def test_exim(self):
        self.check_other(Exim, self.mx2)

    def test_opensmtpd(self):
        """It has DSN and 8BITMIME, but neither PIPELINING nor CHUNKING."""
        self.check_other(OpenSmtpd, self.mx5, utf8=False)

    def test_sendmail(self):
        """It refuses a bare LF, and has PIPELINING."""
        self.check_other(Sendmail, self.mx6, utf8=False)

    def test_smtpin(self):
        pem, key = self.ca.sign("mx3.example")
        with Smtpin(self.mx3, "smtpin.example", "bob",
                    options=["-c", pem, "-k", key, "-s", "0"]) as receiver:
            self.check_all(receiver, "smtpin.example")
            self.takes_utf8(receiver, "smtpin.example")
            self.refuses("smtpin.example")


class Clients(Interoperation):
    """Each of them sends to a server that shows what arrives."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Scripted(self.mx4))

    def run_here(self, command, text=None, **options):
        """Run a client at the host."""
        with self.smtpout.host.inside():
            done = subprocess.run(
                command, input=text, capture_output=True, check=False,
                timeout=3 * fixture.WAIT, **options)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done

    def arrived(self, rcpt="bob@plain.example"):
        taken, = self.server.wait(1)
        self.assertEqual(taken.rcpts, [rcpt])
        self.assertEqual(taken.sender, "alice@home.example")
        for name in (b"Date", b"Message-ID", b"Received"):
            self.assertEqual(
                len(re.findall(rb"(?mi)^" + name + rb":", taken.header)), 1,
                taken.header)
        return taken

    def test_swaks(self):
        swaks = fixture.need("swaks")
        self.run_here([swaks, "--server", "127.0.0.1", "--from",
                       "alice@home.example", "--to", "bob@plain.example",
                       "--header", "Subject: by swaks", "--body", "Hello.\n"])
        self.assertIn(b"Subject: by swaks", self.arrived().header)

    def test_swaks_over_ipv6(self):
        swaks = fixture.need("swaks")
        if subprocess.run(["perl", "-MIO::Socket::INET6", "-e1"],
                          capture_output=True, check=False).returncode:
            self.skipTest("perl has no IO::Socket::INET6")
        self.run_here([swaks, "-6", "--server", "::1", "--from",
                       "alice@home.example", "--to", "bob@plain.example"])
        self.assertIn(b"[IPv6:::1]", self.arrived().header)

    def test_msmtp(self):
        msmtp = fixture.need("msmtp")
        self.run_here([msmtp, "-C", "/dev/null", "--host=127.0.0.1",
                       "--port=25", "--from=alice@home.example",
                       "bob@plain.example"], message("by msmtp\n"))
        self.assertEqual(self.arrived().body, b"by msmtp\n")

    def test_mutt(self):
        mutt = fixture.need("mutt")
        home = os.path.join(self.world.root, "mutt")
        os.makedirs(home, exist_ok=True)
        self.run_here(
            [mutt, "-n", "-F", "/dev/null", "-e",
             "set smtp_url=smtp://127.0.0.1:25/", "-e",
             "set from=alice@home.example", "-e", "set copy=no", "-e",
             "set ssl_starttls=no", "-e",
             "set ssl_force_tls=no", "-s", "by mutt", "--",
             "bob@plain.example"], b"Hello from mutt.\n",
            env={**os.environ, "HOME": home})
        taken = self.arrived()
        self.assertIn(b"Subject: by mutt", taken.header)
        self.assertIn(b"Hello from mutt.", taken.body)

    def test_curl(self):
        curl = fixture.need("curl")
        path = os.path.join(self.world.root, "curl.eml")
        with open(path, "wb") as file:
            file.write(message("by curl\n").replace(b"\n", b"\r\n"))
        self.run_here([curl, "-sS", "smtp://127.0.0.1/client.example",
                       "--mail-from", "alice@home.example", "--mail-rcpt",
                       "bob@plain.example", "-T", path])
        self.assertEqual(self.arrived().body, b"by curl\n")

    def test_python(self):
        mail = email.message.EmailMessage()
        mail["From"], mail["To"] = "alice@home.example", "bob@plain.example"
        mail["Subject"] = "by python"
        mail.set_content("Grüße\n")
        with self.smtpout.host.inside():
            client = smtplib.SMTP("localhost", 25, timeout=fixture.WAIT)
        with client:
            client.send_message(mail)
        self.assertIn(b"Subject: by python", self.arrived().header)

    def sendmail(self, *options):
        return [world.program("sendmail"), *options]

    def submit_by_sendmail(self, options, text, **env):
        """The front, pointed at the daemon as a user would."""
        settings = {"SMTPOUT_HOST": self.socket,
                    "SMTPOUT_QUEUE": self.smtpout.queue_dir, **env}
        self.run_here(self.sendmail(*options), text,
                      env={**os.environ, **settings})

    def test_sendmail(self):
        self.submit_by_sendmail(
            ["-i", "-f", "alice@home.example", "bob@plain.example"],
            message("one\n.\ntwo\n"))
        self.assertEqual(self.arrived().body, b"one\n.\ntwo\n")

    def test_sendmail_takes_recipients_from_the_header(self):
        self.submit_by_sendmail(
            ["-t", "-i", "-f", "alice@home.example"],
            b"From: Alice <alice@home.example>\nTo: "
            b"\"Bob, the one\" <bob@plain.example>\nBcc: "
            b"eve@plain.example\nSubject: -t\n\nHello.\n")
        fixture.until(lambda: len(self.server.rcpts()) == 2, "not two")
        self.assertEqual(self.server.rcpts(),
                         ["bob@plain.example", "eve@plain.example"])
        for taken in self.server.accepted:
            self.assertNotIn(b"Bcc", taken.header)

    def test_unix_socket(self):
        """The user who sent is in Received."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(fixture.WAIT)
            s.connect(self.socket)
            with s.makefile("rwb") as file:
                lines = [b"EHLO local.example", b"MAIL FROM:"
                         b"<alice@home.example>", b"RCPT TO:"
                         b"<bob@plain.example>", b"DATA"]
                file.readline()
                for line in lines:
                    file.write(line + b"\r\n")
                    file.flush()
                    while True:
                        reply = file.readline()
                        if reply[3:4] != b"-":
                            break
                file.write(b"Subject: x\r\n\r\nHello.\r\n.\r\n")
                file.flush()
                self.assertEqual(file.readline()[:3], b"250")
        header = self.arrived().header
        user = pwd.getpwuid(os.getuid()).pw_name.encode()
        received = re.sub(rb"\n[ \t]+", b" ", header)
        received = re.search(rb"(?m)^Received:.*", received)[0]
        self.assertTrue(b"uid %d" % os.getuid() in received or
                        b"uid=%d" % os.getuid() in received or
                        user in received, received)


class Header(Interoperation):
    """What smtpout does to the header, and nothing else."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Scripted(self.mx4))

    def through(self, content):
        """CONTENT as it arrives, without Received."""
        before = len(self.server.accepted)
        self.smtpout.submit(content, "bob@plain.example")
        taken = self.server.wait(before + 1)[-1].content
        self.assertTrue(taken.startswith(b"Received: from "), taken[:200])
        return without_trace(taken)

    def test_missing_fields(self):
        """RFC 6409, 8.2; RFC 6409, 8.3; RFC 5321, 3.6.3"""
        result = self.through(b"Subject: x\n\nHello.\n")
        self.assertRegex(result, rb"(?m)^Date: \w{3}, \d+ \w{3} \d{4} ")
        self.assertRegex(result, rb"(?m)^Message-ID: <[^@>]+@out\.example>$")
        rest = re.sub(rb"(?m)^(Date|Message-ID): .*\n", b"", result)
        self.assertEqual(rest, b"Subject: x\n\nHello.\n")

    def test_present_fields(self):
        """RFC 5321, 6.4"""
        content = "message-id: <a@b>\ndate : now\n" \
            "Subject: x\n\nDate: in the body\n".encode()
        self.assertEqual(self.through(content), content)

    def test_no_header(self):
        """A body alone keeps every line."""
        result = self.through(b"\nHello.\n")
        self.assertTrue(result.endswith(b"\n\nHello.\n"), result)

    def test_return_path(self):
        """RFC 5321, 4.4"""
        result = self.through(
            f"Return-Path: <x@y.example>\nSubject: x\n{DATED}\nReturn-Path: "
            "<in@body>\n".encode())
        self.assertEqual(
            result,
            f"Subject: x\n{DATED}\nReturn-Path: <in@body>\n".encode())

    def test_bcc(self):
        """RFC 5321, 7.2"""
        content = f"Bcc: eve@example.org,\n mallory@example.org\n" \
            f"Subject: x\n{DATED}\nHello.\n".encode()
        self.assertEqual(self.through(content), content)
        self.smtpout.restart("--remove-bcc")
        self.assertEqual(self.through(content),
                         f"Subject: x\n{DATED}\nHello.\n".encode())


if __name__ == "__main__":
    world.main()
