# SPDX-License-Identifier: MIT
"""submission, with a smtpout behind it, as mail programs and misuse see it."""

import base64
import json
import os
import pty
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import smtpin_fixture as fixture
import world
from smtp_client import Dialogue

DIR = None
BODY = "Hello.\n"


def at(name):
    return os.path.join(DIR, name)


def make_key(password):
    done = subprocess.run([world.program("submission"), "key"], text=True,
                          input=password + "\n", capture_output=True,
                          check=True)
    return done.stdout.strip()


def setUpModule():
    global DIR, ACCOUNTS
    DIR = tempfile.mkdtemp(prefix="submission-test.")
    unittest.addModuleCleanup(shutil.rmtree, DIR, True)
    shutil.copytree(os.environ["CERTS"], DIR, dirs_exist_ok=True)
    os.chmod(DIR, 0o755)
    probe = subprocess.run(
        [world.program("submission"), "key"], input="x\n", text=True,
        capture_output=True, check=False)
    if probe.returncode != 0:
        raise unittest.SkipTest(probe.stderr)
    ACCOUNTS = (f"ann {make_key('pencil')} ann@example.org, "
                "ann.lee@example.org @lists.example.org # Ann Lee\n"
                f"bob@example.org {make_key('se same')}\n")


def context():
    """TLS of a client that trusts the authority of the tests."""
    result = ssl.create_default_context(cafile=at("ca.pem"))
    result.check_hostname = False
    return result


def plain(user, password):
    text = f"\0{user}\0{password}".encode()
    return "AUTH PLAIN " + base64.b64encode(text).decode()


class Queue(fixture.Smtpin):
    """A smtpout that reaches nobody: what it takes stays in its queue."""

    def __init__(self, *arguments):
        super().__init__(arguments=["-a", "127.0.0.1:0", *arguments])
        self.queue = os.path.join(self.root, "queue")

    def command(self):
        return [world.program("smtpout"), "-q", self.queue, "-H",
                "out.example", "--dns", "127.0.0.1:9", *self.arguments]

    def ask(self, *words):
        return subprocess.run(
            [world.program("smtpout"), "queue", "-q", self.queue, *words],
            capture_output=True, text=True, check=True).stdout

    def messages(self):
        return [json.loads(line)
                for line in self.ask("list", "--json").splitlines()]

    def only(self, sender="ann@example.org"):
        """The one message of SENDER, and what show says of it."""
        ids = [m["id"] for m in self.messages() if m["sender"] == sender]
        if len(ids) != 1:
            raise AssertionError(f"{len(ids)} messages from {sender}")
        return (self.ask("cat", ids[0]),
                json.loads(self.ask("show", ids[0], "--json")))


class Daemon(fixture.Smtpin):
    """submission, with STARTTLS on one port and TLS at once on another."""

    def __init__(self, out, *arguments, accounts=None):
        super().__init__()
        self.accounts = os.path.join(self.root, "accounts")
        self.write(accounts or ACCOUNTS)
        self.tls_port = fixture.free_port()
        self.arguments = [
            "-a", "127.0.0.1:0", "-a", f"127.0.0.1:{self.tls_port}", "-s",
            str(self.tls_port), "--smtpout", f"127.0.0.1:{out}", *arguments]

    def write(self, text):
        with open(self.accounts + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.accounts + ".new", 0o640)
        os.rename(self.accounts + ".new", self.accounts)

    def command(self):
        return [world.program("submission"), "-A", self.accounts, "-H",
                "mail.example.org", "-c", at("a.pem"), "-k", at("a.key"),
                "-n", "trace", *self.arguments]

    def start(self, listeners=None):
        super().start(1)
        fixture.until(lambda: f":{self.tls_port} with TLS" in self.text(),
                      "no TLS port")
        return self

    def said(self, pattern):
        """Wait for a line of the log."""
        return fixture.until(
            lambda: re.search(pattern, self.text(), re.MULTILINE), pattern)

    def hang_up(self):
        said = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        fixture.until(lambda: any(
            "certificate" in line or "stays in use" in line
            for line in self.lines[said:]), "reload")

    def client(self, login=None):
        """A connection in TLS, logged in as LOGIN, a pair."""
        client = Dialogue(self.port)
        try:
            client.say("STARTTLS")
            client.wrap(context())
            client.ehlo = client.say("EHLO client.example.net")
            if login:
                reply = client.say(plain(*login))
                if reply.code != 235:
                    raise AssertionError(reply)
        except BaseException:
            client.close()
            raise
        return client


ANN = ("ann", "pencil")


class Pair(unittest.TestCase):
    ARGUMENTS = ()
    QUEUE = ()

    def setUp(self):
        self.out = self.enterContext(Queue(*self.QUEUE))
        self.daemon = self.enterContext(Daemon(self.out.port, *self.ARGUMENTS))


class Clients(Pair):
    """Those that others wrote, each with its own mechanisms."""

    def run_client(self, *command, text="Subject: test\n\n" + BODY, good=True):
        done = subprocess.run(
            [fixture.need(command[0]), *command[1:]], input=text, text=True,
            capture_output=True, timeout=fixture.WAIT, check=False)
        said = done.stdout + done.stderr
        # The GNU SASL of Debian 13 makes no first message of SCRAM.
        if "GNU SASL: Error" in said and "--> AUTH" not in said:
            self.skipTest("it gives up before it says AUTH")
        self.assertEqual(done.returncode == 0, good, said)

    def queued(self, mechanism):
        """By ann, who is named in the log, and her password nowhere."""
        content, _ = self.out.only()
        self.assertIn(" with ESMTPSA", content)
        self.assertIn(BODY, content)
        self.daemon.said(f"authenticated .* mechanism={mechanism} user=ann$")
        self.daemon.said("queued id=.* user=ann .* status=250 ")
        for secret in ("pencil", "cGVuY2ls", "AUTH PLAIN "):
            self.assertNotIn(secret, self.daemon.text())

    def test_swaks(self):
        self.run_client(
            "swaks", "--server", "127.0.0.1", "--port", str(self.daemon.port),
            "--tls", "--from", "ann@example.org", "--to", "x@example.net",
            "--auth", "LOGIN", "--auth-user", "ann", "--auth-password",
            "pencil", "--body", BODY)
        self.queued("LOGIN")

    def test_curl(self):
        self.run_client(
            "curl", "-sS", "--url", f"smtps://a.example:{self.daemon.tls_port}",
            "--resolve", f"a.example:{self.daemon.tls_port}:127.0.0.1",
            "--cacert", at("ca.pem"), "--mail-from", "ann@example.org",
            "--mail-rcpt", "x@example.net", "--upload-file", "-",
            "--login-options", "AUTH=PLAIN", "--user", "ann:pencil")
        self.queued("PLAIN")

    def test_msmtp(self):
        self.run_client(
            "msmtp", "--debug", "--file=/dev/null", "--host=127.0.0.1",
            f"--port={self.daemon.port}", "--from=ann.lee@example.org",
            "--tls=on", "--tls-trust-file=" + at("ca.pem"),
            "--tls-host-override=a.example", "--auth=scram-sha-256",
            "--user=ann", "--passwordeval=echo pencil", "x@example.net")
        self.assertIn(BODY, self.out.only("ann.lee@example.org")[0])
        self.daemon.said("authenticated .* mechanism=SCRAM-SHA-256 user=ann$")

    def test_mutt(self):
        rc = os.path.join(self.daemon.root, "muttrc")
        with open(rc, "w", encoding="ascii") as file:
            file.write(
                f"set smtp_url='smtps://ann@127.0.0.1:{self.daemon.tls_port}'\n"
                "set smtp_pass=pencil from=ann@example.org copy=no\n"
                "set ssl_verify_host=no ssl_use_system_certs=no\n"
                "set use_envelope_from=yes smtp_authenticators=plain\n"
                f"set ssl_ca_certificates_file={at('ca.pem')}\n"
                f"set certificate_file={at('ca.pem')}\n")
        self.run_client("mutt", "-n", "-F", rc, "-s", "test", "x@example.net",
                        text=BODY)
        self.queued("PLAIN")

    def test_python(self):
        """It tries the mechanisms that it has, one after the other."""
        with smtplib.SMTP("127.0.0.1", self.daemon.port) as client:
            client.starttls(context=context())
            client.login("ann", "pencil")
            client.sendmail("ann@example.org", "x@example.net",
                            "Subject: test\n\n" + BODY)
        self.queued("(PLAIN|LOGIN)")
        with smtplib.SMTP("127.0.0.1", self.daemon.port) as client:
            client.starttls(context=context())
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("ann", "wrong")


class Rules(Pair):
    def mail(self, client, sender):
        """The codes of the reply to MAIL, which is taken back."""
        reply = client.say(f"MAIL FROM:<{sender}>")
        client.say("RSET")
        return reply.codes

    def test_sender(self):
        """RFC 6409, 6.1: A user sends as itself: by addresses, their tags,
        and domains, in any case; and by the null sender, as RFC 8098, 3 has
        it."""
        with self.daemon.client(ANN) as client:
            for sender in ("ann@example.org", "Ann.Lee@Example.ORG",
                           "ann+news@example.org", "any@lists.example.org",
                           "a+b@lists.example.org", ""):
                self.assertEqual(self.mail(client, sender), "250 2.1.0",
                                 sender)
        with self.daemon.client(ANN) as client:
            for sender in ("bob@example.org", "ann@example.com",
                           "x@sub.lists.example.org", "ann@lists.example.or"):
                self.assertEqual(self.mail(client, sender), "550 5.7.1",
                                 sender)
            client.begin("x@example.net", sender="ann@example.org")
        with self.daemon.client(("bob@example.org", "se same")) as client:
            self.assertEqual(self.mail(client, "bob@example.org"), "250 2.1.0")
            self.assertIn("is not an address of user bob@example.org",
                          client.say("MAIL FROM:<ann@example.org>"))

    def test_recipient(self):
        """RFC 6409, 4.2: domains are complete; RFC 5321, 4.5.1"""
        with self.daemon.client(ANN) as client:
            client.say("MAIL FROM:<ann@example.org>")
            for rcpt, codes in (
                    ("x@localhost", "554 5.1.2"), ("x", "501 5.1.3"),
                    ("x@[192.0.2.1]", "250 2.1.5"),
                    ("x@example.net", "250 2.1.5"),
                    ("postmaster", "250 2.1.5")):
                self.assertEqual(client.say(f"RCPT TO:<{rcpt}>").codes, codes)
            client.say("DATA")
            self.assertEqual(client.finish(b"Subject: x\n\n").code, 250)
        rcpts = [r["address"] for r in self.out.only()[1]["recipients"]]
        self.assertEqual(sorted(rcpts), [
            "postmaster@mail.example.org", "x@[192.0.2.1]", "x@example.net"])

    def send(self, client, *header):
        client.begin("x@example.net", sender="ann@example.org")
        return client.say("\r\n".join([*header, "", BODY.strip(), "."])).codes

    def test_from(self):
        """The user's, each of them, however it is written."""
        with self.daemon.client(ANN) as client:
            for header in (
                    ["From: ann@example.org"],
                    ['FROM:"Lee, Ann" (bob@x.example)',
                     " <Ann.Lee@Example.ORG>, ann+tag@example.org"],
                    ["From: a@lists.example.org", "Sender: ann@example.org"],
                    ["Subject: bob@example.org"], []):
                self.assertEqual(self.send(client, *header), "250 2.0.0",
                                 header)
            for header in (
                    ["From: bob@example.org"],
                    ["From: ann@example.org <bob@example.org>"],
                    ["From: ann@example.org, bob@example.org"],
                    ["From: ann@example.org", "From: bob@example.org"],
                    ["From: ann@example.org", "Sender: bob@example.org"],
                    ["From :", " bob@example.org"], ["From: bob"],
                    ["From: x:bob@example.org;"]):
                self.assertIn(self.send(client, *header),
                              ("550 5.7.1", "554 5.6.0"), header)
            self.assertEqual(self.send(client, "From: <"), "554 5.6.0")
            for filler in (["X-Filler: " + "x" * 900] * 80,
                           ["X: " + "x" * 30000] * 3):
                self.assertEqual(self.send(
                    client, *filler, "From: bob@example.org"), "554 5.6.0")
        self.assertEqual(len(self.out.messages()), 5)

    def test_login_comes_first(self):
        """RFC 6409, 4.3; RFC 4954, 4: no mail without AUTH, no AUTH without
        TLS, and nothing of before counts after STARTTLS."""
        with Dialogue(self.daemon.port) as client:
            self.assertEqual(client.say(plain(*ANN)).codes, "538 5.7.11")
            self.assertEqual(client.say("MAIL FROM:<ann@example.org>").codes,
                             "530 5.7.0")
            client.send(b"STARTTLS\r\n" + plain(*ANN).encode() + b"\r\n")
            self.assertEqual(client.reply().code // 100, 5)
        with self.daemon.client() as client:
            self.assertIn("AUTH SCRAM-SHA-256 PLAIN LOGIN", client.ehlo)
            self.assertEqual(client.say("MAIL FROM:<>").codes, "530 5.7.0")
            self.assertEqual(client.say("VRFY ann").codes, "530 5.7.0")
            client.send(plain(*ANN).encode() + b"\r\nMAIL FROM:<>\r\n")
            self.assertEqual(client.reply().codes, "554 5.5.0")
        self.assertNotIn("authenticated", self.daemon.text())

    def test_header(self):
        """RFC 6409, 8.2; RFC 6409, 8.3: Date and Message-ID are added, and
        the parameters of RFC 3461 go on."""
        with self.daemon.client(ANN) as client:
            client.say("MAIL FROM:<ann@example.org> RET=HDRS ENVID=e1")
            client.say("RCPT TO:<x@example.net> NOTIFY=NEVER "
                       "ORCPT=rfc822;y@example.net")
            client.say("DATA")
            reply = client.finish(b"Subject: x\n\n.dot\n")
        content, show = self.out.only()
        self.assertIn(f"id={show['id']}", reply)
        self.daemon.said(f"queued id={show['id']} ")
        self.assertRegex(content, r"(?m)^Date: ")
        self.assertRegex(content, r"(?m)^Message-ID: <")
        self.assertTrue(content.endswith("\n\n.dot\n"), content)
        self.assertEqual(content.count("Received: "), 2)
        text = json.dumps(show)
        for part in ("HDRS", "e1", "NEVER", "rfc822;y@example.net"):
            self.assertIn(part, text)

    def test_accounts_change(self):
        """They are read again; a mistake in them leaves the old ones."""
        carl = f"carl {make_key('new')} carl@example.org\n"
        self.daemon.write(ACCOUNTS + carl)
        self.daemon.hang_up()
        self.daemon.client(("carl", "new")).close()
        for text, why in (("dora\n", ":1: there is no key for the user"),
                          ("", ": there is no account"),
                          (carl + carl, ": user \"carl\" has two lines")):
            self.daemon.write(text)
            self.daemon.hang_up()
            self.daemon.said("the old configuration stays in use: .*" + why)
        self.daemon.client(("carl", "new")).close()


class Free(Pair):
    """Whoever it is from; and few recipients."""

    ARGUMENTS = ("--any-from", "--user-hour", "3", "--user-day", "4")

    def test_from(self):
        with self.daemon.client(ANN) as client:
            client.begin("x@example.net", sender="ann@example.org")
            self.assertEqual(client.say(
                "From: bob@example.org\r\n\r\nx\r\n.").code, 250)

    def test_recipients_of_a_user(self):
        """Over all sessions; another user has as many."""
        for _ in range(2):
            with self.daemon.client(ANN) as client:
                client.say("MAIL FROM:<ann@example.org>")
                codes = [client.say("RCPT TO:<x@example.net>").codes
                         for _ in range(3)]
                client.say("RSET")
            if not self.daemon.text().count("which is the limit"):
                self.assertEqual(codes, ["250 2.1.5"] * 3)
        self.assertEqual(codes, ["450 4.7.1"] * 3)
        self.daemon.said("user=ann has sent to 3 recipients in an hour")
        self.assertEqual(self.daemon.text().count("has sent to"), 1)
        with self.daemon.client(("bob@example.org", "se same")) as client:
            client.say("MAIL FROM:<bob@example.org>")
            self.assertEqual(client.say("RCPT TO:<x@example.net>").code, 250)


class Failures(Pair):
    def test_address_is_slowed_down(self):
        """E8: so many failures of an address, however many sessions they are
        in, and then it is not listened to."""
        clients = [self.daemon.client() for _ in range(20)]
        threads = [threading.Thread(target=client.say,
                                    args=(plain("ann", "wrong"),))
                   for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(clients[0].say(plain(*ANN)).codes, "421 4.7.0")
        for client in clients:
            client.close()
        self.assertNotIn("authenticated", self.daemon.text())

    def test_three_in_a_session(self):
        with self.daemon.client() as client:
            codes = [client.say(plain("ann", "wrong")).code for _ in range(3)]
        self.assertEqual(codes, [535, 535, 421])

    def test_nobody_is_as_known_as_ann(self):
        """RFC 5802, 5: salt and iterations of one without an account stay
        the same, and its failure comes as late."""
        def challenge(user):
            with self.daemon.client() as client:
                first = base64.b64encode(f"n,,n={user},r=abc".encode())
                reply = client.say("AUTH SCRAM-SHA-256 " + first.decode())
                client.say("*")
            text = base64.b64decode(reply[4:]).decode()
            return re.fullmatch(r"r=.*,s=(.*),(i=\d+)", text).groups()
        self.assertEqual(challenge("ann")[1], "i=15000")
        self.assertEqual(challenge("eve"), challenge("eve"))
        self.assertNotEqual(challenge("eve")[0], challenge("eva")[0])
        self.assertEqual(challenge("eve")[1], "i=15000")
        with self.daemon.client() as client:
            self.assertEqual(client.say(plain("eve", "pencil")).codes,
                             "535 5.7.8")


class Check(unittest.TestCase):
    def check(self, daemon):
        done = subprocess.run(
            [*daemon.command(), "--check"], stderr=subprocess.PIPE, text=True,
            check=False, timeout=fixture.WAIT)
        return done.returncode, done.stderr

    def setUp(self):
        self.daemon = Daemon(1)
        self.addCleanup(self.daemon.remove)

    def test_accounts(self):
        """Who may read them is looked at, and a key that was not made is
        missed."""
        self.assertEqual(self.check(self.daemon)[0], 0)
        os.chmod(self.daemon.accounts, 0o644)
        status, said = self.check(self.daemon)
        self.assertEqual(status, 0)
        self.assertIn(" warning any user may read the keys in ", said)
        self.daemon.write("ann  a@b.org\n")
        status, said = self.check(self.daemon)
        self.assertEqual(status, os.EX_CONFIG)
        self.assertIn("accounts:1: the key is missing before the address",
                      said)


    def test_certificate(self):
        """Where it cannot be used, each daemon says so by its status."""
        key = os.path.join(self.daemon.root, "key")
        out = Queue()
        self.addCleanup(out.remove)
        out.arguments += ["-c", at("a.pem"), "-k", key]
        self.daemon.command = lambda: [
            word if word != at("a.key") else key
            for word in Daemon.command(self.daemon)]
        for daemon in (self.daemon, out):
            status, said = self.check(daemon)
            self.assertEqual(status, os.EX_CONFIG, said)
            self.assertIn("going on without this certificate", said)
        shutil.copy(at("b.key"), key)
        self.assertEqual(self.check(self.daemon)[0], os.EX_CONFIG)
        shutil.copy(at("a.key"), key)
        for daemon in (self.daemon, out):
            status, said = self.check(daemon)
            self.assertEqual(status, 0, said)


class Hashes(Pair):
    ARGUMENTS = ("--no-scram",)

    def test_crypt(self):
        hashed = subprocess.run(
            [fixture.need("openssl"), "passwd", "-6", "pencil"], text=True,
            capture_output=True, check=True).stdout.strip()
        text = f"ann {hashed} ann@example.org\n"
        self.daemon.write(text)
        self.daemon.hang_up()
        with self.daemon.client(ANN) as client:
            self.assertIn("AUTH PLAIN LOGIN", client.ehlo)
        for user in ("ann", "eve"):
            with self.daemon.client() as client:
                password = "wrong" if user == "ann" else "pencil"
                self.assertEqual(client.say(plain(user, password)).code, 535)
        self.daemon.arguments.remove("--no-scram")
        self.daemon.stop()
        done = subprocess.run(self.daemon.command(), stderr=subprocess.PIPE,
                              text=True, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn(":1: a hash of crypt(3) is of no use", done.stderr)
        self.assertNotIn(hashed, done.stderr)
        self.daemon.write(ACCOUNTS)
        self.daemon.start()


class Trouble(Pair):
    QUEUE = ("--max-recipients", "100")

    def test_smtpout_is_down(self):
        with self.daemon.client(ANN) as client:
            self.out.stop()
            reply = client.deliver(b"Subject: x\n\n", "x@example.net",
                                   sender="ann@example.org")
            self.assertEqual(reply.codes, "451 4.3.0")
            self.daemon.said("error smtpout takes no mail: cannot connect to "
                             f"127.0.0.1 port {self.out.port}: ")
            self.daemon.said("refused id=.* status=451")

    def test_socket_of_nobody(self):
        """Its path is named, and what to do."""
        path = os.path.join(self.daemon.root, "socket")
        self.daemon.stop()
        where = self.daemon.arguments.index("--smtpout") + 1
        self.daemon.arguments[where] = path
        self.daemon.start()
        with self.daemon.client(ANN) as client:
            client.deliver(b"Subject: x\n\n", "x@example.net",
                           sender="ann@example.org")
        self.daemon.said(f"smtpout takes no mail: cannot connect to {path}: "
                         "No such file or directory: start smtpout")

    def test_too_many_recipients(self):
        """RFC 9422, 3: All get the message, or none, as there is one reply."""
        rcpts = [f"x{i}@example.net" for i in range(101)]
        with self.daemon.client(ANN) as client:
            reply = client.deliver(b"Subject: x\n\n", *rcpts,
                                   sender="ann@example.org")
        self.assertEqual(reply.codes, "452 4.5.3")
        self.assertEqual(self.out.messages(), [])

    def test_client_goes(self):
        """Half a message is not queued."""
        with self.daemon.client(ANN) as client:
            client.begin("x@example.net", sender="ann@example.org")
            client.send(b"Subject: x\r\n\r\n" + 20000 * b"text\r\n")
        self.daemon.stop()
        self.assertEqual(self.out.messages(), [])
        self.daemon.start()


class Refusing(threading.Thread):
    """Takes each message for some, refuses others, and has EXTENSIONS."""

    def __init__(self, *extensions):
        super().__init__(daemon=True)
        self.extensions = extensions
        self.messages = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            with client, client.makefile("rwb", buffering=0) as file:
                file.write(b"220 host\r\n")
                for line in file:
                    file.write(self.reply(line, file) + b"\r\n")

    def reply(self, line, file):
        if line.startswith(b"EHLO"):
            for extension in self.extensions:
                file.write(b"250-" + extension + b"\r\n")
        if line.startswith(b"RCPT TO:<full"):
            return b"452 4.3.1 disk full"
        if line.startswith(b"RCPT TO:<never"):
            return b"550 5.1.1 no such user"
        if line.startswith(b"RCPT TO:<later"):
            return b"450 4.2.0 busy"
        if line.startswith(b"DATA"):
            file.write(b"354 go on\r\n")
            while next(file) != b".\r\n":
                continue
            self.messages += 1
        if line.startswith(b"BDAT"):
            file.read(int(line.split()[1]))
            self.messages += 1
        return b"250 ok"


class Refused(unittest.TestCase):
    def test_one_of_two(self):
        """None is lost in silence, and none comes twice: nobody gets what
        is refused for one."""
        for extensions in ((), (b"PIPELINING",),
                           (b"PIPELINING", b"CHUNKING")):
            out = Refusing(*extensions)
            daemon = self.enterContext(Daemon(out.port))
            for name, reply in (("never", "554 5.1.1 "),
                                ("later", "451 4.2.0 "),
                                ("full", "451 4.3.1 ")):
                said = self.send(daemon, "x", name, "y")
                self.assertTrue(said.startswith(
                    f"{reply}<{name}@example.net>: the mail queue says: "),
                    said)
            daemon.said("refused id=.* status=554")
            self.assertEqual(out.messages, 0)
            self.assertEqual(self.send(daemon, "x", "y").code, 250)
            self.assertEqual(out.messages, 1)

    @staticmethod
    def send(daemon, *names):
        with daemon.client(ANN) as client:
            return client.deliver(
                b"Subject: x\n\n", *[f"{name}@example.net" for name in names],
                sender="ann@example.org")


class Key(unittest.TestCase):
    def test_terminal(self):
        """It is asked for twice, and not shown."""
        for again, status in (("pencil", 0), ("other", 65)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen(
                [world.program("submission"), "key"], stdin=theirs, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.stderr.close)
            for word in ("pencil", again):
                said = process.stderr.read(len("Password: "))
                self.assertTrue(said.strip().endswith(":")
                                or "\n" in said, said)
                os.write(ours, word.encode() + b"\n")
                if word == "pencil":
                    process.stderr.read(1)
            self.assertEqual(process.wait(fixture.WAIT), status)
            os.close(theirs)
            os.close(ours)

    def test_standard_input(self):
        self.assertRegex(make_key("pencil"), r"^SCRAM-SHA-256\$15000:")
        for text in ("", "\n", 1100 * "x"):
            done = subprocess.run([world.program("submission"), "key"],
                                  input=text, text=True, capture_output=True,
                                  check=False)
            self.assertIn(done.returncode, (65, 66))
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    world.main()
