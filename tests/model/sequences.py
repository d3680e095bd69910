# SPDX-License-Identifier: MIT
"""Random settings of a server, and random sequences of what a client says."""

import session
from messages import decode
from commands import (
    ATTEMPTS, BAD, BAD_CHUNKS, BAD_LINES, GOOD, HEADERS, ODD, PARAMS, RCPTS,
    SENDERS, TOLD, bdat, plain, telling, with_path)

ALL_MECHANISMS = "SCRAM-SHA-256 PLAIN LOGIN OAUTHBEARER XOAUTH2"

# Of the program, in every server.
REGISTERED = """\
verb XANY pipelined 250 2.0.0 any {}
verb XLAST - 250 2.0.0 last
verb XHELLO hello,pipelined 0
verb XTRANS transaction,pipelined 450 4.0.0 no {}
param MAIL XOWN
param RCPT XOTHER
"""

# Each with its chance of being there, and its values.
SETTINGS = (
    ("errors_hard", 0.3, ["6"]), ("lmtp", 0.2, ["1"]), ("dsn", 0.5, ["1"]),
    ("smtputf8", 0.5, ["1"]), ("chunking", 0.6, ["1"]),
    ("binarymime", 0.5, ["1"]), ("requiretls", 0.5, ["1"]),
    ("deliverby", 0.5, ["1"]), ("min_deliver_by", 0.5, ["60"]),
    ("max_future_release", 0.5, ["86400"]), ("mt_priority", 0.5, ["1"]),
    ("auth", 0.6, ["1"]),
    ("auth_mechanisms", 0.7, [ALL_MECHANISMS, "LOGIN XOAUTH2"]),
    ("auth_without_tls", 0.7, ["1"]), ("auth_required", 0.2, ["1"]),
    ("max_auth_failures", 0.3, ["none", "1"]),
    ("bare_addresses", 0.3, ["1"]), ("default_domain", 0.3, ["host.example"]),
    ("xclient", 0.3, ["local"]), ("proxy", 0.2, ["local"]),
    ("tls", 0.3, ["1"]), ("max_transactions", 0.2, ["3"]),
    ("max_message_size", 0.3, ["2000"]), ("max_text_line", 0.3, ["1000"]),
    ("max_hops", 0.3, ["3"]), ("bare_lf", 0.5, ["refuse", "repair"]),
    ("bare_cr", 0.4, ["repair"]), ("nul", 0.4, ["repair"]),
    ("max_command_line", 0.2, ["512"]), ("bare_lf_commands", 0.3, ["1"]),
)


def settings(rng, able):
    """Those of a server.  ABLE: what the library was built with."""
    result = {"errors_hard": "none"}
    for name, chance, values in SETTINGS:
        if rng.random() < chance and able.get(name, True):
            result[name] = rng.choice(values)
    if "auth" not in result:
        result.pop("auth_required", None)
        result.pop("auth_mechanisms", None)
    if "deliverby" not in result:
        result.pop("min_deliver_by", None)
    if "mt_priority" in result:
        result["priority_policy"] = "MIXER"
    if "chunking" not in result:
        result.pop("binarymime", None)
    if not able["tls"] and "auth_mechanisms" in result:
        result["auth_mechanisms"] = result["auth_mechanisms"].replace(
            "SCRAM-SHA-256 ", "")
    return result


def lines(chosen):
    """The settings as a conversation file has them."""
    given = {"errors_soft": chosen["errors_hard"], "tarpit_ms": "1", "auth_delay_ms": "1",
             **chosen}
    text = "".join(f"= {name} {value}\n" for name, value in given.items()
                   if name != "tls")
    return text + "".join(f"= {line}\n" for line in REGISTERED.splitlines())


PIECES = [
    b"text\r\n", b"\r\n", b"..\r\n", b"..x\r\n", b".x\r\n", b"...\r\n",
    b"QUIT\r\n", b". \r\n", "Grüße\r\n".encode(), b"\xff\xfe\r\n",
    b"a\n.\n", b"a\n.\r\n", b"a\r\n.\n", b"a\r\n.\r", b"\r.\r\n", b"\r.\r",
    b"\r\r\n", b"\0", b"\r\0\n.\r\n", b"\r\n\0.\r\n", b"\n\n", b"\r\n.\r\r\n",
    b"y" * 1500 + b"\r\n", b"z" * 990 + b"\r\n",
    b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n",
]
CLEAN = 10  # pieces without a forbidden byte


def body(rng, limit):
    """A message as it goes over the wire, with its end."""
    while True:
        pieces = PIECES[:CLEAN] if rng.random() < 0.6 else PIECES
        text = b"Received: x\r\n" * rng.choice((0, 0, 0, 2, 3))
        text += b"Subject: x\r\n"
        text += b"".join(rng.choices(pieces, k=rng.randrange(8)))
        if rng.random() < 0.2:
            text += b"0123456789abcde\r\n" * rng.choice((150, 240, 480, 960))
        if rng.random() < 0.1:
            text = b""
        elif not text.endswith(b"\r\n"):
            text += b"\r\n"
        raw = text + b".\r\n"
        content, rest = decode(raw)
        size = len(content)
        if rest or (limit and (len(raw) > 2 * limit - 100
                               or limit - 100 < size < limit + 100)):
            continue
        return raw


def is_bad_cut(content, at):
    """Where one could not say in which chunk a fault is."""
    line = at - content.rfind(b"\n", 0, at) - 1
    return content[:at].endswith(b"\r\r") or 980 < line < 1020 or \
        at < content.rfind(b"Received: x\r\n") + 13


def chunks(rng, limit):
    """A message in chunks; there may be no line end behind it."""
    content = decode(body(rng, limit))[0]
    if rng.random() < 0.2:
        content = content[:-rng.randrange(1, 3)]
    cuts = [0, len(content)]
    for _ in range(rng.choice((0, 0, 1, 2, 5))):
        cuts.append(rng.randrange(len(content) + 1))
    cuts = sorted(at for at in cuts if at in (0, len(content))
                  or not is_bad_cut(content, at))
    parts = [content[a:b] for a, b in zip(cuts, cuts[1:])]
    if rng.random() < 0.2:
        parts.append(b"")
    verb = rng.choice(("BDAT", "bdat"))
    return [bdat(part, i == len(parts) - 1, verb)
            for i, part in enumerate(parts)]


def is_possible(verb, p, chosen):
    return p.verb == verb and not p.bad and (
        p.needs is None or p.needs in chosen)


class Generator:
    def __init__(self, rng, chosen):
        self.rng = rng
        self.chosen = chosen
        self.size = int(chosen.get("max_message_size", 0))
        self.chunks = []  # of the message that is under way

    def header(self):
        if "proxy" not in self.chosen:
            return None
        bad = self.rng.random() < 0.1
        return self.rng.choice([h for h in HEADERS if h.bad == bad])

    def params(self, verb):
        """Good ones, or any."""
        rng = self.rng
        if rng.random() < 0.5:
            return ()
        if rng.random() < 0.3:
            return tuple(rng.choices(PARAMS, k=rng.randrange(1, 4)))
        good = {p.name: p for p in rng.sample(PARAMS, len(PARAMS))
                if is_possible(verb, p, self.chosen)
                and not p.value == b"99999999999"}
        names = rng.sample(list(good), min(len(good), rng.randrange(3)))
        return tuple(good[name] for name in names)

    def path(self, special):
        rng = self.rng
        return rng.choice(rng.choices(
            (GOOD, special, BAD, ODD), (60, 20, 8, 12))[0])

    def mail(self):
        path = self.path(SENDERS)
        return with_path(
            self.rng.choice(("MAIL", "mail")), b"FROM:", path,
            self.params("MAIL") if path.raw else ())

    def rcpt(self):
        path = self.path(RCPTS)
        return with_path(
            self.rng.choice(("RCPT", "Rcpt")), b"TO:", path,
            self.params("RCPT") if path.raw else ())

    def data(self):
        return plain("DATA", body=body(self.rng, self.size))

    def hello(self):
        verb = "LHLO" if "lmtp" in self.chosen else self.rng.choices(
            ("EHLO", "HELO"), (9, 1))[0]
        return plain(verb, self.rng.choice((b"client.example", b"[192.0.2.1]",
                                            b"any text")))

    def auth(self):
        group = self.rng.choice(list(ATTEMPTS))
        return self.rng.choice(ATTEMPTS[group]).command()

    def sensible(self, state):
        """What leads to a message."""
        rng = self.rng
        if state.hello is None:
            return self.hello()
        if "tls" in self.chosen and not state.tls and rng.random() < 0.3:
            return plain("STARTTLS")
        if state.open is None and state.user is None \
                and "auth" in self.chosen and rng.random() < 0.5:
            return self.auth()
        if state.open is None:
            return self.mail()
        if self.chunks and rng.random() < 0.95:
            return self.chunks.pop(0)
        if not state.open.rcpts or rng.random() < 0.3:
            return self.rcpt()
        if "chunking" in self.chosen and rng.random() < 0.6:
            self.chunks = chunks(rng, self.size)
            return self.chunks.pop(0)
        return self.data()

    def bdat(self):
        """In any place, or wrong; one that nobody takes has no octets."""
        rng = self.rng
        if rng.random() < 0.2:
            return rng.choice(BAD_CHUNKS)
        if "chunking" not in self.chosen:
            return bdat(b"", rng.random() < 0.5)
        return rng.choice(chunks(rng, self.size))

    def anything(self):
        rng = self.rng
        kind = rng.randrange(18)
        if kind == 0:
            return self.hello()
        if kind == 1:
            return plain(rng.choice(("EHLO", "HELO", "LHLO")),
                         rng.choice((b"", b"x" * 256, b"other.example")))
        if kind == 2:
            return self.mail()
        if kind == 3:
            return self.rcpt()
        if kind == 4:
            return self.data()
        if kind == 5:
            return plain(rng.choice(("DATA", "RSET", "QUIT", "STARTTLS")),
                         b"x")
        if kind == 6:
            return plain("RSET")
        if kind == 7:
            return plain(rng.choice(("NOOP", "HELP", "noop")),
                         rng.choice((b"", b"x y")))
        if kind == 8:
            name = rng.choice((b"smith", "ü".encode(), b"smith SMTPUTF8",
                               "ü SMTPUTF8".encode(), b"\xff SMTPUTF8"))
            bad = name in ("ü".encode(), b"\xff SMTPUTF8")
            return plain(rng.choice(("VRFY", "EXPN")), name, bad_name=bad)
        if kind == 9:
            return plain(rng.choice(("TURN", "SEND", "SOML", "SAML")), b"x")
        if kind == 10:
            return plain("STARTTLS")
        if kind == 11:
            return plain("AUTH", rng.choice((
                b"", b"PLAIN a b", b"X" * 21))) if rng.random() < 0.3 \
                else self.auth()
        if kind == 12:
            return plain(rng.choice(("XANY", "XLAST", "XHELLO", "XTRANS")),
                         rng.choice((b"", b"x", b"\xc3\xbc\\")))
        if kind == 13:
            return telling(rng.choice(("XCLIENT", "XFORWARD")),
                           rng.choice(TOLD))
        if kind in (14, 15):
            return self.bdat()
        return rng.choice(BAD_LINES)

    def unit(self, state):
        """Commands that go in one write; STATE is a model that follows."""
        rng, unit = self.rng, []
        while True:
            wild = 0.15 if self.chunks else 0.4
            command = self.anything() if rng.random() < wild \
                else self.sensible(state)
            more = rng.random() < 0.35 and len(unit) < 6 and (
                rng.random() < 0.02 or (
                    command.verb not in session.LAST and state.esmtp))
            unit.append(command)
            state.take(command, more)
            if state.closed or not more:
                return unit

    def sequence(self):
        """The header of a proxy or None, and the units."""
        header = self.header()
        state = session.Session(self.chosen)
        state.begin(header)
        units = []
        for _ in range(self.rng.randrange(3, 25)):
            if state.closed:
                break
            unit = self.unit(state)
            units.append(unit)
            answer_waiting(state, unit[-1])
        if not state.closed and self.rng.random() < 0.7:
            units.append([plain("QUIT")])
        return header, units


def answer_waiting(state, command):
    """Let the model see what comes behind COMMAND by itself."""
    if state.waiting == "message":
        return state.message(command.body)
    if state.waiting == "exchange":
        return state.exchange(command.attempt)
    if state.waiting == "handshake":
        state.handshake()
    return []
