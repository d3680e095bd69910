# SPDX-License-Identifier: MIT
"""A session of the server, as the RFCs have it: what it answers to which
command, and what the program is told.  It knows nothing of the code.

RFC 5321 (SMTP), 1870 (SIZE), 2033 (LMTP), 2034 (enhanced codes), 2920
(PIPELINING), 3207 (STARTTLS), 3461 (DSN), 4954 (AUTH), 6531 (SMTPUTF8), and
Postfix's XCLIENT_README.  What they leave open is documented: settings.h, the
handlers of the program in tests/talk/README.

Where a command has several faults, each of their codes is right.
"""

import re

HOST = "mx.example.org"

# Nothing may follow these in their group (RFC 2920, 3.1).
LAST = {"EHLO", "HELO", "LHLO", "DATA", "STARTTLS", "AUTH", "XCLIENT",
        "XLAST"}

# What the program's handlers say of MAIL and RCPT, by the local part.
SENDER_REPLIES = {b"spammer": "550 5.7.1", b"greylisted": "451 4.7.1",
                  b"close": "421 4.7.0"}
RCPT_REPLIES = {b"nobody": "550 5.1.1", b"later": "451 4.7.1",
                b"close": "421 4.7.0", b"bug": "451 4.3.0"}
# And delivery, of a recipient before and behind the message, and of the whole.
EARLY_REPLIES = {b"over": "452 4.2.2", b"never": "552 5.2.2"}
LATE_REPLIES = {b"kept": "250 2.1.5", b"moved": "551 5.1.6",
                b"closed": "451 4.3.0", b"odd": "451 4.3.0"}
WHOLE_REPLIES = (("stubborn", "250 2.0.0"), ("refused", "554 5.7.1"),
                 ("broken", "451 4.3.0"), ("again", "451 4.3.0"),
                 ("closing", "421 4.3.0"))

XCLIENT_TAKES = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
XFORWARD_TAKES = "NAME ADDR PORT PROTO HELO IDENT SOURCE"
TOLD = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR",
        "DESTPORT", "IDENT", "SOURCE")


class Want:
    """A reply: one of CODES ("250 2.1.0"), and all its LINES where they are
    known."""

    def __init__(self, *codes, lines=None):
        self.codes = set(codes)
        self.lines = lines

    @property
    def rank(self):
        """The first digit; a set has one."""
        return min(int(code[0]) for code in self.codes)

    def __str__(self):
        return " or ".join(sorted(self.codes))


def show(data):
    """Bytes, as the server prints them in an event."""
    names = {0x0d: "\\r", 0x0a: "\\n", 0x5c: "\\\\"}
    return "".join(
        names.get(c) or (chr(c) if 32 <= c < 127 else f"\\x{c:02x}")
        for c in data)


def decode(raw):
    """The message in RAW, and what is behind its end (RFC 5321, 4.5.2)."""
    lines = []
    while True:
        line, end, raw = raw.partition(b"\r\n")
        if not end:
            raise ValueError("no end")
        if line == b".":
            return b"".join(lines), raw
        lines.append((line[1:] if line[:1] == b"." else line) + b"\r\n")


class Transaction:
    def __init__(self, command, submitter):
        self.sender = command.path.text
        self.size = command.size
        self.eight = command.eight
        self.utf8 = command.utf8
        self.submitter = submitter
        self.rcpts = []
        self.refused = 0


class Session:
    def __init__(self, settings):
        self.settings = settings
        self.lmtp = "lmtp" in settings
        self.peer = self.origin = "local"
        self.proxy = None
        self.hello = None
        self.esmtp = False
        self.tls = False
        self.user = None
        self.open = None
        self.closed = False
        self.xclient = {}
        self.xforward = {}
        self.waiting = None  # for "message", "exchange", "handshake"
        self.events = []
        self.forgive()
        self.auth_failures = 0
        self.transactions = 0

    def has(self, name):
        return name in self.settings

    def may_tell(self):
        """XCLIENT is for filters at the UNIX socket, not for those whom a proxy
        relays."""
        return self.has("xclient") and self.origin == "local"

    def number(self, name, default):
        value = self.settings.get(name, default)
        return None if value == "none" else int(value)

    # -- the end of a reply

    def forgive(self):
        self.errors = 0
        self.passing = 0

    def close(self, why):
        self.end("closed", "0")
        self.events.append("disconnect " + why)
        self.closed = True

    def answer(self, *codes, lines=None):
        """Each 5xx is an error, each tenth 4xx is one (settings.h)."""
        want = Want(*codes, lines=lines)
        self.passing += want.rank == 4
        if want.rank == 5 or (want.rank == 4 and self.passing % 10 == 0):
            self.errors += 1
            limit = self.number("errors_hard", 20)
            if limit is not None and self.errors >= limit:
                want = Want("421 4.7.0")
        if any(code.startswith("421") for code in want.codes):
            self.close("refused")
        return [want]

    def end(self, how, code):
        """The transaction is over."""
        if self.open is not None:
            self.events.append(f"end {how} {code}")
        self.open = None

    # -- before the first command

    def told(self, word, values):
        """What was said of the client, for an event."""
        pairs = [f"{name}={show(values[name])}" for name in TOLD
                 if values.get(name)]
        return f" {word} " + " ".join(pairs) if pairs else ""

    def greet(self):
        event = "connect"
        if self.proxy is not None:
            event += f" {self.peer} by {self.proxy}"
        elif self.peer != "local":
            event += " " + self.peer
        self.events.append(event + self.told("xclient", self.xclient))
        return [Want("220", lines=[
            f"220 {HOST} " + ("LMTP" if self.lmtp else "ESMTP")])]

    def begin(self, header):
        """A connection, with the header of a proxy or None."""
        if header is None:
            return self.greet()
        if header.bad:
            self.closed = True
            return []
        if header.peer:
            self.peer, self.proxy = header.peer, "local"
            self.origin = self.peer
        return self.greet()

    def gone(self):
        """The client closed the connection."""
        if not self.closed:
            self.close("gone")

    # -- one command

    def take(self, command, more):
        """The replies to COMMAND; MORE: others came with it."""
        verb = command.verb
        if command.bad_line and not (command.bad_line == "bare LF"
                                     and self.has("bare_lf_commands")):
            return self.bad_line(command)
        if verb not in self.verbs():
            return self.answer("500 5.5.2")
        if more and (verb in LAST or not self.esmtp):
            want = Want("554 5.5.0")
            self.close("refused")
            return [want]
        return getattr(self, "do_" + verb.lower())(command)

    def verbs(self):
        verbs = {"MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "HELP",
                 "VRFY", "EXPN", "SEND", "SOML", "SAML", "TURN", "STARTTLS",
                 "AUTH", "XANY", "XLAST", "XHELLO", "XTRANS"}
        if self.may_tell():
            verbs |= {"XCLIENT", "XFORWARD"}
        return verbs | ({"LHLO"} if self.lmtp else {"EHLO", "HELO"})

    def bad_line(self, command):
        """What is no command at all."""
        if command.bad_line == "foreign" and self.hello is None:
            self.close("refused")
            return [Want("521 5.7.0")]
        if command.bad_line == "bare LF":
            self.close("refused")
            return [Want("500 5.5.2")]
        return self.answer("500 5.5.2")

    def misplaced(self, transaction=False):
        """Codes for a command that may not stand here."""
        if self.hello is None or (transaction and self.open is None):
            return ["503 5.5.1"]
        return []

    # -- EHLO and its kin

    def do_ehlo(self, command):
        if not command.argument or len(command.argument) > 255:
            return self.answer("501 5.5.4")
        self.end("reset", "0")
        self.xforward = {}
        self.hello = command.argument
        self.esmtp = True
        lines = [f"250-{HOST}"] + ["250-" + word for word in self.keywords()]
        return self.answer("250", lines=lines)

    do_lhlo = do_ehlo

    def do_helo(self, command):
        if not command.argument or len(command.argument) > 255:
            return self.answer("501 5.5.4")
        self.end("reset", "0")
        self.xforward = {}
        self.hello = command.argument
        self.esmtp = False
        return self.answer("250", lines=[f"250 {HOST}"])

    def keywords(self):
        size = self.number("max_message_size", 52428800)
        mails = self.number("max_transactions", 1000)
        words = ["PIPELINING", "SIZE" + (f" {size}" if size else ""),
                 f"LIMITS MAILMAX={mails} RCPTMAX=1000", "8BITMIME",
                 "ENHANCEDSTATUSCODES"]
        if self.has("dsn"):
            words.append("DSN")
        if self.has("smtputf8"):
            words.append("SMTPUTF8")
        if self.has("tls") and not self.tls:
            words.append("STARTTLS")
        if self.has("auth") and not self.auth_faults(None):
            words.append("AUTH " + self.mechanisms())
        if self.may_tell():
            words += ["XCLIENT " + XCLIENT_TAKES, "XFORWARD " + XFORWARD_TAKES]
        return words

    def do_starttls(self, command):
        if self.misplaced():
            return self.answer("503 5.5.1")
        if command.argument:
            return self.answer("501 5.5.4")
        if self.tls:
            return self.answer("503 5.5.1")
        if not self.has("tls"):
            return self.answer("454 4.7.0")
        self.waiting = "handshake"
        return [Want("220 2.0.0")]

    def handshake(self):
        """RFC 3207, 4.2: all is forgotten."""
        self.waiting = None
        self.end("reset", "0")
        self.xforward = {}
        self.hello, self.esmtp, self.user = None, False, None
        self.tls = True

    # -- a transaction

    def argument_faults(self, command, syntax):
        """Codes of what is wrong in an argument of MAIL or RCPT."""
        faults = set()
        path = command.path
        if path.fault or (path.needs and not self.has(path.needs)):
            faults.add(syntax)
        if path.bad_utf8 or (path.utf8 and not (
                self.has("smtputf8") and self.transaction_utf8(command))):
            faults.add("553 5.6.7")
        for p in command.params:
            faults |= self.param_faults(command.verb, p)
        names = [p.name for p in command.params]
        if len(set(names)) < len(names):
            faults.add("501 5.5.4")
        return faults

    def transaction_utf8(self, command):
        return command.utf8 if command.verb == "MAIL" else self.open.utf8

    def param_faults(self, verb, p):
        if p.syntax:
            return {"501 5.5.4"}
        known = p.verb == verb and (p.needs is None or self.has(p.needs))
        if not known:
            return {"555 5.5.4"}
        if p.bad:
            return {"501 5.5.4"}
        limit = self.number("max_message_size", 52428800)
        if p.name == b"SIZE" and limit and int(p.value) > limit:
            return {"552 5.3.4"}
        return set()

    @staticmethod
    def event_of(word, command):
        event = f"{word} <{show(command.path.text)}>"
        for p in command.params:
            event += " " + show(p.name)
            if p.value is not None:
                event += "=" + show(p.value)
        return event

    def do_mail(self, command):
        if self.misplaced() or self.open is not None:
            return self.answer("503 5.5.1")
        if self.has("auth_required") and self.user is None:
            return self.answer("530 5.7.0")
        limit = self.number("max_transactions", 1000)
        if limit is not None and self.transactions >= limit:
            return self.answer("421 4.7.0")
        faults = self.argument_faults(command, "501 5.1.7")
        if faults:
            return self.answer(*faults)
        self.events.append(self.event_of("mail", command))
        reply = SENDER_REPLIES.get(command.path.local, "250 2.1.0")
        if reply[0] == "2":
            self.transactions += 1
            self.open = Transaction(command, self.submitter_of(command))
        return self.answer(reply)

    def submitter_of(self, command):
        """RFC 4954, 5: only those who authenticated are believed."""
        for p in command.params:
            if p.name == b"AUTH":
                return p.meaning if self.user is not None else b""
        return None

    def do_rcpt(self, command):
        if self.misplaced(transaction=True):
            return self.answer("503 5.5.1")
        faults = self.argument_faults(command, "501 5.1.3")
        if faults:
            self.open.refused += 1
            return self.answer(*faults)
        self.events.append(self.event_of("rcpt", command))
        reply = RCPT_REPLIES.get(command.path.local, "250 2.1.5")
        if reply[0] == "2":
            self.open.rcpts.append(command.path)
        else:
            self.open.refused += 1
        return self.answer(reply)

    def do_data(self, command):
        if self.misplaced(transaction=True):
            return self.answer("503 5.5.1")
        if command.argument:
            return self.answer("501 5.5.4")
        if not self.open.rcpts:
            refused = self.open.refused and not self.lmtp
            return self.answer("554 5.5.1" if refused else "503 5.5.1")
        self.waiting = "message"
        return [Want("354")]

    # -- its message

    def faults_of(self, content):
        """Codes of what is wrong in CONTENT, and it as it is delivered."""
        faults = set()

        def mend(match):
            found = match[0]
            if found == b"\0":
                kind, code, mended = "nul", "550 5.6.0", b""
            elif found == b"\n":
                kind, code, mended = "bare_lf", "550 5.5.2", b"\r\n"
            elif found == b"\r\n":
                return found
            else:
                kind, code = "bare_cr", "550 5.5.2"
                mended = b"\r\n" if found[-1:] == b"\n" else b" "
            default = "repair" if kind == "bare_lf" else "refuse"
            if self.settings.get(kind, default) == "refuse":
                faults.add(code)
            return mended

        content = re.sub(rb"\r+\n|\r+|\n|\0", mend, content)
        limit = self.number("max_message_size", 52428800)
        if limit and len(content) > limit:
            faults.add("552 5.3.4")
        longest = max(map(len, content.split(b"\r\n"))) + 2
        if longest > self.number("max_text_line", 65536):
            faults.add("554 5.6.0")
        header = content.partition(b"\r\n\r\n")[0]
        hops = len(re.findall(rb"(?mi)^received:", header))
        if hops >= self.number("max_hops", 100):
            faults.add("554 5.4.6")
        return faults, content

    def message(self, raw):
        """The replies to the message behind 354."""
        self.waiting = None
        faults, content = self.faults_of(decode(raw)[0])
        t = self.open
        self.events.append(self.message_event(t))
        locals_ = {path.local for path in t.rcpts}
        replies = self.deliver(t, locals_, faults, content)
        if faults:
            whole = Want(*faults)
            replies = [whole] * len(t.rcpts)
        return self.finish_message(replies)

    def message_event(self, t):
        event = f"message <{show(t.sender)}>"
        if self.user is not None:
            event += " by " + show(self.user)
        if t.submitter is not None:
            event += f" auth=<{show(t.submitter)}>"
        if t.size:
            event += f" size={t.size}"
        event += " 8bitmime" * t.eight + " smtputf8" * t.utf8 + " to"
        for path in t.rcpts:
            event += f" <{show(path.text)}>"
        return event + self.told("xforward", self.xforward)

    def deliver(self, t, locals_, faults, content):
        """What the program says of the message, for each recipient."""
        if b"full" in locals_ or b"early" in locals_:
            reply = "452 4.3.1" if b"full" in locals_ else "250 2.0.0"
            return [Want(reply)] * len(t.rcpts)
        early = [EARLY_REPLIES.get(p.local) for p in t.rcpts]
        late = [LATE_REPLIES.get(p.local) for p in t.rcpts]
        unwanted = not self.lmtp and any(early)
        self.events.append("body broken" if faults or unwanted
                           else "body " + show(content))
        whole = next((r for name, r in WHOLE_REPLIES
                      if name.encode() in locals_), None)
        if whole is None:
            whole = "451 4.3.0" if faults or unwanted else "250 2.0.0"
        own = [b or a for a, b in zip(early, late)]
        if self.lmtp:
            return [Want(reply or whole) for reply in own]
        return [self.fold([reply for reply in own if reply], whole)] \
            * len(t.rcpts)

    @staticmethod
    def fold(own, whole):
        """One reply for all: the first 5xx, or the first 4xx; that to the
        message comes last (session.h)."""
        for digit in "54":
            for reply in [*own, whole]:
                if reply[0] == digit:
                    return Want(reply)
        return Want(whole)

    def finish_message(self, replies):
        good = [r for r in replies if r.rank == 2]
        if good:
            self.forgive()
        first = (good or replies)[0]
        codes = [min(code[:3] for code in r.codes) for r in replies]
        self.end_message("delivered" if good else "refused", first, codes)
        if not self.lmtp:
            return self.answer(*replies[0].codes)
        if any("421" in code for r in replies for code in r.codes):
            self.close("refused")
        return replies

    def end_message(self, how, first, codes):
        """Where the code is one of several, the event may have any of them."""
        whole = "|".join(sorted(code[:3] for code in first.codes))
        rest = "".join(
            f" {i}={code}" for i, code in enumerate(codes)
            if code != min(c[:3] for c in first.codes))
        self.open = None
        self.xforward = {}
        self.events.append(f"end {how} {whole}{rest}")

    # -- AUTH

    def mechanisms(self):
        return self.settings.get("auth_mechanisms", "PLAIN LOGIN")

    def auth_faults(self, mechanism):
        """RFC 4954, 4: why AUTH may not be said now."""
        if not self.esmtp or self.user is not None or self.open is not None:
            return ["503 5.5.1"]
        if not self.tls and not self.has("auth_without_tls"):
            return ["538 5.7.11"]
        if mechanism is not None and mechanism not in self.mechanisms().split():
            return ["504 5.5.4"]
        return []

    def do_auth(self, command):
        if not self.has("auth"):
            return self.answer("502 5.5.1")
        if command.attempt is None:
            return self.answer("501 5.5.4", *(
                f for f in self.auth_faults(None)))
        faults = self.auth_faults(command.attempt.mechanism)
        if faults:
            return self.answer(*faults)
        self.waiting = "exchange"
        return []

    def exchange(self, attempt):
        """A challenge for each line of the client, and the reply."""
        self.waiting = None
        if attempt.event:
            self.events.append("auth " + attempt.event)
        wants = [Want("334") for _ in attempt.lines]
        if attempt.user is not None:
            self.user = attempt.user
            return wants + self.answer("235 2.7.0")
        reply = attempt.reply
        if reply == "535 5.7.8":
            self.auth_failures += 1
            limit = self.number("max_auth_failures", 3)
            if limit is not None and self.auth_failures >= limit:
                reply = "421 4.7.0"
        return wants + self.answer(reply)

    # -- the others

    def do_rset(self, command):
        if command.argument:
            return self.answer("501 5.5.4")
        self.end("reset", "0")
        self.xforward = {}
        return self.answer("250 2.0.0")

    def do_quit(self, command):
        if command.argument:
            return self.answer("501 5.5.4")
        self.close("quit")
        return [Want("221 2.0.0")]

    def do_noop(self, _):
        return self.answer("250 2.0.0")

    def do_help(self, _):
        return self.answer("214 2.0.0")

    def do_vrfy(self, command):
        """RFC 5321, 7.3: not implemented here."""
        if self.has("auth_required") and self.user is None:
            return self.answer("530 5.7.0")
        if self.has("smtputf8") and command.bad_name:
            return self.answer("553 5.6.7")
        return self.answer("502 5.5.1")

    do_expn = do_vrfy

    def do_turn(self, _):
        return self.answer("502 5.5.1")

    do_send = do_soml = do_saml = do_turn

    def own_verb(self, command):
        argument = show(command.argument)
        self.events.append(f"{command.verb} {argument}")

    def do_xany(self, command):
        self.own_verb(command)
        return self.answer("250 2.0.0")

    do_xlast = do_xany

    def do_xhello(self, command):
        if self.misplaced():
            return self.answer("503 5.5.1")
        return self.do_xany(command)

    def do_xtrans(self, command):
        if self.misplaced(transaction=True):
            return self.answer("503 5.5.1")
        self.own_verb(command)
        return self.answer("450 4.0.0")

    # -- XCLIENT

    def do_xclient(self, command):
        if self.open is not None:
            return self.answer("503 5.5.1")
        if command.told is None:
            return self.answer("501 5.5.4")
        self.xclient = {**self.xclient, **command.told}
        self.peer = show(self.xclient.get("ADDR") or b"") or self.origin
        self.hello, self.esmtp, self.user = None, False, None
        self.xforward = {}
        self.forgive()
        self.auth_failures = self.transactions = 0
        return self.greet()

    def do_xforward(self, command):
        if self.open is not None:
            return self.answer("503 5.5.1")
        if command.told is None:
            return self.answer("501 5.5.4")
        self.xforward = {**self.xforward, **command.told}
        return self.answer("250 2.0.0")
