# SPDX-License-Identifier: MIT
"""Clients that break TLS, or are broken: they harm nobody else."""

import contextlib
import random
import socket
import ssl
import struct
import threading
import time
import unittest

import harness
from harness import Client, client_context, serve

# Whether a close is prompt, and does not wait for a deadline of its own.
PROMPT = 15 * harness.SLOW


class RawTls:
    """A client whose records can be seen and changed on their way."""

    def __init__(self, port, top=None):
        self.socket = socket.create_connection(("127.0.0.1", port),
                                               harness.WAIT)
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context(top=top).wrap_bio(
            self.input, self.output, server_hostname="a.example")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hello(self):
        """The records that begin the handshake."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.output.read()

    def flush(self):
        self.socket.sendall(self.output.read())

    def fetch(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.input.write(data)

    def shake(self):
        """Complete the handshake."""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.fetch()
        self.flush()

    def read(self):
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.fetch()

    def record(self, data):
        self.tls.write(data)
        return self.output.read()

    def closed(self):
        """Whether the server closes now."""
        self.socket.settimeout(PROMPT)
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True


def reset(sock):
    """Close it as a program that crashed may: by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def padded(hello, padding, pieces):
    """The record HELLO with PADDING octets more, in as many records."""
    body = bytearray(hello[9:])
    at = 34 + 1 + body[34]                                  # session
    at += 2 + int.from_bytes(body[at:at + 2], "big")        # suites
    at += 1 + body[at]                                      # compression
    size = int.from_bytes(body[at:at + 2], "big") + 4 + padding
    body[at:at + 2] = size.to_bytes(2, "big")
    body += struct.pack(">HH", 21, padding) + bytes(padding)
    message = b"\1" + len(body).to_bytes(3, "big") + bytes(body)
    step = -(-len(message) // pieces)
    return b"".join(hello[:3] + len(part).to_bytes(2, "big") + part
                    for part in (message[i:i + step]
                                 for i in range(0, len(message), step)))


class Hostile(unittest.TestCase):
    def others_are_served(self, host):
        for port in (0, 1):
            with Client(host.ports[port], client_context() if port else None,
                        "a.example") as client:
                if port == 0:
                    client.starttls(client_context(), "a.example")
                    client.say("EHLO client.example.net")
                else:
                    client.greet()
                client.deliver()
                client.quit()

    def closed_promptly(self, port, data):
        begin = time.monotonic()
        with Client(port) as client:
            client.send(data)
            said = client.rest()
        self.assertLess(time.monotonic() - begin, PROMPT)
        return said

    def test_plain_text_where_tls_begins(self):
        for data in (b"EHLO client.example.net\r\n", b"QUIT\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n\r\n",
                     b"\0" * 100, b"\xff" * 100,
                     random.Random(1).randbytes(5000)):
            with self.subTest(data[:10]):
                host = serve(self, "a")
                said = self.closed_promptly(host.ports[1], data)
                self.assertNotIn(b"mx.example.org", said)
                host.saw("^log 3 refused session=1 peer=127.0.0.1 "
                         'reason="no TLS: .+"')
                host.saw("^log 4 disconnect")
                # The program never heard of it.
                self.assertEqual(host.events(), [])
                host.counts("refused_tls", 1)
                self.others_are_served(host)

    def test_tls_where_plain_text_begins(self):
        host = serve(self, "a", greet_delay_ms=0)
        for wait in (False, True):
            with RawTls(host.ports[0]) as client:
                begin = time.monotonic()
                if wait:
                    client.socket.recv(100)
                client.socket.sendall(client.hello())
                self.assertTrue(client.closed())
                self.assertLess(time.monotonic() - begin, PROMPT)
        host.saw(r"^log 3 refused session=2 .*521")
        harness.until(lambda: host.counter("refused_protocol") >= 1,
                      "it was not counted")
        self.others_are_served(host)

    def test_no_tls_where_tls_begins(self):
        host = serve(self)
        self.assertEqual(self.closed_promptly(host.ports[1], b""), b"")
        host.saw('^log 3 refused .*reason="no TLS: none is available"')
        self.assertEqual(host.events(), [])

    def test_turned_away_without_plain_text(self):
        host = serve(self, "a", max_per_address=1)
        with Client(host.ports[0]) as first:
            first.greet()
            with Client(host.ports[0]) as client:
                client.expect("421 4.7.0 ", client.reply())
            with Client(host.ports[1]) as client:
                self.assertEqual(client.rest(), b"")
            first.quit()

    def stalled(self, port, count):
        """COUNT clients with half a handshake each."""
        clients = []
        for _ in range(count):
            client = RawTls(port, ssl.TLSVersion.TLSv1_2)
            self.addCleanup(client.socket.close)
            client.socket.sendall(client.hello()[:40])
            clients.append(client)
        return clients

    def test_stalled_handshakes(self):
        host = serve(self, "a", handshake_timeout_ms=3000)
        begin = time.monotonic()
        clients = self.stalled(host.ports[1], 30)
        self.others_are_served(host)
        for client in clients:
            self.assertTrue(client.closed())
        self.assertGreater(time.monotonic() - begin, 2.9)
        host.saw('reason="no TLS: took too long"')
        host.counts("timeouts", 30)
        host.counts("refused_tls", 30)

    def test_a_slow_handshake_has_one_deadline(self):
        """Not one that begins anew with each byte."""
        host = serve(self, "a", handshake_timeout_ms=1000)
        with Client(host.ports[0]) as client:
            client.greet()
            client.say("STARTTLS")
            begin = time.monotonic()
            with contextlib.suppress(ConnectionError):
                for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" \
                        + b"\0" * 500:
                    client.send(bytes([byte]))
                    time.sleep(0.05)
                    if time.monotonic() - begin > 3 * PROMPT:
                        break
            self.assertLess(time.monotonic() - begin, PROMPT)
        host.saw("^disconnect 1 timeout")

    def test_gone_in_the_handshake(self):
        host = serve(self, "a")
        for how in (socket.socket.close, reset):
            for size in (0, 1, 5, 50, 100000):
                with RawTls(host.ports[1]) as client:
                    client.socket.sendall(client.hello()[:size])
                    how(client.socket)
        # And behind the server's own part of it.
        for how in (socket.socket.close, reset):
            with RawTls(host.ports[1], ssl.TLSVersion.TLSv1_2) as client:
                client.socket.sendall(client.hello())
                client.fetch()
                how(client.socket)
        host.counts("refused_tls", 12)
        self.assertEqual(host.events(), [])
        self.others_are_served(host)

    def test_gone_by_starttls(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as client:
            client.greet()
            client.say("STARTTLS")
        host.saw("^disconnect 1 gone")
        host.saw('reason="no TLS: the client went"')

    def test_changed_hellos(self):
        """Every byte may be another one."""
        host = serve(self, "a", handshake_timeout_ms=10000)
        chance = random.Random(4)
        for _ in range(150):
            with RawTls(host.ports[1]) as client:
                hello = bytearray(client.hello())
                for _ in range(chance.choice((1, 1, 2, 10))):
                    hello[chance.randrange(len(hello))] = chance.randrange(256)
                client.socket.sendall(hello)
                client.socket.shutdown(socket.SHUT_WR)
                self.assertTrue(client.closed())
        self.others_are_served(host)

    def test_large_hellos(self):
        """T11: of 16 KB in one message or in many, by padding.
        What the library does not take ends that connection alone."""
        host = serve(self, "a")
        for padding, pieces in ((12000, 1), (12000, 40), (17000, 2),
                                (60000, 4)):
            with self.subTest(padding=padding, pieces=pieces), \
                    RawTls(host.ports[1]) as client:
                client.socket.sendall(padded(client.hello(), padding, pieces))
                client.socket.shutdown(socket.SHUT_WR)
                self.assertTrue(client.closed())
        self.others_are_served(host)

    def session(self, host, top=None):
        """A client past its EHLO."""
        client = RawTls(host.ports[1], top)
        self.addCleanup(client.socket.close)
        client.shake()
        client.read()
        client.socket.sendall(client.record(b"EHLO client.example.net\r\n"))
        self.assertIn(b"250 ", client.read())
        return client

    def broken(self, change):
        """What CHANGE makes of a record breaks the session."""
        for top in (ssl.TLSVersion.TLSv1_2, None):
            host = serve(self, "a")
            client = self.session(host, top)
            record = client.record(b"MAIL FROM:<a@example.net>\r\n")
            client.socket.sendall(change(record))
            self.assertTrue(client.closed())
            host.saw("^disconnect 1 refused")
            host.saw('^log 3 refused .*reason="no TLS: the client broke it"')
            host.counts("refused_protocol", 1)
            self.assertEqual(host.counter("errors"), 0)
            self.others_are_served(host)

    def test_a_changed_record(self):
        self.broken(lambda record: record[:-1] + bytes([record[-1] ^ 1]))

    def test_plain_text_between(self):
        self.broken(lambda record: b"MAIL FROM:<a@example.net>\r\n")

    def test_a_record_twice(self):
        self.broken(lambda record: record + record)

    def test_a_record_that_is_too_long(self):
        self.broken(lambda record: record[:3] + b"\xff\xff" + b"x" * 70000)

    def test_broken_within_a_message(self):
        host = serve(self, "a")
        client = self.session(host)
        for line in (b"MAIL FROM:<a@example.net>\r\n",
                     b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n"):
            client.socket.sendall(client.record(line))
            client.read()
        client.socket.sendall(client.record(b"Subject: half\r\n") + b"...\r\n")
        self.assertTrue(client.closed())
        host.saw("^end 1 closed 0")
        host.saw("^disconnect 1 refused")

    def test_truncated_record(self):
        for how in (socket.socket.close, reset):
            host = serve(self, "a")
            client = self.session(host)
            record = client.record(b"MAIL FROM:<a@example.net>\r\n")
            client.socket.sendall(record[:-5])
            how(client.socket)
            host.saw("^disconnect 1 gone")
            host.counts("disconnects", 1)
            self.others_are_served(host)

    def test_half_a_record_only(self):
        """It waits as for half a line."""
        host = serve(self, "a", idle_timeout_ms=3000)
        client = self.session(host)
        record = client.record(b"MAIL FROM:<a@example.net>\r\n")
        client.socket.sendall(record[:-5])
        self.others_are_served(host)
        self.assertIn(b"421 4.4.2", client.read())
        host.saw("^disconnect 1 timeout")

    def test_missing_end(self):
        """No close_notify: a client that went, as in plain text
        (RFC 8446, 6.1)."""
        host = serve(self, "a")
        self.session(host).socket.close()
        host.saw("^disconnect 1 gone")
        client = self.session(host)
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.closed())
        host.saw("^disconnect 2 gone")

    def test_end_without_quit(self):
        host = serve(self, "a")
        client = self.session(host)
        with contextlib.suppress(ssl.SSLError):
            client.tls.unwrap()
        client.flush()
        self.assertTrue(client.closed())
        host.saw("^disconnect 1 gone")

    def test_a_message_that_ends_early_is_none(self):
        """The end of TLS is not the end of a message (RFC 5321, 4.1.1.4)."""
        host = serve(self, "a")
        client = self.session(host)
        for line in (b"MAIL FROM:<a@example.net>\r\n",
                     b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n",
                     b"Subject: half\r\n\r\nhalf\r\n."):
            client.socket.sendall(client.record(line))
        with contextlib.suppress(ssl.SSLError):
            client.tls.unwrap()
        client.flush()
        self.assertTrue(client.closed())
        host.saw("^end 1 closed 0")
        host.saw("^disconnect 1 gone")

    def test_talk_before_the_greeting(self):
        host = serve(self, "a", greet_delay_ms=20000)
        with RawTls(host.ports[1]) as client:
            client.shake()
            client.socket.sendall(client.record(b"EHLO early.example\r\n"))
            self.assertIn(b"521 5.5.1 ", client.read())
        host.saw("^disconnect 1 refused")

    def test_many_small_records(self):
        host = serve(self, "a")
        client = self.session(host)
        message = b"DATA\r\nSubject: x\r\n\r\n" + b"y\r\n" * 400 + b".\r\n"
        client.socket.sendall(
            client.record(b"MAIL FROM:<a@example.net>\r\n"
                          b"RCPT TO:<b@example.org>\r\n"))
        client.socket.sendall(b"".join(
            client.record(bytes([byte])) for byte in message))
        host.saw(r"^message 1 size=1214 ")

    def test_a_large_message(self):
        host = serve(self, "a")
        with Client(host.ports[1], client_context(), "a.example") as client:
            client.greet()
            client.deliver("Subject: x\r\n\r\n"
                           + ("y" * 998 + "\r\n") * 5000)
            client.quit()
        host.saw(r"^message 1 size=5000014 ")


class Drain(unittest.TestCase):
    def test_idle_in_tls(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as upgraded, \
                Client(host.ports[1], client_context(), "a.example") as client:
            # A reply says that the server, too, has ended the handshake.
            upgraded.starttls(client_context(), "a.example")
            upgraded.expect("250", upgraded.say("NOOP"))
            client.greet()
            host.post("drain", 20000)
            for each in (upgraded, client):
                each.expect("421 4.3.2 ", each.reply())
                self.assertEqual(each.file.read(), b"")
            self.assertEqual(host.answer(), "= 0")
        self.assertEqual(sorted(host.events())[-4:-2],
                         ["disconnect drained"] * 2)

    def test_in_a_handshake(self):
        """E15: nothing is lost by ending it, so that it delays no stop."""
        host = serve(self, "a")
        with RawTls(host.ports[1]) as client:
            client.socket.sendall(client.hello()[:30])
            host.saw("^log 4 connect")
            self.assertEqual(host.ask("drain", 600000), "0")
            self.assertTrue(client.closed())
        self.assertEqual(host.events(), [])

    def test_in_a_message(self):
        host = serve(self, "a")
        with Client(host.ports[1], client_context(), "a.example") as client:
            client.greet()
            client.say("MAIL FROM:<a@example.net>")
            client.say("RCPT TO:<b@example.org>")
            client.say("DATA")
            client.send(b"Subject: half\r\n")
            host.post("drain", 20000)
            time.sleep(0.2)
            client.send(b"\r\nother half\r\n.\r\n")
            client.expect("250 ", client.reply())
            client.expect("421 4.3.2 ", client.reply())
        self.assertEqual(host.answer(), "= 0")


class Crowd(unittest.TestCase):
    def test_good_and_bad_together(self):
        host = serve(self, "a", handshake_timeout_ms=10000)
        stop = threading.Event()
        failures = []

        def attack(seed):
            chance = random.Random(seed)
            while not stop.is_set():
                with contextlib.suppress(OSError, ssl.SSLError):
                    with RawTls(host.ports[1]) as client:
                        hello = client.hello()
                        kind = chance.randrange(4)
                        if kind == 0:
                            client.socket.sendall(chance.randbytes(200))
                        elif kind == 1:
                            client.socket.sendall(hello)
                            reset(client.socket)
                        elif kind == 2:
                            client.shake()
                            client.socket.sendall(chance.randbytes(60))
                        else:
                            client.socket.sendall(hello[:20])

        def work():
            try:
                for _ in range(15):
                    context = client_context()
                    with Client(host.ports[1], context,
                                "a.example") as client:
                        client.greet()
                        client.deliver()
                        client.quit()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(repr(error))

        attackers = [threading.Thread(target=attack, args=(i,))
                     for i in range(3)]
        workers = [threading.Thread(target=work) for _ in range(3)]
        for thread in attackers + workers:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        for thread in attackers:
            thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    harness.main()
