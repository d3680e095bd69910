# SPDX-License-Identifier: MIT
"""examples/capture by SMTP and by its interface for tests."""

import base64
import os
import re
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import unittest

import capture_fixture
import smtpin_fixture as fixture
from capture_fixture import Capture, message


class Case(unittest.TestCase):
    arguments = []

    def setUp(self):
        self.capture = self.enterContext(Capture(*self.arguments))

    def subjects(self, **params):
        return [m["subject"] for m in self.capture.messages(**params)]


class Catching(Case):
    """What programs send."""
    arguments = ["--tls"]

    def test_anyone_for_anyone(self):
        self.capture.send(message(), from_addr="",
                          to_addrs=["any@where.example", "root"])
        found = self.capture.messages()[0]
        self.assertEqual(found["sender"], "")
        self.assertEqual(found["recipients"],
                         ["any@where.example", "root@localhost"])

    def test_the_reply_has_the_id(self):
        with self.capture.smtp() as client:
            client.ehlo("test.example")
            client.mail("a@a.example")
            client.rcpt("b@b.example")
            _, text = client.data(b"Subject: x\r\n\r\ntext\r\n")
        id_ = self.capture.messages()[0]["id"]
        self.assertIn(id_, text.decode())

    def test_parameters(self):
        with self.capture.smtp() as client:
            client.sendmail("a@a.example", "b@b.example", "Subject: x\r\n\r\n",
                            ["BODY=8BITMIME", "RET=HDRS"],
                            ["NOTIFY=NEVER"])
        found = self.capture.messages()[0]
        self.assertIn("RET=HDRS", found["parameters"])
        self.assertEqual(found["recipientParameters"], ["NOTIFY=NEVER"])

    def test_any_password(self):
        for mechanism in "auth_plain", "auth_login":
            with self.capture.smtp() as client:
                client.ehlo()
                client.user, client.password = "joe", "wrong"
                client.auth(mechanism[5:].upper(), getattr(client, mechanism))
                client.send_message(message())
            self.assertEqual(self.capture.messages()[0]["user"], "joe")

    def test_any_token(self):
        with self.capture.smtp() as client:
            client.ehlo()
            token = base64.b64encode(
                b"user=joe@b.example\1auth=Bearer abc\1\1").decode()
            self.assertEqual(client.docmd("AUTH", "XOAUTH2 " + token)[0], 235)

    def test_starttls(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with self.capture.smtp() as client:
            client.starttls(context=context)
            certificate = client.sock.getpeercert(True)
            client.send_message(message())
        self.assertRegex(self.capture.messages()[0]["tls"], r"^TLSv1\.[23]$")
        # It is for this host, if one trusts it.
        context = ssl.create_default_context(
            cadata=ssl.DER_cert_to_PEM_cert(certificate))
        with smtplib.SMTP("localhost", self.capture.smtp_port) as client:
            client.starttls(context=context)

    def test_swaks(self):
        swaks = fixture.need("swaks")
        subprocess.run(
            [swaks, "--server", f"127.0.0.1:{self.capture.smtp_port}",
             "--from", "a@a.example", "--to", "b@b.example", "--auth", "PLAIN",
             "--auth-user", "u", "--auth-password", "p", "--tls",
             "--header", "Subject: by swaks"],
            check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.subjects(), ["by swaks"])

    def test_names_in_utf8(self):
        with self.capture.smtp() as client:
            client.send_message(message("Grüße",
                                        to="Jürgen <jürgen@bücher.example>"))
        self.assertEqual(self.subjects(to="JÜRGEN@bücher.example"), ["Grüße"])


class Limits(Case):
    arguments = ["--max-messages", "5", "--max-memory", "2M",
                 "--max-message-size", "1M"]

    def test_size(self):
        with self.capture.smtp() as client:
            client.ehlo()
            self.assertEqual(client.esmtp_features["size"], "1048576")
            with self.assertRaises(smtplib.SMTPResponseException) as caught:
                client.sendmail("a@a.example", "b@b.example", "x" * 1100000)
        self.assertEqual(caught.exception.smtp_code, 552)
        self.assertEqual(self.capture.messages(), [])

    def test_the_newest_by_count(self):
        self.capture.send(*(message(str(i)) for i in range(8)))
        self.assertEqual(self.subjects(), ["7", "6", "5", "4", "3"])

    def test_the_newest_by_memory(self):
        text = "x" * 70 + "\n"
        self.capture.send(*(message(str(i), text * 7000) for i in range(5)))
        self.assertEqual(self.subjects()[:2], ["4", "3"])
        self.assertLess(len(self.subjects()), 4)

    def test_a_slow_reader_holds_its_message(self):
        """It counts as memory until it is read, and is whole then."""
        self.capture.send(message("slow", "y" * 70 + "\n"))
        body = "0123456789" * 7 + "\r\n"
        id_ = self.capture.send(message("large", body * 13000))
        with socket.create_connection(
                ("127.0.0.1", self.capture.port)) as reader:
            reader.sendall(f"GET /messages/{id_}/source HTTP/1.1\r\n"
                           "Host: localhost\r\nConnection: close\r\n\r\n"
                           .encode())
            received = reader.recv(100)
            self.capture.send(*(message(str(i), body * 6000)
                                for i in range(6)))
            self.assertNotIn("large", self.subjects())
            while part := reader.recv(65536):
                received += part
        self.assertEqual(received.count(b"0123456789" * 7), 13000)

    def test_no_room(self):
        """Messages that are being received share the memory."""
        clients = [self.capture.smtp() for _ in range(8)]
        for client in clients:
            client.ehlo()
            client.mail("a@a.example")
            client.rcpt("b@b.example")
            client.docmd("DATA")
            client.send(b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 7000)
        codes = []
        for client in clients:
            client.send(b".\r\n")
            codes.append(client.getreply()[0])
            client.close()
        self.assertLessEqual(set(codes), {250, 452})
        self.assertIn(250, codes)
        self.capture.send(message("again"))


class Asking(Case):
    """The interface for tests."""

    def test_filters(self):
        self.capture.send(
            message("Welcome", to="Ann <ann@a.example>", text="blue whale\n"),
            message("Invoice", sender="Shop <shop@s.example>",
                    to="joann@b.example"))
        for params, expected in (
                ({"to": "ann@a.example"}, ["Welcome"]),
                ({"to": "ANN@A.example"}, ["Welcome"]),
                ({"to": "ann"}, ["Invoice", "Welcome"]),
                ({"to": "@b.example"}, ["Invoice"]),
                ({"from": "shop@s.example"}, ["Invoice"]),
                ({"subject": "welc"}, ["Welcome"]),
                ({"q": "whale BLUE"}, ["Welcome"]),
                ({"q": "whale red"}, []),
                ({"limit": "1"}, ["Invoice"])):
            with self.subTest(params):
                self.assertEqual(self.subjects(**params), expected)

    def test_after_and_before(self):
        first = self.capture.send(message("1"))
        second = self.capture.send(message("2"))
        self.capture.send(message("3"))
        self.assertEqual(self.subjects(after=first), ["3", "2"])
        self.assertEqual(self.subjects(before=second), ["1"])

    def test_misspelt_parameters_are_told(self):
        self.capture.send(message())
        reply = self.capture.request("DELETE", "/messages", too="bob")
        self.assertEqual(reply.status, 400)
        self.assertIn("too", reply.json()["error"])
        self.assertEqual(len(self.capture.messages()), 1)

    def test_numbers_are_checked(self):
        for params in ({"wait": "abc"}, {"wait": ""}, {"limit": "0"},
                       {"limit": "-1"}, {"limit": "2x"}):
            with self.subTest(params):
                reply = self.capture.request("GET", "/messages", **params)
                self.assertEqual(reply.status, 400)
                self.assertIn("must be a number", reply.json()["error"])

    def test_wait(self):
        found = []
        waiter = threading.Thread(target=lambda: found.append(
            self.subjects(to="late@b.example", wait=60)))
        waiter.start()
        self.capture.send(message("other"))
        self.capture.send(message("late", to="late@b.example"))
        waiter.join(50 * fixture.SLOW)
        self.assertEqual(found, [["late"]])

    def test_wait_in_vain(self):
        start = time.monotonic()
        self.assertEqual(self.subjects(to="nobody@b.example", wait=1), [])
        self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_waiting_does_not_hold_up_the_end(self):
        with socket.create_connection(
                ("127.0.0.1", self.capture.port)) as waiter:
            waiter.sendall(b"GET /messages?to=x&wait=600 HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n")
            time.sleep(0.2)
            self.capture.process.terminate()
            self.capture.process.wait(30 * fixture.SLOW)

    def test_clients_that_wait_may_go(self):
        """A test that was killed leaves nothing behind."""
        threads = f"/proc/{self.capture.process.pid}/task"
        before = len(os.listdir(threads))
        waiters = [socket.create_connection(("127.0.0.1", self.capture.port))
                   for _ in range(5)]
        for waiter in waiters:
            waiter.sendall(b"GET /messages?to=x&wait=600 HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n")
        fixture.until(lambda: len(os.listdir(threads)) >= before + 5, "begin")
        for waiter in waiters:
            waiter.close()
        fixture.until(lambda: len(os.listdir(threads)) <= before, "end")

    def test_message(self):
        pdf = bytes(range(256)) * 100
        id_ = self.capture.send(message(
            "Grüße", "Tëxt\n", "<p>HTML</p>", attachments=[
                ("../../rép\"ort.pdf", "application/pdf", pdf)]))
        found = self.capture.get(f"/messages/{id_}").json()
        self.assertEqual(found["subject"], "Grüße")
        self.assertEqual(found["text"], "Tëxt\r\n")
        self.assertIn("<p>HTML</p>", found["html"])
        self.assertIn({"name": "To", "value": "bob@b.example"},
                      found["headers"])
        attachment, = found["attachments"]
        self.assertEqual(attachment["type"], "application/pdf")
        self.assertEqual(attachment["name"], "rép_ort.pdf")
        self.assertEqual(attachment["size"], len(pdf))
        part = self.capture.get(f"/messages/{id_}/parts/{attachment['part']}")
        self.assertEqual(part.body, pdf)
        self.assertRegex(part.fields["Content-Disposition"],
                         r'^attachment; filename="rep_ort\.pdf"; '
                         r"filename\*=UTF-8''r%C3%A9p_ort\.pdf$")

    def test_source(self):
        with self.capture.smtp() as client:
            client.sendmail("a@a.example", "b@b.example",
                            b"Subject: x\r\n\r\n.dot\r\n\xff\x00\xfe\r\n"
                            .replace(b"\0", b""))
        id_ = self.capture.messages()[0]["id"]
        self.assertEqual(self.capture.get(f"/messages/{id_}/source").body,
                         b"Subject: x\r\n\r\n.dot\r\n\xff\xfe\r\n")

    def test_delete(self):
        ids = [self.capture.send(message(s)) for s in ("1", "2", "3")]
        reply = self.capture.request("DELETE", f"/messages/{ids[1]}")
        self.assertEqual(reply.json(), {"deleted": 1})
        self.assertEqual(self.subjects(), ["3", "1"])
        self.assertEqual(
            self.capture.request("DELETE", f"/messages/{ids[1]}").status, 404)
        self.capture.request("DELETE", "/messages", subject="1")
        self.assertEqual(self.subjects(), ["3"])
        self.capture.request("DELETE", "/messages")
        self.assertEqual(self.subjects(), [])

    def test_what_is_not_there(self):
        id_ = self.capture.send(message())
        for path in ("/x", "/messages/", "/messages/x", f"/messages/{id_}/x",
                     f"/messages/{id_}/parts/9", f"/messages/{id_}/parts/-1",
                     f"/messages/{id_}/html", "/../etc/passwd", "/page.css/"):
            with self.subTest(path):
                self.assertEqual(self.capture.request("GET", path).status, 404)
        self.assertEqual(
            self.capture.request("POST", "/messages").status, 405)
        self.assertEqual(self.capture.request("DELETE", "/").status, 405)

    def test_events(self):
        with socket.create_connection(
                ("127.0.0.1", self.capture.port)) as events:
            events.settimeout(30 * fixture.SLOW)
            events.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b'"count":0' not in received:
                received += events.recv(4096)
            self.capture.send(message())
            while b'"count":1' not in received:
                received += events.recv(4096)


class Strangers(Case):
    """Other pages in the same browser."""
    arguments = ["--web-name", "mail.test"]

    def status(self, method="GET", path="/messages", **fields):
        return self.capture.request(
            method, path, {name.replace("_", "-"): value
                           for name, value in fields.items()}).status

    def test_names_of_this_server(self):
        """DNS rebinding: a name of somebody else leads here."""
        for host, status in (("localhost", 200), ("127.0.0.1:1", 200),
                             ("[::1]:80", 200), ("LocalHost:8025", 200),
                             ("mail.test", 200), ("evil.example", 403),
                             ("127.0.0.1.evil.example", 403), ("", 403),
                             ("mail.test.evil.example", 403)):
            with self.subTest(host):
                self.assertEqual(self.status(Host=host), status)

    def test_other_origins(self):
        """A form or a script of another page."""
        own = f"127.0.0.1:{self.capture.port}"
        for origin, status in ((f"http://{own}", 200), ("null", 403),
                               ("http://evil.example", 403),
                               (f"http://{own}.evil.example", 403),
                               ("http://127.0.0.1:1", 403)):
            with self.subTest(origin):
                self.assertEqual(self.status("DELETE", Origin=origin), status)
        self.assertEqual(self.status("DELETE"), 200)

    def test_other_sites(self):
        for site, mode, status in (
                ("same-origin", "cors", 200), ("none", "navigate", 200),
                ("cross-site", "no-cors", 403), ("same-site", "cors", 403),
                ("cross-site", "navigate", 200)):
            with self.subTest(site + " " + mode):
                self.assertEqual(self.status(
                    Sec_Fetch_Site=site, Sec_Fetch_Mode=mode), status)
        self.assertEqual(self.status(
            "DELETE", Sec_Fetch_Site="cross-site",
            Sec_Fetch_Mode="navigate"), 403)

    def test_what_browsers_are_told(self):
        id_ = self.capture.send(message(
            html="<script>alert(1)</script>",
            attachments=[("x.html", "text/html", b"<script></script>")]))
        for path, policy in (
                ("/", "script-src 'self'"),
                (f"/messages/{id_}/html", "sandbox allow-popups"),
                (f"/messages/{id_}/source", "sandbox; default-src 'none'"),
                (f"/messages/{id_}/parts/2", "sandbox; default-src 'none'"),
                ("/messages", "sandbox; default-src 'none'")):
            with self.subTest(path):
                fields = self.capture.get(path).fields
                self.assertIn(policy, fields["Content-Security-Policy"])
                self.assertNotIn("allow-scripts",
                                 fields["Content-Security-Policy"])
                self.assertNotIn("unsafe-inline' 'self",
                                 fields["Content-Security-Policy"])
                self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
                self.assertNotIn("Access-Control-Allow-Origin", fields)
        self.assertIn("attachment", self.capture.get(
            f"/messages/{id_}/parts/2").fields["Content-Disposition"])


class Hostile(Case):
    """Mail that was made to do harm, and mail that is just broken."""

    def catch(self, octets):
        with self.capture.smtp() as client:
            client.sendmail("a@a.example", "b@b.example", octets)
        id_ = self.capture.messages()[0]["id"]
        return self.capture.get(f"/messages/{id_}").json()

    def test_parts_in_parts(self):
        """Each multipart holds the next."""
        octets = b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n'
            % (i, i) for i in range(20000))
        self.catch(b"Subject: deep\r\n" + octets + b"\r\ntext\r\n")

    def test_messages_in_messages(self):
        self.catch(b"Subject: deep\r\n" +
                   b"Content-Type: message/rfc822\r\n\r\n" * 20000)

    def test_many_parts(self):
        found = self.catch(
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" +
            b"--x\r\n\r\ntext\r\n" * 5000 + b"--x--\r\n")
        self.assertLessEqual(len(found["attachments"]), 1000)

    def test_what_would_take_long(self):
        """It is kept, and shown as it is, but not taken apart."""
        for octets in (
                b"X: y\r\n" * 2000000,
                b"X: y\r\n" + b" y\r\n" * 2000000,
                b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n"
                         b"\r\n--%d\r\n" % (i, i) for i in range(100000))):
            with self.subTest(octets[:20]):
                found = self.catch(b"Subject: x\r\n" + octets)
                self.assertEqual(found["subject"], "x")
                self.assertIsNone(found["text"])

    def test_many_header_fields(self):
        found = self.catch(b"X: y\r\n" * 20000 + b"\r\ntext\r\n")
        self.assertEqual(len(found["headers"]), 1000)

    def test_broken(self):
        for octets in (
                b"", b"\r\n", b"no header\r\n", b": no name\r\n\r\n",
                b"Subject\r\n\r\n", b" folded: first\r\n\r\n",
                b"Subject: =?utf-8?q?=ff=00=?=\r\n\r\n",
                b"From: <<>>,;:\r\nTo: (((((\r\n\r\n",
                b"Subject: \xff\xfe\x80\r\n\r\n\xff\xfe\r\n",
                b"Content-Type: text/plain; charset=none-such\r\n\r\n\xe9\r\n",
                b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
                b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
                b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
                b"Content-Type: text/html\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n@@@@\r\n",
                b"Content-Type: message/rfc822\r\n\r\n",
                b"Content-Type: message/partial; id=x; number=1\r\n\r\nx\r\n"):
            with self.subTest(octets):
                found = self.catch(octets)
                for name in "source", "html", "parts/0":
                    self.assertIn(self.capture.request(
                        "GET", f"/messages/{found['id']}/{name}").status,
                        (200, 404))

    def test_names_of_files(self):
        for given, name in (
                ("../../etc/passwd", "passwd"), ("C:\\\\x\\\\y.exe", "y.exe"),
                (".bashrc", "_bashrc"), ("a\tb", "a_b"),
                ("gpj\u202eexe", "gpj___exe")):
            with self.subTest(given):
                found = self.catch((
                    "Content-Type: application/x\r\nContent-Disposition: "
                    f'attachment; filename="{given}"\r\n\r\nx\r\n').encode())
                self.assertEqual(found["attachments"][0]["name"], name)
                part = self.capture.get(f"/messages/{found['id']}/parts/0")
                self.assertTrue(re.fullmatch(
                    r"[ -~]+", part.fields["Content-Disposition"]))

    def test_type_of_a_part(self):
        found = self.catch(b"Content-Type: x/y'onload=z\r\n\r\nx\r\n")
        self.assertEqual(found["attachments"][0]["type"],
                         "application/octet-stream")


class Load(Case):
    def test_many_at_once(self):
        """Clients, requests, and one that listens and does not read."""
        count = int(os.environ.get("CAPTURE_MESSAGES", "200"))
        with socket.create_connection(
                ("127.0.0.1", self.capture.port)) as mute:
            mute.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            senders = [threading.Thread(
                target=self.capture.send,
                args=[message(f"{i} {j}", html="<p>x</p>")
                      for j in range(count // 4)]) for i in range(4)]
            for sender in senders:
                sender.start()
            while any(sender.is_alive() for sender in senders):
                for m in self.capture.messages(limit=5):
                    self.capture.request("GET", f"/messages/{m['id']}")
            for sender in senders:
                sender.join()
        reply = self.capture.get("/messages", limit=1).json()
        self.assertEqual(reply["total"], count // 4 * 4)


class Command(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([os.environ["CAPTURE"], *arguments],
                              capture_output=True, text=True, timeout=60)

    def test_help_fits_a_screen(self):
        text = self.run_it("--help").stdout
        self.assertLessEqual(len(text.splitlines()), 24)
        self.assertLessEqual(max(map(len, text.splitlines())), 79)

    def test_free_ports(self):
        """With port 0 it takes one at each address, and says which."""
        process = subprocess.Popen(
            [os.environ["CAPTURE"], "-p", "0", "--web", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True)
        try:
            match = re.fullmatch(r"SMTP  127\.0\.0\.1:(\d+)\n",
                                 process.stdout.readline())
            self.assertGreater(int(match[1]), 0)
            with smtplib.SMTP("127.0.0.1", int(match[1]), timeout=60) as c:
                self.assertEqual(c.noop()[0], 250)
        finally:
            process.terminate()
            process.stdout.close()
            self.assertEqual(process.wait(60), 0)

    def test_mistakes(self):
        for arguments, word in (
                (["--web", "nowhere"], "--web"),
                (["--web", "/path"], "--web"),
                (["--max-memory", "1M"], "--max-message-size"),
                (["--max-message-size", "0"], "--max-message-size"),
                (["--tls-port", "465"], "no option"),
                (["--tls", "--tls-cert", "a", "--tls-key", "b"], "--tls ")):
            with self.subTest(arguments):
                result = self.run_it("--listen", "127.0.0.1:0", *arguments)
                self.assertEqual(result.stdout, "")
                self.assertIn(word, result.stderr)
                self.assertIn(result.returncode, (64, 69))


if __name__ == "__main__":
    capture_fixture.main()
