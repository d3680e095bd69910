#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""smtpin with a milter that breaks off, lies about lengths, or falls silent at
each packet that it sends: what --milter-failure says becomes of the message,
and of what the milter has changed so far nothing is left."""

import os
import socket
import struct
import threading
import time
import unittest

import smtpin_fixture as fixture
from smtpin_fixture import Dialogue, Smtpin

VERSION, ACTIONS, STEPS = 6, 0x1ff, 0

# What it says at the end of a message, before its decision.
CHANGES = [b"hX-New\0value\0", b"m\0\0\0\1Subject\0new\0", b"bnew ",
           b"+<bob@example.org>\0", b"bbody\r\n"]

# Where it errs: the answers to all commands of a message, in order.
PLACES = ["O", "C", "H", "M", "R", "T", "L", "N", "B", "E0", "E1", "E2", "E3",
          "E4", "E5"]


def packet(data):
    return struct.pack(">I", len(data)) + data


class Close(Exception):
    """It closes the connection."""


class Milter:
    """One that answers continue, makes CHANGES, and errs as FAULT says, at
    PLACE, once."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "inet:%d@127.0.0.1" % self.listener.getsockname()[1]
        self.place = self.fault = None
        self.connections = 0
        self.commands = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def serve(self, conn):
        with conn:
            try:
                while self.step(conn):
                    pass
            except (OSError, Close):
                pass

    def step(self, conn):
        head = conn.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return False
        data = conn.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)
        command = chr(data[0])
        self.commands.append(command)
        if command == "O":
            self.say(conn, "O", b"O" + struct.pack(">III", VERSION, ACTIONS,
                                                   STEPS))
        elif command == "E":
            for i, change in enumerate(CHANGES):
                self.say(conn, f"E{i}", change)
            self.say(conn, "E5", b"c")
        elif command == "Q":
            return False
        elif command not in "ADK":
            self.say(conn, command, b"c")
        return True

    def say(self, conn, place, data):
        if place != self.place:
            conn.sendall(packet(data))
            return
        self.place = None
        self.fault(conn, data)

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def closes(_conn, _data):
    raise Close


def half(conn, data):
    conn.sendall(packet(data)[:-1])
    raise Close


def half_a_length(conn, _data):
    conn.sendall(b"\0\0")
    raise Close


def length_zero(conn, _data):
    conn.sendall(b"\0\0\0\0")


def length_huge(conn, data):
    conn.sendall(b"\xff\xff\xff\xff" + data)


def no_answer(conn, _data):
    conn.sendall(packet(b"!what"))


def no_text(conn, _data):
    conn.sendall(packet(b"y550 5.7.1 no end"))


def bad_code(conn, _data):
    conn.sendall(packet(b"y250 2.0.0 fine\0"))


def drips(conn, data):
    """An answer that takes a quarter of an hour, and never pauses."""
    octets = packet(b"y550 5.7.1 " + 20000 * b"x" + b"\0")
    for octet in octets:
        conn.sendall(bytes((octet,)))
        time.sleep(0.04)


def works_on(conn, _data):
    """It says that it is at work, as fast as it can."""
    while True:
        conn.sendall(64 * packet(b"p"))


def late(conn, _data):
    conn.settimeout(fixture.WAIT)
    conn.recv(1)
    raise Close


FAULTS = [closes, half, half_a_length, length_zero, length_huge, no_answer,
          no_text, bad_code]

USERS = "alice : alice@example.org\nbob : bob@example.org\n"


class Faults(unittest.TestCase):
    """Each fault at each place."""

    def begin(self, failure, seconds="20"):
        milter = Milter()
        self.addCleanup(milter.close)
        smtpin = self.enterContext(Smtpin(USERS, [
            "-a", "127.0.0.1:0", "--milter", milter.address,
            "--milter-failure", failure, "--milter-timeout", seconds]))
        return milter, smtpin

    def deliver(self, dialogue):
        """The first reply that is not good, or the last."""
        for line in ("MAIL FROM:<a@example.net>",
                     "RCPT TO:<alice@example.org>", "DATA"):
            reply = dialogue.say(line)
            if reply.code >= 400:
                dialogue.say("RSET")
                return reply
        return dialogue.finish(fixture.plain())

    def check_refused(self, failure, codes, seconds="20", faults=None):
        """Nothing is stored, and the next message in the session is."""
        milter, smtpin = self.begin(failure, seconds)
        with Dialogue(smtpin.port) as dialogue:
            for fault in faults or FAULTS:
                for place in PLACES:
                    with self.subTest(fault=fault.__name__, place=place):
                        self.check_one(milter, smtpin, dialogue, codes,
                                       (place, fault))

    def check_one(self, milter, smtpin, dialogue, codes, error):
        before = len(smtpin.new())
        if error[0] in "OCH":
            # They come with a new connection alone.
            dialogue.say("EHLO other.example")
            dialogue.say("EHLO client.example.net")
        milter.place, milter.fault = error
        reply = self.deliver(dialogue)
        if milter.place is not None:
            self.assertEqual(reply.code, 250, reply)
            milter.place = None
            return
        if error[0] in "CHM" and error[1] in (closes, half, half_a_length):
            # A connection that was open before is tried anew, at once.
            self.assertEqual(reply.code, 250)
            self.assertEqual(len(smtpin.new()), before + 2)
            return
        self.assertEqual(reply.codes, codes, reply)
        self.assertEqual(len(smtpin.new()), before)
        self.assertEqual(self.deliver(dialogue).code, 250)
        self.assertEqual(len(smtpin.new()), before + 2)

    def test_tempfail(self):
        self.check_refused("tempfail", "451 4.7.1")

    def test_reject(self):
        self.check_refused("reject", "550 5.7.1",
                           faults=[closes, length_zero])

    def test_accept(self):
        """The message is stored as it came."""
        milter, smtpin = self.begin("accept")
        for fault in FAULTS:
            for place in PLACES:
                with self.subTest(fault=fault.__name__, place=place):
                    milter.place, milter.fault = place, fault
                    with Dialogue(smtpin.port) as dialogue:
                        self.assertEqual(self.deliver(dialogue).code, 250)
                    if milter.place is not None:
                        continue
                    self.assertEqual(smtpin.new("bob"), [])
                    _, text = smtpin.only("alice")
                    self.assertEqual(text.replace(b"\r\n", b"\n"),
                                     fixture.plain())
                self.forget(smtpin)

    def forget(self, smtpin):
        for path in smtpin.new():
            os.unlink(path)

    def test_silence(self):
        """One that does not answer is not waited for longer than is said."""
        milter, smtpin = self.begin("tempfail", "1")
        for place in ("O", "R", "E3", "E5"):
            with self.subTest(place=place), Dialogue(smtpin.port) as dialogue:
                milter.place, milter.fault = place, late
                if place == "O":
                    milter.connections = 0
                self.assertEqual(self.deliver(dialogue).codes, "451 4.7.1")
        self.assertEqual(smtpin.new(), [])

    def test_drips(self):
        """Nor is one that answers bit by bit, or says only that it is at
        work; it holds up no end either."""
        milter, smtpin = self.begin("tempfail", "2")
        for place in ("O", "R", "E3", "E5"):
            with self.subTest(place=place), Dialogue(smtpin.port) as dialogue:
                milter.place, milter.fault = place, drips
                if place == "O":
                    milter.connections = 0
                self.assertEqual(self.deliver(dialogue).codes, "451 4.7.1")
        milter.place, milter.fault = "E5", works_on
        with Dialogue(smtpin.port) as dialogue:
            for line in ("MAIL FROM:<a@example.net>",
                         "RCPT TO:<alice@example.org>", "DATA"):
                dialogue.say(line)
            dialogue.send(fixture.plain().replace(b"\n", b"\r\n") + b".\r\n")
            fixture.until(lambda: milter.place is None, "it was not asked")
            smtpin.stop()
        self.assertEqual(smtpin.new(), [])

    def test_says_more(self):
        """What it says after its decision is about no other message."""
        milter, smtpin = self.begin("tempfail")
        with Dialogue(smtpin.port) as dialogue:
            for place in ("E5", "L", "B"):
                for more in (b"y550 5.7.1 spam\0", b"c", b"d"):
                    with self.subTest(place=place, more=more):
                        milter.place = place
                        milter.fault = lambda conn, data, more=more: \
                            conn.sendall(packet(data) + packet(more))
                        codes = self.deliver(dialogue).codes
                        self.assertEqual(codes, "250 2.0.0" if place == "E5"
                                         else "451 4.7.1")
                        self.assertEqual(self.deliver(dialogue).codes,
                                         "250 2.0.0")

    def test_nobody_there(self):
        """Mail waits until the milter is there."""
        milter, smtpin = self.begin("tempfail")
        milter.close()
        with Dialogue(smtpin.port) as dialogue:
            self.assertEqual(self.deliver(dialogue).codes, "451 4.7.1")
        self.assertEqual(smtpin.new(), [])
        smtpin.await_words("milter failed")

    def test_connections_serve_others(self):
        """A connection serves the next session too."""
        milter, smtpin = self.begin("tempfail")
        for _ in range(5):
            with Dialogue(smtpin.port) as dialogue:
                for _ in range(2):
                    self.assertEqual(self.deliver(dialogue).code, 250)
                dialogue.quit()
                fixture.until(lambda: milter.commands[-1] == "K",
                              "the session did not end")
        self.assertEqual(milter.connections, 1)


if __name__ == "__main__":
    fixture.main()
