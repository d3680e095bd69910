# SPDX-License-Identifier: MIT
"""smtpin with certificates: real clients, and new files while it runs."""

import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import smtpin_fixture as fixture

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = float(os.environ.get("TLS_SWAP_SECONDS", "3"))
DIR = None


def setUpModule():
    global DIR
    DIR = tempfile.mkdtemp(prefix="smtpin-tls.")
    unittest.addModuleCleanup(shutil.rmtree, DIR, True)
    fixture.need("openssl")
    shutil.copytree(os.environ["CERTS"], DIR, dirs_exist_ok=True)
    os.chmod(DIR, 0o755)
    done = subprocess.run(
        [fixture.program(), "-u", "/dev/null", "-m", "/tmp/%u", "-H", "x.org",
         "-a", "127.0.0.1:0", "-c", at("a.pem"), "-k", at("b.key")],
        stderr=subprocess.PIPE, text=True, check=False)
    if "built without TLS" in done.stderr:
        raise unittest.SkipTest("built without TLS")


def at(name):
    return os.path.join(DIR, name)


def trusting():
    """What a client trusts: the authority of the tests, for any host."""
    context = ssl.create_default_context(cafile=at("ca.pem"))
    context.check_hostname = False
    return context


class TlsSmtpin(fixture.Smtpin):
    """With copies of PAIRS, which may be replaced, on two ports."""

    def __init__(self, *pairs, **settings):
        super().__init__(**settings)
        self.tls_port = fixture.free_port()
        self.arguments = ["-a", "127.0.0.1:0",
                          "-a", f"127.0.0.1:{self.tls_port}",
                          "-s", str(self.tls_port)]
        for i, pair in enumerate(pairs):
            self.put(pair, i)
            self.arguments += ["-c", self.file(i, "pem"),
                               "-k", self.file(i, "key")]

    def file(self, i, kind):
        return os.path.join(self.root, f"{i}.{kind}")

    def put(self, pair, i=0, kinds=("pem", "key")):
        """Replace a pair of files, each by rename."""
        for kind in kinds:
            shutil.copy(at(f"{pair}.{kind}"), self.file(i, "new"))
            os.rename(self.file(i, "new"), self.file(i, kind))

    def start(self, listeners=None):
        super().start(1)
        fixture.until(lambda: f":{self.tls_port} with TLS" in self.text(),
                      "no TLS port")
        return self

    def hangup(self):
        """Read all again, and wait until that is done."""
        said = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        fixture.until(lambda: any(
            "certificate" in line for line in self.lines[said:]), "reload")

    def shown(self, name=None, starttls=False):
        """Whose certificate a client that asks for NAME is shown."""
        client = socket.create_connection(
            ("127.0.0.1", self.port if starttls else self.tls_port),
            fixture.WAIT)
        with trusting().wrap_socket(client, server_hostname=name) as client:
            subject = client.getpeercert()["subject"][0][0][1]
            client.recv(100)
            client.sendall(b"QUIT\r\n")
            client.recv(100)
        return subject


class Clients(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(TlsSmtpin("a"))
        self.plain, self.tls = self.smtpin.port, self.smtpin.tls_port
        self.message = self.smtpin.root + "/message"
        with open(self.message, "wb") as file:
            file.write(fixture.plain().replace(b"\n", b"\r\n"))

    def delivered(self):
        headers, rest = self.smtpin.only("alice")
        self.assertIn(b"Hello.\n", rest)
        match = re.search(
            rb" with (?:E|UTF8)SMTPS id \w+ for <alice@example.org> "
            rb"tls (TLS_\w+) \((TLSv1\.[23])\);", headers[b"Received"])
        self.assertTrue(match, headers)
        fixture.until(lambda: "stored id=" in self.smtpin.text(), "log line")
        self.smtpin.await_pattern(f"stored id=.* tls={match[2].decode()} "
                                  f"cipher={match[1].decode()}")

    def send(self, *command):
        with open(self.message, "rb") as message:
            done = subprocess.run(
                [fixture.need(command[0]), *command[1:]], stdin=message,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=fixture.WAIT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.delivered()

    def swaks(self, port, *options):
        self.send("swaks", "--server", f"127.0.0.1:{port}",
                  "--helo", "client.example.net",
                  "--from", "sender@example.net", "--to", "alice@example.org",
                  "--body", "Hello.", "--tls-sni", "a.example",
                  "--tls-verify", "--tls-ca-path", at("ca.pem"), *options,
                  *self.verified_name())

    @staticmethod
    def verified_name():
        """The swaks of 2024 verifies the name as well."""
        script = fixture.read(fixture.need("swaks"))
        return ["--tls-verify-target", "a.example"] \
            if b"tls-verify-target" in script else []

    def test_swaks(self):
        self.swaks(self.plain, "--tls")

    def test_swaks_at_once(self):
        self.swaks(self.tls, "--tlsc")

    def curl(self, scheme, port, *options):
        self.send("curl", "-sS", "--url", f"{scheme}://a.example:{port}",
                  "--resolve", f"a.example:{port}:127.0.0.1",
                  "--cacert", at("ca.pem"),
                  "--mail-from", "sender@example.net",
                  "--mail-rcpt", "alice@example.org", "--upload-file", "-",
                  *options)

    def test_curl(self):
        self.curl("smtp", self.plain, "--ssl-reqd")

    def test_curl_at_once(self):
        self.curl("smtps", self.tls)

    def msmtp(self, port, starttls):
        self.send("msmtp", "--file=/dev/null", "--host=127.0.0.1",
                  f"--port={port}", "--from=sender@example.net", "--tls=on",
                  f"--tls-starttls={starttls}",
                  "--tls-trust-file=" + at("ca.pem"),
                  "--tls-host-override=a.example", "alice@example.org")

    def test_msmtp(self):
        self.msmtp(self.plain, "on")

    def test_msmtp_at_once(self):
        self.msmtp(self.tls, "off")

    def python(self, client):
        client.sendmail("sender@example.net", "alice@example.org",
                        fixture.plain())
        client.quit()
        self.delivered()

    def test_python(self):
        client = smtplib.SMTP("127.0.0.1", self.plain)
        client.starttls(context=trusting())
        self.python(client)

    def test_python_at_once(self):
        self.python(smtplib.SMTP_SSL("127.0.0.1", self.tls,
                                     context=trusting()))

    def openssl(self, greeting, *options):
        """Each command when the last is answered, the first after GREETING
        lines."""
        command = [fixture.need("openssl"), "s_client", "-quiet", "-crlf",
                   "-CAfile", at("ca.pem"), "-verify_return_error", *options]
        with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True) as client:
            replies = [client.stdout.readline() for _ in range(greeting)]
            for text in ("HELO client.example.net", "MAIL FROM:<a@b.example>",
                         "rCPT TO:<alice@example.org>", "DATA",
                         "Subject: x\n\nHello.\n.", "QUIT"):
                client.stdin.write(text + "\n")
                client.stdin.flush()
                replies.append(client.stdout.readline())
            client.stdin.close()
            self.assertEqual(client.wait(fixture.WAIT), 0)
        self.assertEqual([reply[:3] for reply in replies[greeting:]],
                         ["250", "250", "250", "354", "250", "221"])
        self.delivered()

    def test_openssl(self):
        self.openssl(0, "-starttls", "smtp", "-servername", "a.example",
                     "-connect", f"127.0.0.1:{self.plain}")

    def test_openssl_at_once(self):
        self.openssl(1, "-connect", f"127.0.0.1:{self.tls}")

    def test_without_encryption(self):
        with fixture.Dialogue(self.plain) as client:
            client.deliver(fixture.plain(), "alice@example.org")
            client.quit()
        headers, _ = self.smtpin.only("alice")
        self.assertIn(b" with ESMTP id", headers[b"Received"])
        fixture.until(lambda: re.search("stored id=.* tls=none$",
                                        self.smtpin.text(), re.M), "log line")


class Certificates(unittest.TestCase):
    def test_by_name(self):
        with TlsSmtpin("a", "b", "wild") as smtpin:
            for name, expected in (("a.example", "a"), ("b.example", "b"),
                                   ("x.wild.example", "wild"),
                                   ("other.example", "a"), (None, "a")):
                self.assertEqual(smtpin.shown(name), expected)

    def test_none(self):
        """Without certificates there is neither STARTTLS nor a port."""
        with fixture.Smtpin() as smtpin, \
                fixture.Dialogue(smtpin.port) as client:
            self.assertNotIn("STARTTLS", client.say("EHLO x.example"))
            self.assertNotIn("with TLS", smtpin.text())
            smtpin.process.send_signal(signal.SIGHUP)
            fixture.until(lambda: smtpin.text().count("addresses") > 1,
                          "reload")

    def test_both_ports_of_an_address(self):
        smtpin = TlsSmtpin("a")
        smtpin.arguments[:4] = ["-a", "127.0.0.1", "-p",
                                str(fixture.free_port())]
        with smtpin:
            self.assertEqual(smtpin.shown(), "a")
            with fixture.Dialogue(smtpin.port) as client:
                self.assertIn("STARTTLS", client.say("EHLO x.example"))

    def test_only_the_tls_port(self):
        smtpin = TlsSmtpin("a")
        smtpin.arguments[:4] = ["-a", "127.0.0.1", "-p", "0"]
        fixture.Smtpin.spawn(smtpin)
        self.addCleanup(smtpin.remove)
        fixture.until(lambda: "with TLS" in smtpin.text(), "no TLS port")
        self.assertEqual(smtpin.addresses(), [])
        self.assertEqual(smtpin.shown(), "a")
        smtpin.stop()

    def test_only_starttls(self):
        smtpin = TlsSmtpin("a")
        smtpin.arguments[2:6] = ["-s", "0"]
        fixture.Smtpin.spawn(smtpin)
        self.addCleanup(smtpin.remove)
        fixture.until(smtpin.addresses, "no port")
        client = smtplib.SMTP("127.0.0.1", smtpin.port)
        client.starttls(context=trusting())
        client.quit()
        self.assertNotIn("with TLS", smtpin.text())
        smtpin.stop()

    def test_sockets_that_systemd_passed(self):
        """The one with the port of -s begins with TLS."""
        smtpin = TlsSmtpin("a")
        plain = socket.create_server(("127.0.0.1", 0))
        tls = socket.create_server(("127.0.0.1", smtpin.tls_port))
        self.addCleanup(plain.close)
        self.addCleanup(tls.close)
        smtpin.prefix = ["bash", "-c", f"exec 8<&{plain.fileno()} "
                         f"9<&{tls.fileno()} 3<&8 4<&9 && LISTEN_FDS=2 "
                         'LISTEN_PID=$$ exec "$@"', "sh"]
        popen = subprocess.Popen
        self.addCleanup(setattr, subprocess, "Popen", popen)
        subprocess.Popen = lambda *args, **more: popen(
            *args, pass_fds=(plain.fileno(), tls.fileno()), **more)
        with smtpin:
            self.assertEqual(smtpin.shown(), "a")
            with fixture.Dialogue(smtpin.port) as client:
                self.assertIn("STARTTLS", client.say("EHLO x.example"))


class Tickets(unittest.TestCase):
    VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)

    def connect(self, smtpin, version, session=None):
        """Return the session of a client, and whether it was resumed."""
        context = session[1] if session else trusting()
        context.maximum_version = version
        with context.wrap_socket(
                socket.create_connection(("127.0.0.1", smtpin.tls_port)),
                session=session and session[0]) as client:
            client.recv(100)
            return (client.session, context), client.session_reused

    def test_none_by_default(self):
        smtpin = self.enterContext(TlsSmtpin("a"))
        for version in self.VERSIONS:
            session, _ = self.connect(smtpin, version)
            self.assertFalse(session[0].has_ticket)
            self.assertFalse(self.connect(smtpin, version, session)[1])

    def test_a_session_is_resumed(self):
        """A new certificate for the same name costs no client its ticket."""
        smtpin = TlsSmtpin("a")
        smtpin.arguments += ["--tls-tickets"]
        with smtpin:
            for version in self.VERSIONS:
                session, _ = self.connect(smtpin, version)
                self.assertTrue(self.connect(smtpin, version, session)[1])
                smtpin.put("a")
                smtpin.hangup()
                self.assertTrue(self.connect(smtpin, version, session)[1])


class Reload(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(TlsSmtpin("a"))

    def test_hangup(self):
        session = smtplib.SMTP_SSL("127.0.0.1", self.smtpin.tls_port,
                                   context=trusting())
        waiting = smtplib.SMTP("127.0.0.1", self.smtpin.port)
        waiting.ehlo()
        self.smtpin.put("b")
        self.smtpin.hangup()
        self.assertEqual(self.smtpin.shown(), "b")

        # Those that were there go on with what they had.
        session.sendmail("sender@example.net", "alice@example.org",
                         fixture.plain())
        session.quit()
        waiting.starttls(context=trusting())
        self.assertEqual(
            waiting.sock.getpeercert()["subject"][0][0][1], "a")
        waiting.quit()

    def test_a_bad_one_keeps_the_old(self):
        for change, reason in (
                (lambda: self.smtpin.put("b", kinds=["pem"]),
                 "0.key: the key belongs to another certificate"),
                (lambda: self.smtpin.put("expired"), "0.pem: the certificate "
                                                     "has expired"),
                (lambda: os.truncate(self.smtpin.file(0, "pem"), 100),
                 "0.pem: no certificates in PEM"),
                (lambda: os.unlink(self.smtpin.file(0, "key")),
                 "0.key: cannot be read: No such file or directory")):
            self.smtpin.put("a")
            self.smtpin.hangup()
            change()
            self.smtpin.hangup()
            self.assertRegex(
                self.smtpin.text(),
                "the old (certificates stay|configuration stays) in use: "
                f"{self.smtpin.root}/{reason}")
            self.assertEqual(self.smtpin.shown(), "a")
        self.smtpin.put("b")
        self.smtpin.hangup()
        self.assertEqual(self.smtpin.shown(), "b")

    def test_changed_files_are_seen_within_a_minute(self):
        self.smtpin.put("b")
        fixture.until(lambda: self.smtpin.text().count("read 1 certi") > 1,
                      "nobody looked", 75 * fixture.SLOW)
        self.assertEqual(self.smtpin.shown(), "b")

    def test_under_load(self):
        """Not one session fails."""
        stop = threading.Event()
        failures, seen = [], []

        def work(starttls):
            try:
                while not stop.is_set():
                    if starttls:
                        client = smtplib.SMTP("127.0.0.1", self.smtpin.port)
                        client.starttls(context=trusting())
                    else:
                        client = smtplib.SMTP_SSL(
                            "127.0.0.1", self.smtpin.tls_port,
                            context=trusting())
                    seen.append(client.sock.getpeercert()["subject"][0][0][1])
                    client.sendmail("sender@example.net", "bob@example.org",
                                    fixture.plain())
                    client.quit()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(repr(error))

        threads = [threading.Thread(target=work, args=(i % 2,))
                   for i in range(4)]
        for thread in threads:
            thread.start()
        names, reloads = {"a", "b", "a-rsa"}, 0
        soon = time.monotonic() + SECONDS
        late = soon + fixture.WAIT
        # On a busy machine not each of them is seen soon.
        while not failures and (time.monotonic() < soon or
                                not names <= set(seen) and
                                time.monotonic() < late):
            self.smtpin.put(("b", "a-rsa", "a")[reloads % 3])
            self.smtpin.hangup()
            reloads += 1
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(set(seen), names)
        self.assertEqual(len(self.smtpin.new("bob")), len(seen))
        print(f"{reloads} reloads, {len(seen)} sessions, none failed",
              flush=True)


class Expiry(unittest.TestCase):
    def test_warning(self):
        for days, warned in ((3, "within 3 days"), (10, "within 10 days"),
                             (20, None)):
            subprocess.run(
                ["openssl", "req", "-x509", "-key", at("a.key"), "-subj",
                 "/CN=a.example", "-days", str(days), "-out",
                 at("short.pem")], check=True, stderr=subprocess.DEVNULL)
            shutil.copy(at("a.key"), at("short.key"))
            with TlsSmtpin("short") as smtpin:
                smtpin.hangup()
                smtpin.stop()
                lines = [line for line in smtpin.lines if "expires with" in
                         line]
                if warned is None:
                    self.assertEqual(lines, [])
                    continue
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(f" warning the certificate in {smtpin.root}/"
                              f"0.pem expires {warned}, 2", lines[0])
                smtpin.start()


class Start(unittest.TestCase):
    """O8: mail comes in whatever state a certificate is in."""

    def test_out_of_its_time(self):
        for pair, reason in (("expired", "has expired"),
                             ("future", "is not valid yet")):
            with self.subTest(pair=pair), TlsSmtpin(pair) as smtpin:
                smtpin.await_pattern(
                    f" error .*/0.pem: the certificate {reason}")
                with smtplib.SMTP("127.0.0.1", smtpin.port) as client:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    client.starttls(context=context)
                    client.sendmail("sender@example.net", "alice@example.org",
                                    fixture.plain())
                self.assertIn(b"Hello.\n", smtpin.only("alice")[1])

    @staticmethod
    def check(smtpin):
        return subprocess.run([*smtpin.command(), "--check"], check=False,
                              stderr=subprocess.DEVNULL,
                              timeout=fixture.WAIT).returncode

    @staticmethod
    def knows_dave(smtpin):
        with smtplib.SMTP("127.0.0.1", smtpin.port) as client:
            client.ehlo()
            client.mail("sender@example.net")
            return client.rcpt("dave@example.org")[0] == 250

    def test_missing(self):
        smtpin = TlsSmtpin("a")
        self.addCleanup(smtpin.remove)
        os.unlink(smtpin.file(0, "key"))
        with smtpin:
            smtpin.await_words("no certificate can be used")
            with smtplib.SMTP("127.0.0.1", smtpin.port) as client:
                client.ehlo()
                self.assertFalse(client.has_extn("starttls"))
                client.sendmail("sender@example.net", "alice@example.org",
                                fixture.plain())
            self.assertEqual(self.check(smtpin), os.EX_CONFIG)
            # It is no reason to keep the old map.
            smtpin.write_map(fixture.USERS + "dave : dave@example.org\n")
            smtpin.process.send_signal(signal.SIGHUP)
            fixture.until(lambda: self.knows_dave(smtpin), "no new map")
            smtpin.put("a")
            self.assertEqual(self.check(smtpin), 0)
            smtpin.hangup()
            self.assertEqual(smtpin.shown(), "a")


class Refusals(unittest.TestCase):
    """It does not start, and says which file and why."""

    def refused(self, arguments, status, *words):
        smtpin = fixture.Smtpin(arguments=["-a", "127.0.0.1:0", *arguments])
        self.addCleanup(smtpin.remove)
        done = subprocess.run(
            smtpin.command(), stderr=subprocess.PIPE, text=True,
            timeout=fixture.WAIT, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def pair(self, cert, key):
        return ["-c", at(cert), "-k", at(key)]

    def test_options(self):
        self.refused(["-c", at("a.pem")], os.EX_USAGE,
                     "of --tls-cert there are 1, of --tls-key 0")
        self.refused(["-k", at("a.key")], os.EX_USAGE, "--tls-cert")
        self.refused(["-s", "2465"], os.EX_USAGE, "2465", "--tls-cert")
        self.refused(self.pair("a.pem", "a.key") + ["-p", "99", "-s", "99"],
                     os.EX_USAGE, "--tls-port 99")
        self.refused(self.pair("a.pem", "a.key") + ["-s", "x"], os.EX_USAGE)

    def test_files(self):
        for cert, key, status, named, reason in (
                ("garbage.pem", "a.key", os.EX_CONFIG, "garbage.pem", "NUL"),
                ("half.pem", "a.key", os.EX_CONFIG, "half.pem",
                 "no certificates"),
                ("half-chain.pem", "a.key", os.EX_CONFIG, "half-chain.pem",
                 "not all"),
                ("a.pem", "half.key", os.EX_CONFIG, "half.key",
                 "not a whole key"),
                ("a.pem", "b.key", os.EX_CONFIG, "b.key",
                 "belongs to another")):
            with self.subTest(cert=cert, key=key):
                self.refused(self.pair(cert, key), status, at(named), reason)

    def test_the_second_pair(self):
        self.refused(self.pair("a.pem", "a.key") + self.pair("b.pem",
                                                             "a.key"),
                     os.EX_CONFIG, at("a.key"), "belongs to another")

    def test_taken_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.refused(self.pair("a.pem", "a.key")
                         + ["-a", "127.0.0.1:" + port, "-s", port],
                         os.EX_UNAVAILABLE, port, "--tls-port")


class Script(unittest.TestCase):
    """examples/make-certificate."""

    SCRIPT = HERE + "/../../examples/make-certificate"

    def test_what_it_makes_is_taken(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run([self.SCRIPT, "mx.example.org"], check=True,
                           cwd=directory)
            cert, key = (os.path.join(directory, "mx.example.org." + kind)
                         for kind in ("pem", "key"))
            self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
            again = subprocess.run(
                [self.SCRIPT, "mx.example.org"], check=False, cwd=directory,
                stderr=subprocess.PIPE, text=True)
            self.assertNotEqual(again.returncode, 0)
            self.assertIn("there already", again.stderr)
            smtpin = fixture.Smtpin(arguments=[
                "-a", "127.0.0.1:0", "-c", cert, "-k", key])
            with smtpin:
                context = ssl.create_default_context(cafile=cert)
                client = smtplib.SMTP("127.0.0.1", smtpin.port)
                client._host = "mx.example.org"
                client.starttls(context=context)
                client.quit()


if __name__ == "__main__":
    fixture.main()
