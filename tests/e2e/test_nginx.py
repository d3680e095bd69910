# SPDX-License-Identifier: MIT
"""smtpin behind nginx, which tells it of its clients: as a proxy of streams by
PROXY, as a proxy of mail by XCLIENT, or by PROXY and XCLIENT."""

import contextlib
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import smtpin_fixture as fixture

MESSAGE = fixture.plain()
CLIENT = "127.0.0.9"

# One process, which logs where it is started.
CONFIGURATION = """\
daemon off;
master_process off;
pid {dir}/pid;
error_log stderr notice;
load_module {modules}/ngx_{kind}_module.so;
events {{ }}
{kind} {{
    server {{
        listen 127.0.0.1:{port} {listen};
        {rules}
    }}
}}
"""

STREAM = """\
proxy_pass 127.0.0.1:{server};
        proxy_protocol on;
"""

MAIL = """\
protocol smtp;
        smtp_auth none;
        smtp_capabilities PIPELINING 8BITMIME "SIZE 50000000";
        server_name nginx.example;
        auth_http 127.0.0.1:{http}/;
        proxy_pass_error_message on;
"""


class Nginx:
    """In front of the smtpin at port SERVER."""

    MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules")

    def __init__(self, kind, rules, listen="", **values):
        program = fixture.need("nginx")
        modules = [m for m in self.MODULES if os.path.exists(
            os.path.join(m, f"ngx_{kind}_module.so"))]
        if not modules:
            fixture.cannot(f"nginx has no module for {kind}")
        self.port = fixture.free_port()
        self.dir = tempfile.mkdtemp(prefix="smtpin-nginx.")
        self.log = os.path.join(self.dir, "stderr")
        path = os.path.join(self.dir, "conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                dir=self.dir, modules=modules[0], kind=kind, port=self.port,
                listen=listen, rules=rules.format(**values)))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "-p", self.dir, "-c", path, "-e", "stderr"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=log)

    def __enter__(self):
        try:
            fixture.until(self.listens, "nginx does not listen")
        except BaseException:
            self.close()
            raise
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx: {fixture.read(self.log)}")
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def client(self, **options):
        return fixture.Dialogue(self.port, source=CLIENT, **options)


@contextlib.contextmanager
def chooser(port):
    """What nginx asks where mail goes: always to PORT."""
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Auth-Status", "OK")
            self.send_header("Auth-Server", "127.0.0.1")
            self.send_header("Auth-Port", str(port))
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Case(unittest.TestCase):
    def smtpin(self, *options):
        return self.enterContext(fixture.Smtpin(
            arguments=["-a", "127.0.0.1:0", *options]))

    def check(self, smtpin, protocol=b"ESMTP", name="client.example.net"):
        """The client's address, and the name that was said."""
        headers, stored = smtpin.only("alice")
        self.assertEqual(stored, MESSAGE)
        self.assertRegex(headers[b"Received"],
                         b"from " + name.encode()
                         + rb" \(\[127\.0\.0\.9\]\) .* with " + protocol
                         + rb" id ")
        os.unlink(smtpin.new("alice")[0])


class Stream(Case):
    def test_plain(self):
        smtpin = self.smtpin("--proxy-from", "127.0.0.1")
        with Nginx("stream", STREAM, server=smtpin.port) as nginx:
            for _ in range(3):
                with nginx.client() as client:
                    client.deliver(MESSAGE, "alice@example.org")
                    client.quit()
                self.check(smtpin)

    def tls_options(self):
        certs = os.environ["CERTS"]
        return ["-c", os.path.join(certs, "a.pem"), "-k",
                os.path.join(certs, "a.key")]

    @staticmethod
    def context():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def test_starttls(self):
        """TLS passes through."""
        try:
            smtpin = self.smtpin("--proxy-from", "127.0.0.1",
                                 *self.tls_options())
        except AssertionError as error:
            if "built without TLS" in str(error):
                self.skipTest("built without TLS")
            raise
        with Nginx("stream", STREAM, server=smtpin.port) as nginx, \
                nginx.client() as client:
            self.assertEqual(client.say("STARTTLS").code, 220)
            client.wrap(self.context())
            client.say("EHLO client.example.net")
            client.deliver(MESSAGE, "alice@example.org")
            client.quit()
            self.check(smtpin, b"ESMTPS")

    def test_tls_ends_at_nginx(self):
        """smtpin sees none of it."""
        smtpin = self.smtpin("--proxy-from", "127.0.0.1")
        certs = os.environ["CERTS"]
        rules = STREAM + f"ssl_certificate {certs}/a.pem;\n" \
            f"ssl_certificate_key {certs}/a.key;\n"
        with Nginx("stream", rules, "ssl", server=smtpin.port) as nginx, \
                nginx.client(greet=False) as client:
            client.wrap(self.context())
            client.greet()
            client.deliver(MESSAGE, "alice@example.org")
            client.quit()
            self.check(smtpin)


class Mail(Case):
    """nginx answers the client up to the first RCPT, and says to smtpin what it
    was told."""

    def try_mail(self, rules, *options, **names):
        smtpin = self.smtpin(*options)
        with chooser(smtpin.port) as port, \
                Nginx("mail", MAIL + rules, http=port) as nginx:
            for _ in range(2):
                with nginx.client() as client:
                    client.deliver(MESSAGE, "alice@example.org")
                    client.quit()
                self.check(smtpin, **names)
            with nginx.client() as client:
                client.say("MAIL FROM:<sender@example.net>")
                self.assertEqual(
                    client.say("RCPT TO:<nobody@example.org>").code, 550)
        return smtpin

    def test_xclient(self):
        smtpin = self.try_mail("xclient on;", "--xclient-from", "127.0.0.1")
        smtpin.await_words(f"xclient session=1 peer={CLIENT}")

    def test_proxy(self):
        """Without XCLIENT nginx says its own name."""
        smtpin = self.try_mail("xclient off; proxy_protocol on;",
                               "--proxy-from", "127.0.0.1",
                               name="nginx.example")
        smtpin.await_words(f"peer={CLIENT} proxy=127.0.0.1")

    def test_both(self):
        """Whom a proxy relays is no filter, but for the one who is named."""
        smtpin = self.try_mail(
            "xclient on; proxy_protocol on;", "--proxy-from", "127.0.0.1",
            "--xclient-from", CLIENT)
        smtpin.await_words(f"xclient session=1 peer={CLIENT}")


if __name__ == "__main__":
    fixture.main()
