# SPDX-License-Identifier: MIT
"""Each extension on each way into the server: plain, by STARTTLS, in TLS at
once, each of them also behind a proxy that speaks PROXY 1 or 2.

A row of EXTENSIONS says what is announced, what a client says and is answered,
and what the trace field has; a row of WAYS how the client comes.
"""

import base64
import os
import sys
import unittest

import harness
from harness import Client, client_context, serve

sys.path.append(os.path.join(os.path.dirname(__file__), "../model"))
from commands import Scram

PROXIED = "192.0.2.7"
V1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 4660 25\r\n"
V2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
      + bytes((192, 0, 2, 7, 127, 0, 0, 1)) + b"\x12\x34\0\x19")
V2_TLVS = (b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x29"
           + bytes.fromhex("20010db8000000000000000000000007"
                           "20010db8000000000000000000000001")
           + b"\x12\x34\0\x19\x02\0\x02mx")
MECHANISMS = "SCRAM-SHA-256 PLAIN LOGIN OAUTHBEARER XOAUTH2"
SIZE = 20
MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


class Way:
    """TLS is "", "starttls" or "at once"; HEADER comes before all."""

    def __init__(self, tls="", header=b"", peer="127.0.0.1"):
        self.tls = tls
        self.header = header
        self.peer = peer


WAYS = {
    name + tls: Way(tls, header, peer)
    for name, header, peer in (
        ("", b"", "127.0.0.1"), ("PROXY 1 ", V1, PROXIED),
        ("PROXY 2 ", V2, PROXIED),
        ("PROXY 2 IPv6 ", V2_TLVS, "IPv6:2001:db8::7"))
    for tls in ("", "starttls", "at once")
}


def b64(text):
    return base64.b64encode(text.encode("latin-1")).decode()


class Extension:
    """ANNOUNCES: keywords of EHLO with their parameters.  SAYS: commands and
    the codes of their replies, or what only its function can say; MAIL and RCPT
    are parameters.  TRACE: how the protocol of the trace field begins, and
    whether the client authenticated.  LMTP: it is no SMTP.  CHUNKS: the message
    comes by BDAT.  WISHES: what the program sees that is asked for it.  PLAIN:
    the code of MAIL where TLS is missing, for what is not announced there."""

    def __init__(self, *announces, says=(), mail="", rcpt="",
                 sender="a@example.net", to="b@example.org", trace="",
                 auth=False, lmtp=False, replies=1, chunks=False, wishes="",
                 plain=""):
        self.announces = announces
        self.says = says
        self.mail = mail
        self.rcpt = rcpt
        self.sender = sender
        self.to = to
        self.trace = trace
        self.auth = auth
        self.lmtp = lmtp
        self.replies = replies
        self.chunks = chunks
        self.wishes = wishes
        self.plain = plain


def say_scram(client):
    scram = Scram(b"joe", b"pencil")
    reply = client.say("AUTH SCRAM-SHA-256 " + scram.first.decode())
    client.expect("334 ", reply)
    challenge = base64.b64decode(reply[4:])
    client.expect("334 ", client.say(scram.final(challenge).decode()))
    client.expect("235 ", client.say(""))


def say_group(client):
    """Of what is refused in a group nothing stays."""
    for group, wanted in (
            (b"MAIL FROM:<a@>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n",
             [501, 503, 503]),
            (b"MAIL FROM:<a@example.net>\r\nRCPT TO:<c@>\r\n"
             b"RCPT TO:<b@example.org>\r\nRSET\r\nNOOP\r\n",
             [250, 501, 250, 250, 250])):
        client.send(group)
        codes = [client.reply().code for _ in wanted]
        if codes != wanted:
            raise AssertionError(codes)


EXTENSIONS = {
    "nothing": Extension("ENHANCEDSTATUSCODES", says=[
        ("NOOP", "250 2.0.0"), ("VRFY b", "502 5.5.1"),
        ("DATA", "503 5.5.1")]),
    "SIZE": Extension("SIZE 52428800", says=[
        ("MAIL FROM:<a@example.net> SIZE=52428801", "552 5.3.4"),
        ("MAIL FROM:<a@example.net> SIZE=-1", "501 5.5.4")],
        mail=f"SIZE={SIZE}"),
    "8BITMIME": Extension("8BITMIME", says=[
        ("MAIL FROM:<a@example.net> BODY=9BIT", "501 5.5.4")],
        mail="BODY=8BITMIME"),
    "SMTPUTF8": Extension("SMTPUTF8", says=[
        ("MAIL FROM:<\xc3\xbc@example.net>", "553 5.6.7")],
        mail="SMTPUTF8", wishes="smtputf8", sender="\xc3\xbc@example.net",
        to="\xc3\xb6@example.org", trace="UTF8"),
    "SMTPUTF8 for ASCII": Extension("SMTPUTF8", mail="SMTPUTF8", trace="UTF8"),
    "LIMITS": Extension("LIMITS MAILMAX=1000 RCPTMAX=1000"),
    "CHUNKING": Extension("CHUNKING", chunks=True, says=[
        ("BDAT 0 LAST", "503 5.5.1"),
        ("BDAT 6 LAST\r\nQUIT", "503 5.5.1")]),
    "BINARYMIME": Extension(
        "BINARYMIME", chunks=True, mail="BODY=BINARYMIME",
        wishes="binarymime", says=[
            ("MAIL FROM:<a@example.net> BODY=BINARYMIME", "250 2.1.0"),
            ("RCPT TO:<b@example.org>", "250 2.1.5"),
            ("DATA", "503 5.5.1"), ("RSET", "250 2.0.0")]),
    "REQUIRETLS": Extension("REQUIRETLS", says=[
        ("MAIL FROM:<a@example.net> REQUIRETLS=1", "501 5.5.4")],
        mail="REQUIRETLS", wishes="requiretls", plain="530 5.7.10"),
    "DELIVERBY": Extension("DELIVERBY", says=[
        ("MAIL FROM:<a@example.net> BY=0;R", "501 5.5.4"),
        ("MAIL FROM:<a@example.net> BY=60;R BY=60;R", "501 5.5.4")],
        mail="BY=3600;RT", wishes="by"),
    "FUTURERELEASE for": Extension("FUTURERELEASE 86400 20*", says=[
        ("MAIL FROM:<a@example.net> HOLDFOR=86401", "501 5.5.4"),
        ("MAIL FROM:<a@example.net> HOLDFOR=1 "
         "HOLDUNTIL=2000-01-01T00:00:00Z", "501 5.5.4")],
        mail="HOLDFOR=60", wishes="held"),
    "FUTURERELEASE until": Extension("FUTURERELEASE 86400 20*", says=[
        ("MAIL FROM:<a@example.net> HOLDUNTIL=2000", "501 5.5.4")],
        mail="HOLDUNTIL=2000-01-01T00:00:00Z", wishes="held"),
    "MT-PRIORITY": Extension("MT-PRIORITY", says=[
        ("MAIL FROM:<a@example.net> MT-PRIORITY=10", "501 5.5.4")],
        mail="MT-PRIORITY=-3", wishes="priority"),
    "all that is asked for": Extension(
        mail="BY=60;N HOLDFOR=60 MT-PRIORITY=9 SMTPUTF8", trace="UTF8",
        wishes="by held priority smtputf8"),
    "DSN": Extension("DSN", says=[
        ("MAIL FROM:<a@example.net> RET=X", "501 5.5.4")],
        mail="RET=HDRS ENVID=QQ314159",
        rcpt="NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@example.org"),
    "PIPELINING": Extension("PIPELINING", says=say_group),
    "XFORWARD": Extension(
        "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE", says=[
            ("XFORWARD ADDR=192.0.2.300", "501 5.5.4"),
            ("XFORWARD ADDR=198.51.100.9 NAME=x.example", "250 2.0.0")]),
    "XCLIENT": Extension(
        "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT", says=[
            ("XCLIENT ADDR=198.51.100.9", "220"),
            ("MAIL FROM:<a@example.net>", "503 5.5.1"),
            ("EHLO client.example.net", "250")]),
    "AUTH PLAIN": Extension(auth=True, says=[
        ("AUTH PLAIN " + b64("\0joe\0wrong"), "535 5.7.8"),
        ("AUTH PLAIN", "334"), (b64("\0joe\0pencil"), "235 2.7.0"),
        ("AUTH PLAIN", "503 5.5.1")]),
    "AUTH LOGIN": Extension(auth=True, says=[
        ("AUTH LOGIN", "334"), ("*", "501 5.7.0"),
        ("AUTH LOGIN", "334"), (b64("joe"), "334"),
        (b64("pencil"), "235 2.7.0")]),
    "AUTH=": Extension(auth=True, says=[
        ("AUTH PLAIN " + b64("\0joe\0pencil"), "235 2.7.0"),
        ("MAIL FROM:<a@example.net> AUTH=+", "501 5.5.4"),
        ("MAIL FROM:<a@example.net> AUTH", "501 5.5.4")],
        mail="AUTH=e+3Dmc2@example.com", wishes="submitter"),
    "AUTH SCRAM-SHA-256": Extension(auth=True, says=say_scram),
    "AUTH OAUTHBEARER": Extension(auth=True, says=[
        ("AUTH OAUTHBEARER " + b64("n,a=joe,\1auth=Bearer t0ken\1\1"),
         "235 2.7.0")]),
    "AUTH XOAUTH2": Extension(auth=True, says=[
        ("AUTH XOAUTH2 " + b64("user=joe\1auth=Bearer no\1\1"), "334"),
        ("", "535 5.7.8"),
        ("AUTH XOAUTH2 " + b64("user=joe\1auth=Bearer t0ken\1\1"),
         "235 2.7.0")]),
    "LMTP": Extension("PIPELINING", "8BITMIME", lmtp=True, replies=2, says=[
        ("EHLO x", "500 5.5.2"), ("HELO x", "500 5.5.2"),
        ("RSET", "250 2.0.0")]),
    "LMTP with AUTH": Extension(lmtp=True, replies=1, auth=True, says=[
        ("AUTH PLAIN " + b64("\0joe\0pencil"), "235 2.7.0")]),
    "LMTP with CHUNKING": Extension("CHUNKING", lmtp=True, replies=2,
                                    chunks=True),
    "LMTP with SMTPUTF8": Extension(
        "SMTPUTF8", lmtp=True, mail="SMTPUTF8", trace="UTF8",
        to="\xc3\xb6@example.org"),
}


class Matrix(unittest.TestCase):
    """One server for those who come straight, one for the proxy."""

    host = None
    sessions = 0

    def begin(self, proxied):
        settings = {"dsn": 1, "smtputf8": 1, "chunking": 1, "binarymime": 1,
                    "requiretls": 1, "deliverby": 1, "mt_priority": 1,
                    "max_future_release": 86400,
                    "auth": MECHANISMS, "auth_delay_ms": 1,
                    "xclient": "127.0.0.1"}
        if proxied:
            settings.update(xclient="0.0.0.0/0", proxy="127.0.0.1")
        self.host = serve(self, "a", start=False, **settings)
        self.host.listen("lmtp")
        self.host.listen("tls", "lmtp")
        self.host.ask("start")

    def connect(self, way, lmtp):
        """Up to the reply to EHLO, which is returned too."""
        index = 2 * lmtp + (way.tls == "at once")
        client = Client(self.host.ports[index])
        self.addCleanup(client.close)
        self.sessions += 1
        client.send(way.header)
        context = client_context()
        if way.tls == "at once":
            client.wrap(context)
        client.expect("220 mx.example.org " + ("LMTP" if lmtp else "ESMTP"),
                      client.reply())
        hello = ("LHLO" if lmtp else "EHLO") + " client.example.net"
        reply = client.say(hello)
        if way.tls == "starttls":
            self.assertIn("STARTTLS", reply)
            client.expect("220 2.0.0 ", client.say("STARTTLS"))
            client.wrap(context)
            reply = client.say(hello)
        self.assertEqual("STARTTLS" in reply, not way.tls)
        return client, [line[4:] for line in reply.split("\n")]

    def say(self, client, pairs):
        if callable(pairs):
            pairs(client)
            return
        for line, codes in pairs:
            reply = client.say(line)
            self.assertTrue(reply.startswith(codes[:3]), f"{line}: {reply}")
            if " " in codes:
                self.assertEqual(reply.codes, codes, line)

    def deliver(self, client, x):
        """The message, as X has its envelope."""
        self.say(client, [
            (f"MAIL FROM:<{x.sender}> {x.mail}".rstrip(), "250 2.1.0"),
            *[(f"RCPT TO:<{x.to}> {x.rcpt}".rstrip(), "250 2.1.5")]
            * x.replies])
        if x.chunks:
            client.send(b"BDAT 11\r\n%bBDAT %d LAST\r\n%b" % (
                MESSAGE[:11], len(MESSAGE) - 11, MESSAGE[11:]))
            self.assertEqual(client.reply().codes, "250 2.0.0")
        else:
            self.say(client, [("DATA", "354")])
            client.send(MESSAGE + b".\r\n")
        for _ in range(x.replies):
            self.assertEqual(client.reply().codes, "250 2.0.0")

    def check_trace(self, way, x, peer):
        """RFC 3848; RFC 6531, 4.3; RFC 5321, 4.4"""
        line = self.host.saw(rf"^message {self.sessions} .*").group()
        protocol = x.trace + ("LMTP" if x.lmtp else
                              "SMTP" if x.trace else "ESMTP") \
            + "S" * bool(way.tls) + "A" * x.auth
        self.assertIn(f" size={len(MESSAGE)} ", line)
        self.assertIn(f" {x.wishes} ".replace("  ", " ") + "Received:", line)
        self.assertIn(f"[{peer}]", line)
        self.assertIn(f" with {protocol} ", line)
        self.assertEqual("TLS" in line, bool(way.tls), line)
        if x.replies == 1 and not x.trace:
            self.assertIn(f" for <{x.to}>", line)

    def try_cell(self, way, x):
        client, keywords = self.connect(way, x.lmtp)
        offered = "AUTH " + MECHANISMS in keywords
        self.assertEqual(offered, bool(way.tls))
        if "SMTPUTF8" in x.announces and "SMTPUTF8" not in keywords:
            return  # built without libidn2
        if x.plain and not way.tls:
            self.assertNotIn(x.announces[0], keywords)
            self.say(client, [(f"MAIL FROM:<{x.sender}> {x.mail}", x.plain)])
            return
        for keyword in x.announces:
            if keyword.endswith("*"):
                keyword = next((k for k in keywords
                                if k.startswith(keyword[:-1])), keyword)
            if keyword.startswith("X") and ":" in way.peer:
                self.assertNotIn(keyword, keywords)  # no filter
                return
            self.assertIn(keyword, keywords)
        if x.auth and not way.tls:
            self.say(client, [("AUTH PLAIN " + b64("\0joe\0pencil"),
                               "538 5.7.11")])
            return
        self.say(client, x.says)
        self.deliver(client, x)
        told = any("XCLIENT" in keyword for keyword in x.announces)
        self.check_trace(way, x, "198.51.100.9" if told else way.peer)
        client.quit()
        self.host.saw(rf"^disconnect {self.sessions} quit")

    def try_ways(self, proxied):
        self.begin(proxied)
        for name, way in WAYS.items():
            for title, x in EXTENSIONS.items():
                if bool(way.header) == proxied:
                    with self.subTest(f"{name or 'plain'}: {title}"):
                        self.try_cell(way, x)

    def test_straight(self):
        self.try_ways(False)

    def test_behind_a_proxy(self):
        self.try_ways(True)


class BetweenTheLines(unittest.TestCase):
    """What stands before TLS begins is none of it, proxied or not (RFC 3207,
    4.2)."""

    def try_injection(self, header, **settings):
        host = serve(self, "a", **settings)
        client = Client(host.ports[0])
        self.addCleanup(client.close)
        client.send(header)
        client.greet()
        client.send(b"STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
        self.assertEqual(client.reply().codes, "554 5.5.0")
        self.assertEqual(client.rest(), b"")
        host.saw("^disconnect 1 refused")
        self.assertFalse([x for x in host.events() if x.startswith("tls ")])

    def test_straight(self):
        self.try_injection(b"")

    def test_behind_a_proxy(self):
        for header in (V1, V2):
            self.try_injection(header, proxy="127.0.0.1")


if __name__ == "__main__":
    harness.main()
