# SPDX-License-Identifier: MIT
"""smtpsend against real servers, and against one that cheats in TLS and AUTH.

The argument is the program; CERTS names the certificates of the tests.
E2E_STRICT=1 makes a missing server a failure instead of a skip.
"""

import base64
import glob
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import private_postfix
import smtpin_fixture as fixture
from scripted_server import Loopback, Scripted

PROGRAM = None
CERTS = None  # a directory

MESSAGES = {
    "plain": b"Subject: x\n\nHello.\n",
    "dots": b"Subject: x\n\n.\n..\n.x\n...\nx.\n\n.\n.\n",
    "eight bits": b"Subject: x\n\n" + bytes(range(0x80, 0x100)) + b"\n",
    "CRLF": b"Subject: x\r\n\r\nHello.\r\n",
    "no line end": b"Subject: x\n\nHello.",
    "looks like a command": b"Subject: x\n\nQUIT\nRSET\n\n.QUIT\n",
    "many lines": b"Subject: x\n\n"
                  + b"".join(b"line %d\n" % i for i in range(20000)),
    "several chunks": b"Subject: x\n\n"
                      + b"".join(b".%098d\n" % i for i in range(30000)),
}


def send(args, message=b"Subject: x\n\nHello.\n", **env):
    """Run smtpsend; its exit status and what it said."""
    run = subprocess.run(
        [PROGRAM, "-f", "sender@example.net", "--helo", "client.example.net",
         *args], input=message, capture_output=True, timeout=fixture.WAIT * 6,
        env={**os.environ, **env}, check=False)
    return run.returncode, run.stderr.decode("ascii")


def wait_for(port, process=None):
    def listens():
        if process is not None and process.poll() is not None:
            raise AssertionError("it ended")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    fixture.until(listens, f"nobody listens on port {port}")


def certificate(name, start="20200101000000Z", end="20400101000000Z",
                names="DNS:localhost"):
    """NAME.pem for NAMES, signed by ca.pem."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=CERTS, check=True,
                       capture_output=True)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            f"{name}.key")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={names}", "-out", f"{name}.csr")
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem",
            "-keyfile", "ca.key", "-in", f"{name}.csr", "-out", f"{name}.pem",
            "-startdate", start, "-enddate", end)


def cert(name):
    return os.path.join(CERTS, name)


class Keeper:
    """A server that stores what it takes for bob and eve@example.org in
    Maildirs under dir/mail, and nothing else."""

    dir = port = tls_port = log = None

    def delivered(self, user):
        """The next message in the Maildir of USER, which is taken away."""
        try:
            path = fixture.until(
                lambda: glob.glob(f"{self.dir}/mail/{user}/new/*"),
                "not delivered")[0]
        except AssertionError as error:
            with open(self.log) as log:
                raise AssertionError(
                    "not delivered\n" + log.read()[-3000:]) from error
        text = fixture.read(path)
        os.unlink(path)
        return text

    def test_messages_arrive_as_they_are(self):
        for name, message in MESSAGES.items():
            with self.subTest(name):
                said = self.check_message(self.port, message)
                self.assertEqual(said.count("> BDAT"),
                                 1 + len(message) // (1 << 20))
                self.assertEqual(said.count(" LAST"), 1)
                # T8: the size that was declared is that of what was sent.
                declared, = re.findall(r"> MAIL .* SIZE=(\d+)", said)
                self.assertEqual(int(declared), sum(
                    map(int, re.findall(r"> BDAT (\d+)", said))))
                self.assertNotIn("> DATA", said)

    def check_message(self, port, message):
        status, said = send(
            ["-v", "-s", f"localhost:{port}", "bob@example.org"],
            message)
        self.assertEqual(status, 0, said)
        want = message.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
        found = self.delivered("bob")
        body = found[found.index(b"Subject: x"):]
        body = body.split(b"\n\n", 1)[1].rstrip(b"\n") + b"\n"
        self.assertEqual(body, want.split(b"\n\n", 1)[1])
        return said

    def test_each_recipient_has_its_result(self):
        status, said = send(
            ["-v", "-s", f"127.0.0.1:{self.port}", "bob@example.org",
             "nobody@example.org", "eve@example.org"])
        self.assertEqual(status, 69, said)
        self.assertIn("bob@example.org: sent: 250 ", said)
        self.assertIn("nobody@example.org: refused: 550 5.", said)
        self.assertIn("eve@example.org: sent: 250 ", said)
        self.delivered("bob")
        self.delivered("eve")

    def test_only_bad_recipients(self):
        status, said = send(
            ["-v", "-s", f"127.0.0.1:{self.port}", "nobody@example.org"])
        self.assertEqual(status, 69, said)
        self.assertIn("> RSET", said)

    def test_tls(self):
        for port, scheme in ((self.port, ""), (self.tls_port, "tls://")):
            with self.subTest(scheme):
                status, said = send(
                    ["-v", "--tls", "require", "--tls-ca", cert("ca.pem"),
                     "-s", f"{scheme}localhost:{port}", "bob@example.org"])
                self.assertEqual(status, 0, said)
                self.assertRegex(said, "# TLSv1.[23] TLS_[A-Z0-9_]*, verified")
                self.delivered("bob")

    def test_tls_refused(self):
        for host, ca in (("127.0.0.1", "ca.pem"), ("localhost", "other.pem")):
            with self.subTest(host):
                status, said = send(
                    ["-v", "--tls", "require", "--tls-ca", cert(ca),
                     "-s", f"{host}:{self.port}", "bob@example.org"])
                self.assertEqual(status, 75, said)
                self.assertIn("4.7.5", said)

    def test_too_large(self):
        status, said = send(
            ["-v", "-s", f"127.0.0.1:{self.port}", "bob@example.org"],
            b"Subject: x\n\n" + b"x" * 6000000)
        self.assertEqual(status, 69, said)
        self.assertIn("refused: 5.3.4", said)


class Postfix(Keeper, unittest.TestCase):
    """A private Postfix, which stores what it takes in Maildirs."""

    MAIN = """\
myhostname = localhost
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{{ bob@example.org=bob/, eve@example.org=eve/ }}
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = yes
smtpd_tls_cert_file = {certs}/localhost.pem
smtpd_tls_key_file = {certs}/localhost.key
smtpd_tls_security_level = may
message_size_limit = 5000000
"""

    @classmethod
    def setUpClass(cls):
        postfix = private_postfix.Postfix(
            cls.MAIN.format(certs=CERTS),
            ("", " -o smtpd_tls_wrappermode=yes",
             " -o smtpd_discard_ehlo_keywords=chunking"))
        cls.addClassCleanup(postfix.close)
        cls.dir, cls.log = postfix.dir, postfix.log
        cls.port, cls.tls_port, cls.data_port = postfix.ports
        for port in postfix.ports:
            wait_for(port)

    def test_messages_arrive_without_chunking(self):
        for name, message in MESSAGES.items():
            with self.subTest(name):
                said = self.check_message(self.data_port, message)
                self.assertIn("> DATA", said)


class Exim(Keeper, unittest.TestCase):
    """A private Exim.  Its package excludes that of Postfix: it is unpacked
    beside, and gets its user in a mount namespace of its own."""

    CONFIG = """\
primary_hostname = localhost
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/spool/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
acl_smtp_rcpt = rcpt
host_lookup =
message_size_limit = 5000000
deliver_drop_privilege
tls_certificate = {dir}/localhost.pem
tls_privatekey = {dir}/localhost.key
begin acl
rcpt:
  accept domains = example.org
         local_parts = bob : eve
  deny   message = 5.1.1 nobody of that name
begin routers
all:
  driver = accept
  local_parts = bob : eve
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {dir}/mail/$local_part_data
  maildir_format
"""
    UID = 64999
    NAMES = (("passwd", f"Debian-exim:x:{UID}:{UID}::/:/bin/false"),
             ("group", f"Debian-exim:x:{UID}:"))

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("Exim needs root to start")
        cls.dir = tempfile.mkdtemp(prefix="exim.")
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.log = os.path.join(cls.dir, "log", "mainlog")
        cls.port, cls.tls_port = fixture.free_port(), fixture.free_port()
        cls.unpack()
        os.chmod(cls.dir, 0o755)
        for name in ("spool", "log", "mail"):
            os.mkdir(os.path.join(cls.dir, name))
        for name in ("localhost.pem", "localhost.key"):
            shutil.copy(cert(name), cls.dir)
        with open(os.path.join(cls.dir, "conf"), "w") as file:
            file.write(cls.CONFIG.format(
                dir=cls.dir, port=cls.port, tls_port=cls.tls_port))
        for name in ("spool", "log", "mail", "localhost.key"):
            os.chown(os.path.join(cls.dir, name), cls.UID, cls.UID)
        for name, line in cls.NAMES:
            shutil.copy(f"/etc/{name}", cls.dir)
            with open(os.path.join(cls.dir, name), "a") as file:
                file.write(line + "\n")
        cls.start()

    @classmethod
    def unpack(cls):
        for command in (["unshare", "--mount", "true"],
                        ["apt-get", "download", "exim4-daemon-light"],
                        ["sh", "-c", "dpkg -x exim4-daemon-light*.deb ."]):
            try:
                subprocess.run(command, cwd=cls.dir, check=True,
                               capture_output=True, timeout=60)
            except (OSError, subprocess.SubprocessError) as error:
                raise unittest.SkipTest(f"no Exim to be had: {error}")

    @classmethod
    def start(cls):
        exim = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c",
             "mount --bind passwd /etc/passwd && "
             "mount --bind group /etc/group && "
             "exec ./usr/sbin/exim4 -C $PWD/conf -bdf"],
            cwd=cls.dir, stderr=subprocess.PIPE)
        cls.addClassCleanup(exim.stderr.close)
        cls.addClassCleanup(exim.wait)
        cls.addClassCleanup(exim.terminate)
        try:
            wait_for(cls.port, exim)
        except AssertionError:
            exim.terminate()
            raise unittest.SkipTest(
                "Exim does not start: " + exim.stderr.read().decode())


class Sink(unittest.TestCase):
    """Postfix's smtp-sink, which can be told to behave badly."""

    def sink(self, *options):
        program = fixture.need("smtp-sink")
        port = fixture.free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        sink = subprocess.Popen(
            [program, *user, *options, f"127.0.0.1:{port}", "10"],
            stderr=subprocess.DEVNULL)
        self.addCleanup(sink.wait)
        self.addCleanup(sink.kill)
        wait_for(port)
        return f"127.0.0.1:{port}"

    def check(self, options, status, words):
        result, said = send(["-v", "-s", self.sink(*options),
                             "a@example.org", "b@example.org"])
        self.assertEqual(result, status, said)
        self.assertIn(words, said)

    def test_faults(self):
        for options, status, words in (
                ((), 0, "sent: 250"),
                (("-p",), 0, "sent: 250"),
                (("-e",), 0, "> HELO"),
                (("-8", "-p"), 0, "sent: 250"),
                (("-f", "mail"), 69, "refused: 500"),
                (("-r", "mail"), 75, "not now: 450"),
                (("-f", "rcpt"), 69, "refused: 500"),
                (("-r", "rcpt"), 75, "not now: 450"),
                (("-f", "data"), 69, "refused: 500"),
                (("-f", "."), 69, "refused: 500"),
                (("-r", "."), 75, "not now: 450"),
                (("-q", "mail"), 75, "closed the connection"),
                (("-q", "rcpt"), 75, "closed the connection"),
                (("-q", "data"), 75, "closed the connection"),
                (("-q", "."), 75, "perhaps sent: 4.4.2"),
                (("-Q", "mail"), 75, "not now: 421"),
                (("-Q", "rcpt"), 75, "not now: 421"),
                (("-Q", "."), 75, "not now: 421")):
            with self.subTest(options):
                self.check(options, status, words)


class Cheats(unittest.TestCase):
    def send(self, name, auth="", user="user@", password="pencil", options=(),
             **cheats):
        pair = cert(f"{name}.pem"), cert(f"{name}.key")
        logins = {"user": "pencil"} if auth else None
        with Scripted(Loopback(), port=0, tls=pair, logins=logins,
                      mechanisms=auth, cheats=cheats) as server:
            status, said = send(
                ["-v", "--tls-ca", cert("ca.pem"), *options,
                 "-s", f"{user}localhost:{server.port}", "b@example.org"],
                SMTPSEND_PASSWORD=password)
            server.finish()
        self.assertNotIn(base64.b64encode(b"pencil").decode(), said)
        self.assertNotIn("\0user\0pencil", said)
        return status, said, server.commands("")

    def test_mechanisms(self):
        """RFC 4954, 4"""
        for offered, chosen in (("PLAIN", "PLAIN"), ("LOGIN", "LOGIN"),
                                ("LOGIN PLAIN", "PLAIN"),
                                ("LOGIN PLAIN SCRAM-SHA-256", "SCRAM-SHA-256"),
                                ("scram-sha-256 X", "SCRAM-SHA-256")):
            with self.subTest(offered):
                status, said, heard = self.send("localhost", offered)
                self.assertEqual(status, 0, said)
                self.assertIn(f"> AUTH {chosen}\n", said)
                self.assertIn("< 235 2.7.0 ok", said)

    def test_offers_of_old(self):
        """S25: AUTH=, and several lines"""
        for offered, chosen in (("=LOGIN PLAIN", "PLAIN"), ("=LOGIN", "LOGIN"),
                                ("GSSAPI NTLM/LOGIN", "LOGIN"),
                                ("GSSAPI/=PLAIN X", "PLAIN")):
            with self.subTest(offered):
                status, said, _ = self.send("localhost", offered)
                self.assertEqual(status, 0, said)
                self.assertIn(f"> AUTH {chosen}\n", said)

    def test_no_initial_response(self):
        """S25: 334 to an initial response asks for it"""
        for offered in ("PLAIN", "SCRAM-SHA-256"):
            with self.subTest(offered):
                status, said, _ = self.send("localhost", offered,
                                            no_initial=True)
                self.assertEqual(status, 0, said)

    def test_next_mechanism(self):
        """S25: one that is refused is not the end"""
        for reply in ("504 5.5.4 no", "534 5.7.9 no", "535 5.7.8 no"):
            with self.subTest(reply):
                status, said, _ = self.send(
                    "localhost", "LOGIN PLAIN SCRAM-SHA-256",
                    refused={"SCRAM-SHA-256": reply, "PLAIN": reply})
                self.assertEqual(status, 0, said)
                self.assertIn("> AUTH LOGIN\n", said)
        status, said, heard = self.send(
            "localhost", "LOGIN PLAIN", refused={"PLAIN": "454 4.7.0 later"})
        self.assertEqual(status, 75, said)
        self.assertNotIn("> AUTH LOGIN", said)

    def test_wrong_password(self):
        for offered in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
            with self.subTest(offered):
                status, said, heard = self.send("localhost", offered,
                                                password="pen")
                self.assertEqual(status, 75, said)
                self.assertIn("not now: 535 5.7.8", said)
                self.assertFalse([x for x in heard if x.startswith("MAIL")])

    def token(self, options, source=(), mechanisms="PLAIN XOAUTH2 OAUTHBEARER"):
        """Send with OPTIONS to one that takes the token "good"; what it took,
        and the outcome."""
        pair = cert("localhost.pem"), cert("localhost.key")
        with Scripted(Loopback(), port=0, tls=pair, mechanisms=mechanisms,
                      tokens=lambda token: token == "good") as server:
            status, said = send(
                ["-v", "--tls-ca", cert("ca.pem"), *options, *source,
                 "-s", f"user@localhost:{server.port}", "b@example.org"])
            server.finish()
        return server, status, said

    def test_tokens(self):
        """RFC 7628, 3.1: from a file, or a command; the best that is offered,
        or the one that is wanted."""
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write("good\n3600\n")
            file.flush()
            for options, used in (
                    (["--token-file", file.name], "OAUTHBEARER"),
                    (["--token-command", "/bin/cat " + file.name],
                     "OAUTHBEARER"),
                    (["--token-file", file.name, "--auth-mechanisms",
                      "xoauth2"], "XOAUTH2")):
                with self.subTest(options):
                    server, status, said = self.token(options)
                    self.assertEqual(status, 0, said)
                    self.assertEqual(server.accepted[0].login, "user")
                    self.assertIn(f"> AUTH {used}\n", said)
                    self.assertNotIn("Bearer", said)
        server, status, said = self.token(["--token-command", "/bin/echo bad"])
        self.assertEqual(status, 75, said)
        self.assertEqual(server.accepted, [])
        status, said = send(["--token-file", "/nowhere", "-s",
                             "user@localhost", "b@example.org"])
        self.assertEqual(status, 66, said)
        self.assertIn("/nowhere", said)

    def test_a_password_by_one_mechanism(self):
        status, said, _ = self.send("localhost", "LOGIN PLAIN SCRAM-SHA-256",
                                    options=["--auth-mechanisms", "LOGIN"])
        self.assertEqual(status, 0, said)
        self.assertIn("> AUTH LOGIN\n", said)

    def test_source(self):
        """With the name that belongs to it."""
        with Scripted(Loopback(), port=0) as server:
            status, said = send(
                ["--source", "127.0.0.7=seven.example", "-s",
                 f"127.0.0.1:{server.port}", "b@example.org"])
            server.finish()
        self.assertEqual(status, 0, said)
        self.assertEqual(server.accepted[0].peer, "127.0.0.7")
        self.assertEqual(server.accepted[0].hello, "seven.example")

    def test_own_certificate(self):
        """One that asks for a certificate is shown ours."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert("localhost.pem"), cert("localhost.key"))
        context.load_verify_locations(cert("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        own = ["--client-cert", cert("other-name.pem"),
               "--client-key", cert("other-name.key")]
        for options, expected in ((own, 0), ([], 75)):
            with self.subTest(options), Scripted(
                    Loopback(), port=0, tls=context) as server:
                status, said = send(
                    ["--tls-ca", cert("ca.pem"), *options, "-s",
                     f"localhost:{server.port}", "b@example.org"])
                self.assertEqual(status, expected, said)

    def test_no_mechanism(self):
        status, said, _ = self.send("localhost", "CRAM-MD5 EXTERNAL")
        self.assertEqual(status, 75, said)
        self.assertIn("4.7.0", said)

    def test_no_password_for_strangers(self):
        for name in ("expired", "other-name", "self"):
            with self.subTest(name):
                status, said, heard = self.send(name, "PLAIN")
                self.assertEqual(status, 75, said)
                self.assertIn("4.7.0", said)
                self.assertFalse([x for x in heard if x.startswith("AUTH")])

    def test_servers_that_do_not_know_the_password(self):
        """RFC 5802, 3"""
        for cheats in ({"signature": True}, {"no_signature": True},
                       {"at_once": True}, {"nonce": True}, {"rounds": 1},
                       {"rounds": 2000000}):
            with self.subTest(cheats):
                status, said, heard = self.send(
                    "localhost", "SCRAM-SHA-256 PLAIN", **cheats)
                self.assertEqual(status, 75, said)
                self.assertIn("SCRAM-SHA-256 is wrong", said)
                self.assertFalse([x for x in heard if x.startswith("MAIL")])

    def test_certificates(self):
        for name, reason in (("expired", "expired"),
                             ("other-name", "Common Name"),
                             ("self", "not correctly signed")):
            with self.subTest(name):
                status, said, _ = self.send(name, user="")
                self.assertEqual(status, 0, said)
                self.assertIn("not verified", said)
                self.assertIn(reason, said)
                status, said, heard = self.send(
                    name, user="", options=("--tls", "require"))
                self.assertEqual(status, 75, said)
                self.assertIn("4.7.5", said)
                self.assertFalse([x for x in heard if x.startswith("MAIL")])


class Aiosmtpd(unittest.TestCase):
    """Python's server, found by the MX of a DNS server of our own."""

    def setUp(self):
        try:
            from aiosmtpd.controller import Controller
        except ImportError:
            fixture.cannot("python3-aiosmtpd is not installed")
        received = self.received = []

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address,
                                  options):
                if address.startswith("later"):
                    return "450 4.2.1 later"
                envelope.rcpt_tos.append(address)
                return "250 ok"

            async def handle_DATA(self, server, session, envelope):
                received.append((envelope.rcpt_tos, envelope.content))
                return "250 2.0.0 kept"

        self.controller = Controller(Handler(), hostname="127.0.0.1",
                                     port=fixture.free_port(),
                                     ready_timeout=fixture.WAIT)
        self.controller.start()
        self.addCleanup(self.controller.stop)
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.bind(("127.0.0.1", 0))
        self.dns_port = self.dns.getsockname()[1]
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()
        self.addCleanup(self.end_dns)

    def end_dns(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.dns_port))
        self.thread.join()
        self.dns.close()

    @staticmethod
    def name(text):
        return b"".join(bytes([len(x)]) + x.encode()
                        for x in text.split(".")) + b"\0"

    def answer(self):
        """A zone of two MX and their addresses; of the first nobody is
        there."""
        mx, a = 15, 1
        zone = {
            (self.name("example.org"), mx): [
                struct.pack("!H", 10) + self.name("gone.example.org"),
                struct.pack("!H", 20) + self.name("mx.example.org")],
            (self.name("example.com"), mx): [
                struct.pack("!H", 10) + self.name("mx.example.org")],
            (self.name("null.example"), mx): [b"\0\0\0"],
            (self.name("gone.example.org"), a): [bytes([127, 0, 0, 9])],
            (self.name("mx.example.org"), a): [bytes([127, 0, 0, 1])],
        }
        names = {name for name, _ in zone}
        while True:
            query, peer = self.dns.recvfrom(4096)
            if not query:
                return
            end = query.index(b"\0", 12) + 5
            name, kind = query[12:end - 4].lower(), query[end - 3]
            found = zone.get((name, kind), [])
            reply = query[:2] + struct.pack(
                "!HHHHH", 0x8180 | (0 if name in names else 3), 1, len(found),
                0, 0) + query[12:end]
            for data in found:
                reply += b"\xc0\x0c" + struct.pack(
                    "!HHIH", kind, 1, 60, len(data)) + data
            self.dns.sendto(reply, peer)

    def send(self, *rcpts):
        return send(["-v", "--dns", f"127.0.0.1:{self.dns_port}", "-p",
                     str(self.controller.port), *rcpts])

    def test_mx_in_their_order(self):
        status, said = self.send("a@example.org", "b@Example.ORG",
                                 "c@example.com")
        self.assertEqual(status, 0, said)
        self.assertEqual([r[0] for r in self.received],
                         [["a@example.org", "b@Example.ORG"],
                          ["c@example.com"]])
        self.assertEqual(self.received[0][1],
                         b"Subject: x\r\n\r\nHello.\r\n")

    def test_no_such_domain(self):
        status, said = self.send("a@nowhere.example", "b@null.example",
                                 "c@example.com")
        self.assertEqual(status, 69, said)
        self.assertIn("a@nowhere.example: refused: 5.1.2", said)
        self.assertIn("b@null.example: refused: 5.1.10", said)
        self.assertIn("c@example.com: sent", said)

    def test_later(self):
        status, said = self.send("later@example.org", "a@example.org")
        self.assertEqual(status, 75, said)
        self.assertIn("later@example.org: not now: 450 4.2.1", said)
        self.assertIn("a@example.org: sent", said)


class Usage(unittest.TestCase):
    def test_help_fits_a_screen(self):
        run = subprocess.run([PROGRAM, "--help"], capture_output=True,
                             check=True)
        lines = run.stdout.decode().splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_mistakes(self):
        for args in (["-p", "0"], ["-p", "x"], ["--tls", "perhaps"], ["-x"],
                     ["-s", "[::1", "a@b"], ["-s", "h:99999", "a@b"],
                     ["-s", "u@h", "a@b"], [],
                     ["--source", "x", "a@b"],
                     ["--client-cert", "x", "a@b"],
                     ["--token-file", "x", "a@b"],
                     ["-s", "u@h", "--token-file", "x", "--password-file", "x",
                      "a@b"],
                     ["-s", "u@h", "--token-file", "x", "--auth-mechanisms",
                      "PLAIN", "a@b"]):
            with self.subTest(args):
                env = dict(os.environ)
                env.pop("SMTPSEND_PASSWORD", None)
                run = subprocess.run(
                    [PROGRAM, "-f", "a@b.example", *args], input=b"",
                    capture_output=True, env=env, check=False)
                self.assertEqual(run.returncode, 64, run.stderr)
        self.assertEqual(send(["--tls-ca", "/nonexistent", "a@b"])[0], 66)

    def test_nobody_there(self):
        status, said = send(["-s", f"127.0.0.1:{fixture.free_port()}",
                             "a@b.example"])
        self.assertEqual(status, 75)
        self.assertIn("4.4.1", said)


def setUpModule():
    global CERTS
    CERTS = tempfile.mkdtemp(prefix="certs.")
    os.chmod(CERTS, 0o755)
    unittest.addModuleCleanup(shutil.rmtree, CERTS)
    shutil.copytree(os.environ["CERTS"], CERTS, dirs_exist_ok=True)
    certificate("localhost")
    certificate("expired", "20200101000000Z", "20200201000000Z")
    certificate("other-name", names="DNS:b.example")
    subprocess.run(
        ["openssl", "req", "-x509", "-new", "-key", "b.key", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days",
         "30", "-out", "self.pem"], cwd=CERTS, check=True,
        capture_output=True)
    shutil.copy(cert("b.key"), cert("self.key"))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
