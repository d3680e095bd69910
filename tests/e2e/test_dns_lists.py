#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""smtpin with lists in the DNS, which a small server of the test has."""

import socket
import struct
import threading
import unittest

import smtpin_fixture as fixture
from smtpin_fixture import Dialogue, Smtpin

# What is listed: the name that is asked for, and the answer.
LISTED = {
    "1.2.0.192.bad.test": "127.0.0.2",
    "2.2.0.192.bad.test": "127.0.0.4",
    "3.2.0.192.bad.test": "127.255.255.254",
    "4.2.0.192.bad.test": "127.0.0.2",
    "4.2.0.192.good.test": "127.0.0.1",
    "1." + "0." * 23 + "8.b.d.0.1.0.0.2.bad.test": "127.0.0.2",
}


class Names:
    """A DNS server that answers A from LISTED, and nothing for silent.test."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            reply = self.answer(query)
            if reply:
                self.socket.sendto(reply, peer)

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
            at += 1 + query[at]
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        self.asked.append(name)
        if name.endswith("silent.test"):
            return None
        address = LISTED.get(name)
        code = 0 if address else 3
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1,
                                       1 if address else 0, 0, 0)
        if not address:
            return head + question
        return head + question + b"\xc0\x0c" + struct.pack(
            ">HHIH", 1, 1, 60, 4) + socket.inet_aton(address)

    def close(self):
        self.socket.close()


class DnsLists(unittest.TestCase):
    def start(self, *arguments):
        names = Names()
        self.addCleanup(names.close)
        return names, self.enterContext(Smtpin(arguments=[
            "-a", "127.0.0.1:0", "--xclient-from", "127.0.0.0/8",
            "--list-dns", names.address, *arguments]))

    def greeting(self, smtpin, address):
        """What a client at ADDRESS is greeted with."""
        with Dialogue(smtpin.port) as dialogue:
            return dialogue.say(f"XCLIENT ADDR={address}").codes

    def test_listed(self):
        """One that is listed is sent away, and others are not."""
        names, smtpin = self.start("--dnsbl", "bad.test", "--dnswl",
                                   "good.test")
        for address, codes in (
                ("192.0.2.1", "554 5.7.1"), ("192.0.2.2", "554 5.7.1"),
                ("192.0.2.3", "220"), ("192.0.2.4", "220"),
                ("192.0.2.5", "220"), ("IPv6:2001:db8::1", "554 5.7.1"),
                ("127.0.0.1", "220")):
            with self.subTest(address=address):
                self.assertEqual(self.greeting(smtpin, address), codes)
        smtpin.await_words("refused by a DNS list")
        self.assertEqual(self.greeting(smtpin, "192.0.2.1"), "554 5.7.1")
        self.assertEqual(names.asked.count("1.2.0.192.bad.test"), 1)

    def test_reply(self):
        """Only the answers that were named count."""
        _, smtpin = self.start("--dnsbl", "bad.test=127.0.0.4")
        self.assertEqual(self.greeting(smtpin, "192.0.2.1"), "220")
        self.assertEqual(self.greeting(smtpin, "192.0.2.2"), "554 5.7.1")

    def test_silence(self):
        """A list that does not answer lists nobody, and holds up no other."""
        _, smtpin = self.start("--dnsbl", "silent.test", "--dnsbl", "bad.test")
        self.assertEqual(self.greeting(smtpin, "192.0.2.5"), "220")
        self.assertEqual(self.greeting(smtpin, "192.0.2.1"), "554 5.7.1")


if __name__ == "__main__":
    fixture.main()
