# SPDX-License-Identifier: MIT
"""What clients say in the sequences: each command with what it means by its
grammar, so that the model need not parse, and nothing is parsed twice alike."""

import base64
import hashlib
import hmac


class Path:
    """An address as MAIL or RCPT has it."""

    def __init__(self, raw, text=None, fault=False, needs=None, utf8=False,
                 bad_utf8=False):
        self.raw = raw
        self.text = raw.strip(b"<>") if text is None else text
        self.local = self.text.partition(b"@")[0]
        self.fault = fault
        self.needs = needs
        self.utf8 = utf8
        self.bad_utf8 = bad_utf8


class Param:
    """A parameter; VERB is the one that has it, MEANING what it decodes to."""

    def __init__(self, verb, raw, needs=None, bad=False, syntax=False,
                 meaning=None):
        self.verb = verb
        self.raw = raw
        name, equals, value = raw.partition(b"=")
        self.name = name.upper()
        self.value = value if equals else None
        self.needs = needs
        self.bad = bad
        self.syntax = syntax
        self.meaning = meaning


# How and when a message is to be delivered.
WISHES = (b"REQUIRETLS", b"BY", b"HOLDFOR", b"HOLDUNTIL", b"MT-PRIORITY")


class Command:
    """RAW goes over the wire; VERB is in upper case."""

    def __init__(self, raw, verb=None, argument=b"", **more):
        self.raw = raw
        self.verb = verb
        self.argument = argument
        self.bad_line = None
        self.bad_name = False
        self.path = None
        self.params = ()
        self.attempt = None
        self.told = None
        self.body = None
        self.chunk = None
        self.last = False
        self.__dict__.update(more)

    def param(self, name):
        return next((p for p in self.params if p.name == name), None)

    @property
    def size(self):
        p = self.param(b"SIZE")
        return int(p.value) if p and not p.bad else 0

    @property
    def encoding(self):
        p = self.param(b"BODY")
        return p.value.upper() if p is not None else b"7BIT"

    @property
    def wishes(self):
        """What the program is told of them, in its order."""
        found = (self.param(name) for name in WISHES)
        return "".join(" " + p.meaning for p in found if p is not None)

    @property
    def utf8(self):
        return self.param(b"SMTPUTF8") is not None


def plain(verb, argument=b"", end=b"\r\n", **more):
    line = verb.encode() + (b" " + argument if argument else b"")
    return Command(line + end, verb.upper(), argument, **more)


def with_path(verb, prefix, path, params):
    raw = b" ".join([verb.encode() + b" " + prefix + path.raw,
                     *[p.raw for p in params]])
    return Command(raw + b"\r\n", verb.upper(), path=path, params=params)


# Good for both, and bad for both.
GOOD = [
    Path(b"<a@example.net>"), Path(b"<b@example.org>"),
    Path(b"<c.d+e@mail.example.org>"), Path(b'<"a b"@example.net>'),
    Path(b"<f@[192.0.2.1]>"), Path(b"<f@[IPv6:2001:db8::1]>"),
    Path(b"<@r.example,@s.example:g@example.net>", b"g@example.net"),
]
BAD = [Path(raw, b"", True) for raw in (
    b"<a@example.net", b"a@example.net>", b"<a@>", b"<@example.net>",
    b"<a@example..net>", b"<a b@example.net>", b"<a@b@example.net>", b"<",
    b"", b"<a@-example.net>", b"<a(x)@example.net>", b"<" + b"a" * 257
    + b"@example.net>", b"<a@example.net>x", b"<a@[192.0.2.256]>")]
ODD = [
    Path(b"h@example.net", b"h@example.net", needs="bare_addresses"),
    Path(b"<root>", b"root@host.example", needs="default_domain"),
    Path("<jürgen@example.net>".encode(), utf8=True),
    Path("<a@bücher.example>".encode(), utf8=True),
    Path(b"<a\xff@example.net>", bad_utf8=True),
    Path(b"<a\xc0\xaf@example.net>", bad_utf8=True),
]
SENDERS = [Path(b"<>", b"")] + [
    Path(b"<%s@example.net>" % name)
    for name in (b"spammer", b"greylisted", b"close")]
RCPTS = [Path(b"<%s@example.org>" % name) for name in (
    b"nobody", b"later", b"close", b"bug", b"full", b"early", b"over",
    b"never", b"kept", b"moved", b"closed", b"odd", b"stubborn", b"refused",
    b"broken", b"again", b"closing")] + [Path(b"<Postmaster>")]

PARAMS = [
    Param("MAIL", b"SIZE=10"), Param("MAIL", b"size=500"),
    Param("MAIL", b"SIZE=99999999999"), Param("MAIL", b"SIZE=x", bad=True),
    Param("MAIL", b"SIZE", bad=True),
    Param("MAIL", b"BODY=7BIT"), Param("MAIL", b"BODY=8bitmime"),
    Param("MAIL", b"BODY=BINARYMIME", needs="binarymime"),
    Param("MAIL", b"BODY=9BIT", bad=True),
    Param("MAIL", b"SMTPUTF8", needs="smtputf8"),
    Param("MAIL", b"SMTPUTF8", needs="smtputf8"),
    Param("MAIL", b"SMTPUTF8=1", needs="smtputf8", bad=True),
    Param("MAIL", b"RET=HDRS", needs="dsn"),
    Param("MAIL", b"RET=NO", needs="dsn", bad=True),
    Param("MAIL", b"ENVID=QQ314159", needs="dsn"),
    Param("MAIL", b"AUTH=<>", needs="auth", meaning=b""),
    Param("MAIL", b"AUTH=e+3Dmc2@example.com", needs="auth",
          meaning=b"e=mc2@example.com"),
    Param("MAIL", b"AUTH=+", needs="auth", bad=True),
    Param("MAIL", b"REQUIRETLS", needs="requiretls", meaning="requiretls"),
    Param("MAIL", b"REQUIRETLS=1", needs="requiretls", bad=True),
    Param("MAIL", b"BY=3600;R", needs="deliverby",
          meaning="return after 3600"),
    Param("MAIL", b"by=-60;nt", needs="deliverby",
          meaning="notify and trace after -60"),
    Param("MAIL", b"BY=59;R", needs="deliverby", meaning="return after 59"),
    Param("MAIL", b"BY=0;R", needs="deliverby", bad=True),
    Param("MAIL", b"HOLDFOR=60", needs="max_future_release", meaning="held"),
    Param("MAIL", b"HOLDFOR=0", needs="max_future_release", bad=True),
    Param("MAIL", b"HOLDUNTIL=2000-02-29t00:00:00z",
          needs="max_future_release", meaning="until 951782400"),
    Param("MAIL", b"HOLDUNTIL=9999-12-31T23:59:60Z",
          needs="max_future_release", bad=True),
    Param("MAIL", b"MT-PRIORITY=-9", needs="mt_priority",
          meaning="priority -9"),
    Param("MAIL", b"mt-priority=0", needs="mt_priority",
          meaning="priority 0"),
    Param("MAIL", b"MT-PRIORITY=10", needs="mt_priority", bad=True),
    Param("MAIL", b"XOWN=1"),
    Param("RCPT", b"NOTIFY=NEVER", needs="dsn"),
    Param("RCPT", b"NOTIFY=success,failure", needs="dsn"),
    Param("RCPT", b"NOTIFY=NEVER,DELAY", needs="dsn", bad=True),
    Param("RCPT", b"ORCPT=rfc822;b@example.org", needs="dsn"),
    Param("RCPT", b"ORCPT=rfc822", needs="dsn", bad=True),
    Param("RCPT", b"XOTHER"),
    Param(None, b"UNKNOWN=1"), Param(None, b"=1", syntax=True),
    Param(None, b"A==", syntax=True),
]

BAD_LINES = [
    Command(b"\r\n", bad_line="foreign but empty"),
    Command(b"XYZZY\r\n", bad_line="unknown"),
    Command(b"MAILFROM:<a@example.net>\r\n", bad_line="foreign"),
    Command(b"RCPTTO:<a@example.net>\r\n", bad_line="foreign"),
    Command(b"NOOP\0\r\n", bad_line="control"),
    Command(b"RSET \x07\r\n", bad_line="control"),
    Command(b"NO\rOP\r\n", bad_line="control"),
    Command(b" NOOP\r\n", bad_line="foreign"),
    Command(b".\r\n", bad_line="foreign"),
    Command(b"GET / HTTP/1.1\r\n", bad_line="foreign"),
    Command(b"Subject: x\r\n", bad_line="foreign"),
    Command(b"NOOP " + b"x" * 3000 + b"\r\n", bad_line="long"),
    Command(b"MAIL FROM:<" + b"x" * 3000 + b"@example.net>\r\n",
            bad_line="long"),
    plain("NOOP", end=b"\n", bad_line="bare LF"),
    plain("RSET", end=b"\n", bad_line="bare LF"),
]

TOLD = [
    (b"ADDR=192.0.2.1", {"ADDR": b"192.0.2.1"}),
    (b"ADDR=IPV6:2001:db8::1 NAME=client.example",
     {"ADDR": b"2001:db8::1", "NAME": b"client.example"}),
    (b"ADDR=[UNAVAILABLE] PORT=4660", {"ADDR": None, "PORT": b"4660"}),
    (b"HELO=a+2Bb PROTO=SMTP", {"HELO": b"a+b", "PROTO": b"SMTP"}),
    (b"name=[TEMPUNAVAIL]", {"NAME": b"[TEMPUNAVAIL]"}),
    (b"LOGIN=ann", {"LOGIN": b"ann"}),
    (b"IDENT=4711 SOURCE=LOCAL", {"IDENT": b"4711", "SOURCE": b"LOCAL"}),
    (b"", None), (b"ADDR=192.0.2.256", None), (b"ADDR", None),
    (b"ADDR=192.0.2.1 ADDR=192.0.2.1", None), (b"NAME=a+2", None),
    (b"PORT=65536", None), (b"SECRET=x", None),
]

def bdat(chunk, last=False, verb="BDAT"):
    line = f"{verb} {len(chunk)}" + " LAST" * last + "\r\n"
    return Command(line.encode() + chunk, "BDAT", chunk=chunk, last=last)


BAD_CHUNKS = [Command(b"BDAT" + rest + b"\r\n", "BDAT") for rest in (
    b"", b" x", b" -1", b" 0 FIRST", b" 0x0 LAST", b" 0 LAST LAST", b" +0",
    b" 99999999999999999999999")]

ONLY = {"XCLIENT": {"LOGIN"}, "XFORWARD": {"IDENT", "SOURCE"}}


def telling(verb, pair):
    """XCLIENT or XFORWARD, where they have these attributes."""
    other = ONLY["XFORWARD" if verb == "XCLIENT" else "XCLIENT"]
    told = pair[1]
    if told is not None and other & set(told):
        told = None
    return plain(verb, pair[0], told=told)


class Header:
    """Of the PROXY protocol."""

    def __init__(self, raw, peer=None, bad=False):
        self.raw = raw
        self.peer = peer
        self.bad = bad


V2 = b"\r\n\r\n\0\r\nQUIT\n"
HEADERS = [
    Header(b"PROXY TCP4 192.0.2.7 198.51.100.2 4660 25\r\n", "192.0.2.7"),
    Header(b"PROXY TCP6 2001:db8::7 2001:db8::2 4660 25\r\n", "2001:db8::7"),
    Header(b"PROXY UNKNOWN\r\n"),
    Header(V2 + b"\x21\x11\0\x0c" + bytes((192, 0, 2, 7, 198, 51, 100, 2))
           + b"\x12\x34\0\x19", "192.0.2.7"),
    Header(V2 + b"\x20\0\0\0"),
    Header(V2 + b"\x21\x11\0\x0f" + bytes((192, 0, 2, 7, 198, 51, 100, 2))
           + b"\x12\x34\0\x19\x04\0\0", "192.0.2.7"),
    Header(b"PROXY TCP4 192.0.2.256 198.51.100.2 4660 25\r\n", bad=True),
    Header(b"EHLO client.example\r\n" * 6, bad=True),
    Header(V2 + b"\x31\x11\0\x0c" + b"0" * 12, bad=True),
]


def encode(data):
    return base64.b64encode(data)


class Attempt:
    """One AUTH: the initial response and the LINES that answer challenges, each
    bytes or a function of the challenge; what the program is told, and the
    USER that the session has then, or the REPLY."""

    def __init__(self, mechanism, initial, lines, event=None, user=None,
                 reply="535 5.7.8"):
        self.mechanism = mechanism
        self.initial = initial
        self.lines = lines
        self.event = event
        self.user = user
        self.reply = reply

    def command(self):
        argument = self.mechanism.encode()
        if self.initial is not None:
            argument += b" " + self.initial
        return plain("AUTH", argument, attempt=self)


def outcome(user, password):
    """What the callback says of them, as tests/talk/README has it."""
    replies = {b"later": "454 4.7.0", b"bug": "451 4.3.0",
               b"empty key": "451 4.3.0"}
    if user in replies:
        return {"reply": replies[user]}
    return {"user": user} if password == b"pencil" and user != b"locked" \
        else {}


def plain_attempts():
    """RFC 4616"""
    for user, password in ((b"joe", b"pencil"), (b"joe", b"wrong"),
                           (b"later", b"pencil"), (b"locked", b"pencil"),
                           (b"bug", b"pencil"), (b"empty key", b"pencil")):
        text = encode(b"\0" + user + b"\0" + password)
        event = f"PLAIN {user.decode()} password {password.decode()}"
        for initial, lines in ((text, []), (None, [text])):
            yield Attempt("PLAIN", initial, lines, event,
                          **outcome(user, password))
    for identity, user in ((b"ann", b"joe"), (b"ann", b"boss")):
        yield Attempt(
            "PLAIN", encode(identity + b"\0" + user + b"\0pencil"), [],
            f"PLAIN {user.decode()} for ann password pencil",
            user=identity if user == b"boss" else None)
    for text, reply in ((b"*", "501 5.7.0"), (b"x", "501 5.5.2"),
                        (b"====", "501 5.5.2"), (b"am9l", "501 5.5.2"),
                        (b"", "501 5.5.2"), (b"am 9l", "501 5.5.2")):
        yield Attempt("PLAIN", None, [text], reply=reply)
    yield Attempt("PLAIN", b"=", [], reply="501 5.5.2")


def login_attempts():
    for user, password in ((b"joe", b"pencil"), (b"joe", b"wrong"),
                           (b"later", b"x")):
        event = f"LOGIN {user.decode()} password {password.decode()}"
        yield Attempt("LOGIN", None, [encode(user), encode(password)], event,
                      **outcome(user, password))
        yield Attempt("LOGIN", encode(user), [encode(password)], event,
                      **outcome(user, password))
    yield Attempt("LOGIN", None, [encode(b"joe"), b"*"], reply="501 5.7.0")
    yield Attempt("LOGIN", None, [b""], reply="501 5.5.2")
    yield Attempt("LOGIN", None, [b"*"], reply="501 5.7.0")


def bearer_attempts():
    """RFC 7628"""
    good = encode(b"n,a=joe,\1auth=Bearer pencil\1\1")
    yield Attempt("OAUTHBEARER", good, [],
                  "OAUTHBEARER  for joe token pencil", user=b"joe")
    yield Attempt("OAUTHBEARER", None, [good],
                  "OAUTHBEARER  for joe token pencil", user=b"joe")
    yield Attempt("OAUTHBEARER", encode(b"n,,\1auth=Bearer pencil\1\1"), [],
                  "OAUTHBEARER  token pencil", user=b"")
    yield Attempt("OAUTHBEARER", encode(b"n,,\1auth=Bearer wrong\1\1"),
                  [b"AQ=="], "OAUTHBEARER  token wrong")
    yield Attempt("OAUTHBEARER", encode(b"n,,\1\1"), [], reply="501 5.5.2")
    yield Attempt("XOAUTH2", encode(b"user=joe\1auth=Bearer pencil\1\1"), [],
                  "XOAUTH2  for joe token pencil", user=b"joe")
    yield Attempt("XOAUTH2", encode(b"user=joe\1auth=Bearer wrong\1\1"),
                  [b""], "XOAUTH2  for joe token wrong")
    yield Attempt("XOAUTH2", None, [b"*"], reply="501 5.7.0")


class Scram:
    """A client of SCRAM-SHA-256 (RFC 5802), and its lines."""

    def __init__(self, user, password):
        self.bare = b"n=" + user + b",r=rOprNGfwEbeRWgbNEkqO"
        self.password = password
        self.first = encode(b"n,," + self.bare)

    def final(self, challenge):
        fields = dict(part.split(b"=", 1) for part in challenge.split(b","))
        without = b"c=biws,r=" + fields[b"r"]
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.password, base64.b64decode(fields[b"s"]),
            int(fields[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(
            hashlib.sha256(key).digest(),
            b",".join((self.bare, challenge, without)), "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        return encode(without + b",p=" + encode(proof))


def scram_attempts():
    def attempt(name, password, initial, **result):
        scram = Scram(name, password)
        lines = [scram.first] * (not initial) + [scram.final]
        if "user" in result:
            lines.append(b"")
        return Attempt("SCRAM-SHA-256", scram.first if initial else None,
                       lines, f"SCRAM-SHA-256 {name.decode()}", **result)

    for initial in (True, False):
        yield attempt(b"key", b"pencil", initial, user=b"key")
        yield attempt(b"key", b"wrong", initial)
        yield attempt(b"joe", b"pencil", initial)
    first = Scram(b"key", b"pencil").first
    yield Attempt("SCRAM-SHA-256", first, [b"*"], "SCRAM-SHA-256 key",
                  reply="501 5.7.0")
    yield Attempt("SCRAM-SHA-256", first, [b"AQ=="], "SCRAM-SHA-256 key",
                  reply="501 5.5.2")
    yield Attempt("SCRAM-SHA-256", b"AQ==", [], reply="501 5.5.2")
    yield Attempt("SCRAM-SHA-256", encode(b"y,,n=key"), [],
                  reply="501 5.5.2")


ATTEMPTS = {
    "PLAIN": list(plain_attempts()),
    "LOGIN": list(login_attempts()),
    "SCRAM-SHA-256": list(scram_attempts()),
    "bearer": list(bearer_attempts()),
    "other": [Attempt("CRAM-MD5", None, []), Attempt("X-ONE", b"AA==", [])],
}
