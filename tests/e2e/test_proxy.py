# SPDX-License-Identifier: MIT
"""smtpin behind HAProxy, which tells it of its clients by the PROXY
protocol."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()
CLIENT = "127.0.0.9"

CONFIGURATION = """\
defaults
    mode tcp
    timeout connect 60s
    timeout client 300s
    timeout server 300s
    timeout check 60s
listen proxy
    bind 127.0.0.1:{port}
    {bind6}
    {check}
    server smtpin {server} {options}
"""

EVERYTHING = "proxy-v2-options ssl,cert-cn,crc32c,unique-id,authority"


class Haproxy:
    """HAProxy in front of SERVER, on a port of both families."""

    def __init__(self, server, *options, check=""):
        self.program = fixture.need("haproxy")
        self.port = fixture.free_port()
        self.dir = tempfile.mkdtemp(prefix="smtpin-haproxy.")
        self.file = os.path.join(self.dir, "cfg")
        with open(self.file, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                port=self.port, server=server, options=" ".join(options),
                check=check, bind6=f"bind [::1]:{self.port}"
                if fixture.has_ipv6() else ""))
        self.process = None

    def __enter__(self):
        # Warnings, of health checks say, go nowhere.
        self.process = subprocess.Popen(
            [self.program, "-q", "-db", "-f", self.file],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        fixture.until(self.listens, "haproxy does not listen")
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"haproxy: {self.process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def client(self, **options):
        options.setdefault("source", CLIENT)
        return fixture.Dialogue(self.port, **options)


@contextlib.contextmanager
def behind(*options, check="", arguments=()):
    """A smtpin and the HAProxy before it."""
    with fixture.Smtpin(arguments=[
            "-a", "127.0.0.1:0", "--proxy-from", "127.0.0.1",
            *arguments]) as smtpin:
        with Haproxy(f"127.0.0.1:{smtpin.port}", *options,
                     check=check) as proxy:
            yield smtpin, proxy


class Plain(unittest.TestCase):
    def check(self, smtpin, address, literal):
        headers, stored = smtpin.only("alice")
        self.assertEqual(stored, MESSAGE)
        self.assertIn(literal, headers[b"Received"])
        smtpin.await_words("relayed session=")
        smtpin.await_words(f"peer={address} proxy=127.0.0.1")
        self.assertNotIn("no PROXY header", smtpin.text())

    def try_ipv4(self, *options):
        with behind(*options) as (smtpin, proxy):
            with proxy.client() as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
            self.check(smtpin, CLIENT, b"[127.0.0.9]")

    def test_version_1(self):
        self.try_ipv4("send-proxy")

    def test_version_2(self):
        self.try_ipv4("send-proxy-v2")

    def test_version_2_with_all_it_can_tell(self):
        self.try_ipv4("send-proxy-v2", EVERYTHING)

    def try_ipv6(self, *options):
        if not fixture.has_ipv6():
            fixture.cannot("there is no IPv6 loopback address")
        with behind(*options) as (smtpin, proxy):
            with proxy.client(host="::1", source=None) as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
            self.check(smtpin, "::1", b"[IPv6:::1]")

    def test_ipv6_version_1(self):
        self.try_ipv6("send-proxy")

    def test_ipv6_version_2(self):
        self.try_ipv6("send-proxy-v2", EVERYTHING)

    def test_over_a_unix_socket(self):
        where = tempfile.mkdtemp(prefix="smtpin-unix.")
        self.addCleanup(shutil.rmtree, where, True)
        path = os.path.join(where, "socket")
        smtpin = fixture.Smtpin(
            arguments=["-a", path, "--proxy-from", "local"])
        self.addCleanup(smtpin.remove)
        smtpin.spawn()
        fixture.until(lambda: os.path.exists(path), "no socket")
        with Haproxy(path, "send-proxy-v2", EVERYTHING) as proxy:
            with proxy.client() as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
        headers, _ = smtpin.only("alice")
        self.assertIn(b"[127.0.0.9]", headers[b"Received"])
        self.assertNotIn(b"uid", headers[b"Received"])
        smtpin.stop()

    def test_checks_of_health(self):
        """HAProxy's own connections: the server stays up by them."""
        with behind("send-proxy-v2", "check inter 200",
                    check="option smtpchk EHLO check.example") \
                as (smtpin, proxy):
            fixture.until(
                lambda: smtpin.text().count("disconnect session=") > 3,
                "no checks")
            with proxy.client() as client:
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
            self.check(smtpin, CLIENT, b"[127.0.0.9]")
            self.assertNotIn("refused", smtpin.text())

    def test_limits_are_those_of_each_client(self):
        with behind("send-proxy-v2", arguments=["--max-per-address", "2"]) \
                as (smtpin, proxy), contextlib.ExitStack() as stack:
            for source in ("127.0.0.11", "127.0.0.12"):
                for _ in range(2):
                    stack.enter_context(proxy.client(source=source))
            with proxy.client(source="127.0.0.11", greet=False) as client:
                self.assertEqual(client.reply().codes, "421 4.7.0")
            with proxy.client(source="127.0.0.13") as client:
                client.quit()
            smtpin.await_words("refused peer=127.0.0.11")


class Direct(unittest.TestCase):
    """Clients that come without HAProxy."""

    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(arguments=[
            "-a", "127.0.0.1:0", "--proxy-from", "127.0.0.1"]))

    def connect(self, **options):
        return fixture.Dialogue(self.smtpin.port, greet=False, **options)

    def test_without_a_header(self):
        with self.connect() as client:
            client.send(b"EHLO client.example\r\n")
            self.assertEqual(client.file.read(), b"")
        fixture.until(
            lambda: 'reason="no PROXY header: another beginning"'
            in self.smtpin.text(), "nothing in the log")

    def test_silence(self):
        with self.connect() as client:
            self.assertEqual(client.file.read(), b"")
        fixture.until(
            lambda: 'reason="no PROXY header: it did not come in time"'
            in self.smtpin.text(), "nothing in the log")

    def test_from_elsewhere(self):
        with self.connect(source=CLIENT) as client:
            client.greet()
            client.deliver(MESSAGE, "alice@example.org")
        headers, _ = self.smtpin.only("alice")
        self.assertIn(b"[127.0.0.9]", headers[b"Received"])

    def test_header_from_elsewhere(self):
        with self.connect(source=CLIENT) as client:
            client.reply()
            client.say("EHLO client.example")
            self.assertEqual(client.say(
                "PROXY TCP4 192.0.2.1 192.0.2.2 1 25").codes, "500 5.5.2")


class Options(unittest.TestCase):
    def test_no_network(self):
        done = subprocess.run(
            [fixture.program(), "-u", "/dev/null", "-H", "mx.example.org",
             "-a", "127.0.0.1:0", "-m", "/tmp/%u", "--proxy-from",
             "192.0.2.0/33"],
            stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, os.EX_USAGE)
        self.assertIn('--proxy-from: "192.0.2.0/33" is not a network',
                      done.stderr)


class Tls(unittest.TestCase):
    """HAProxy passes TLS on as it comes."""

    @classmethod
    def setUpClass(cls):
        cls.certs = os.environ["CERTS"]
        done = subprocess.run(
            [fixture.program(), "-u", "/dev/null", "-m", "/tmp/%u", "-H",
             "x.org", "-a", "127.0.0.1:0", "-c", cls.at("a.pem"), "-k",
             cls.at("b.key")], stderr=subprocess.PIPE, text=True, check=False)
        if "built without TLS" in done.stderr:
            raise unittest.SkipTest("built without TLS")

    @classmethod
    def at(cls, name):
        return os.path.join(cls.certs, name)

    def context(self):
        context = ssl.create_default_context(cafile=self.at("ca.pem"))
        context.check_hostname = False
        return context

    def arguments(self):
        return ["-c", self.at("a.pem"), "-k", self.at("a.key")]

    def check(self, smtpin):
        headers, stored = smtpin.only("alice")
        self.assertEqual(stored, MESSAGE)
        self.assertIn(b"[127.0.0.9]", headers[b"Received"])
        self.assertIn(b"with ESMTPS", headers[b"Received"])

    def test_starttls(self):
        for version in ("send-proxy", "send-proxy-v2"):
            with self.subTest(version), behind(
                    version, arguments=[*self.arguments(), "-s", "0"]) \
                    as (smtpin, proxy), proxy.client() as client:
                self.assertEqual(client.say("STARTTLS").code, 220)
                client.wrap(self.context(), "a.example")
                client.say("EHLO client.example")
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
                self.check(smtpin)

    def test_tls_at_once(self):
        for options in (["send-proxy"], ["send-proxy-v2"],
                        ["send-proxy-v2", EVERYTHING]):
            with self.subTest(options):
                self.try_tls_at_once(options)

    def try_tls_at_once(self, options):
        port = fixture.free_port()
        smtpin = fixture.Smtpin(arguments=[
            "-a", f"127.0.0.1:{port}", "-s", str(port), "--proxy-from",
            "127.0.0.1", *self.arguments()])
        self.addCleanup(smtpin.remove)
        smtpin.spawn()
        fixture.until(lambda: f":{port} with TLS" in smtpin.text(),
                      "no TLS port")
        with Haproxy(f"127.0.0.1:{port}", *options) as proxy:
            with proxy.client(greet=False) as client:
                client.wrap(self.context(), "a.example")
                client.greet()
                client.deliver(MESSAGE, "alice@example.org")
                client.quit()
        self.check(smtpin)
        smtpin.stop()


if __name__ == "__main__":
    fixture.main()
