# SPDX-License-Identifier: MIT
"""Clients that behave as some on the Internet do, each in its own way."""

import os
import socket
import struct
import threading

import smtpin_fixture as fixture


def reset(client):
    """Close so that the peer gets a reset, not an end of file."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
    client.close()


def half_message(client, token):
    client.begin("bob@example.org")
    client.send(b"Subject: half\r\nX-Broken: " + token + b"\r\n\r\nhalf")


def drop_in_message(client, token):
    half_message(client, token)
    client.close()


def reset_in_message(client, token):
    half_message(client, token)
    reset(client)


def almost_end(client, token):
    """All but the last byte."""
    half_message(client, token)
    client.send(b"\r\n.\r")
    client.close()


def garbage(client, _):
    client.send(os.urandom(2000))
    # It may hold no line end: the server must not wait for one.
    client.socket.shutdown(socket.SHUT_WR)
    try:
        for _ in range(3):
            client.reply()
    except (UnicodeDecodeError, ValueError):
        pass
    client.close()


def endless_line(client, _):
    client.send(b"MAIL FROM:<" + b"a" * 50000)
    reset(client)


def no_reader(client, token):
    """Sends a whole group and never reads a reply."""
    client.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<no@example.org>\r\n"
                b"DATA\r\nRSET\r\nX-Broken: " + token + b"\r\n")
    client.close()


def drop_at_once(client, _):
    reset(client)


def abandon_recipients(client, _):
    client.say("MAIL FROM:<sender@example.net>")
    client.say("RCPT TO:<bob@example.org>")
    client.say("RCPT TO:<nobody@example.org>")
    client.close()


def nul_and_cr(client, token):
    """A message that must be refused."""
    half_message(client, token)
    client.send(b"\0 and \r alone\r\n.\r\n")
    reply = client.reply()
    if reply.code < 500:
        raise AssertionError(f"taken: {reply}")
    client.close()


WAYS = [drop_in_message, reset_in_message, almost_end, garbage, endless_line,
        no_reader, drop_at_once, abandon_recipients, nul_and_cr]


class BrokenClients:
    """COUNT of them at a time, until the end; some hold a connection."""

    def __init__(self, port, count):
        self.port = port
        self.over = threading.Event()
        self.sessions = 0
        self.errors = []
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self.stall if i % 5 == 4 else self.work,
                             args=(i,)) for i in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def work(self, number):
        turn = number
        while not self.over.is_set():
            way = WAYS[turn % len(WAYS)]
            turn += 1
            token = f"{number}-{turn}".encode("ascii")
            try:
                with fixture.Dialogue(self.port) as client:
                    self.count()
                    way(client, token)
            except OSError:
                pass
            except AssertionError as error:
                self.errors.append(f"{way.__name__}: {error}")

    def stall(self, number):
        """In the middle of a message, without a byte, to the end."""
        try:
            with fixture.Dialogue(self.port) as client:
                self.count()
                half_message(client, f"stall-{number}".encode("ascii"))
                self.over.wait()
        except OSError as error:
            self.errors.append(f"stall: {error}")

    def count(self):
        with self.lock:
            self.sessions += 1
