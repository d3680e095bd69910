# SPDX-License-Identifier: MIT
"""A session of the server, as the RFCs have it: what it answers to which
command, and what the program is told.  It knows nothing of the code.

RFC 5321 (SMTP), 1870 (SIZE), 2033 (LMTP), 2034 (enhanced codes), 2852
(DELIVERBY), 2920 (PIPELINING), 3030 (CHUNKING), 3207 (STARTTLS), 3461 (DSN),
4865 (FUTURERELEASE), 4954 (AUTH), 6531 (SMTPUTF8), 6710 (MT-PRIORITY), 8689
(REQUIRETLS), 9422 (LIMITS), and Postfix's XCLIENT_README.  What they leave open
is documented: settings.h, the handlers of the program in tests/talk/README.

Where a command has several faults, each of their codes is right.
"""

from messages import Messages, Transaction, Want, show

HOST = "mx.example.org"

# Nothing may follow these in their group (RFC 2920, 3.1).
LAST = {"EHLO", "HELO", "LHLO", "DATA", "STARTTLS", "AUTH", "XCLIENT",
        "XLAST"}

# What the program's handlers say of MAIL and RCPT, by the local part.
SENDER_REPLIES = {b"spammer": "550 5.7.1", b"greylisted": "451 4.7.1",
                  b"close": "421 4.7.0"}
RCPT_REPLIES = {b"nobody": "550 5.1.1", b"later": "451 4.7.1",
                b"close": "421 4.7.0", b"bug": "451 4.3.0"}
XCLIENT_TAKES = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
XFORWARD_TAKES = "NAME ADDR PORT PROTO HELO IDENT SOURCE"
TOLD = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR",
        "DESTPORT", "IDENT", "SOURCE")


class Session(Messages):
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
        self.chunks = None
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
        self.lose_chunks()
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
        if self.chunks is not None and not self.goes_on(command):
            self.lose_chunks()
            self.end("reset", "0")
            self.xforward = {}
        if command.bad_line and not (command.bad_line == "bare LF"
                                     and self.has("bare_lf_commands")):
            return self.bad_line(command)
        if verb not in self.verbs():
            return self.answer("500 5.5.2")
        if more and verb != "BDAT" and (verb in LAST or not self.esmtp):
            want = Want("554 5.5.0")
            self.close("refused")
            return [want]
        return getattr(self, "do_" + verb.lower())(command)

    def verbs(self):
        verbs = {"MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "HELP",
                 "VRFY", "EXPN", "SEND", "SOML", "SAML", "TURN", "STARTTLS",
                 "AUTH", "XANY", "XLAST", "XHELLO", "XTRANS"}
        if self.has("chunking"):
            verbs.add("BDAT")
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
        if self.has("chunking"):
            words.append("CHUNKING")
        if self.has("binarymime"):
            words.append("BINARYMIME")
        if self.has("requiretls") and self.tls:
            words.append("REQUIRETLS")
        if self.has("deliverby"):
            words.append(" ".join(
                ["DELIVERBY", *self.settings.get("min_deliver_by", "").split()]))
        if self.has("max_future_release"):
            words.append(f"FUTURERELEASE {self.settings['max_future_release']}"
                         " DATE")
        if self.has("mt_priority"):
            words.append("MT-PRIORITY MIXER")
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
        if len(set(names)) < len(names) or (
                command.verb == "MAIL" and self.has("max_future_release")
                and {b"HOLDFOR", b"HOLDUNTIL"} <= set(names)):
            faults.add("501 5.5.4")
        return faults

    def transaction_utf8(self, command):
        return command.utf8 if command.verb == "MAIL" else self.open.utf8

    def param_faults(self, verb, p):
        if p.syntax:
            return {"501 5.5.4"}
        if verb == "MAIL" and p.raw == b"BODY=BINARYMIME" \
                and not self.has("binarymime"):
            return {"501 5.5.4"}
        known = p.verb == verb and (p.needs is None or self.has(p.needs))
        if not known:
            return {"555 5.5.4"}
        if p.bad:
            return {"501 5.5.4"}
        limit = self.number("max_message_size", 52428800)
        if p.name == b"SIZE" and limit and int(p.value) > limit:
            return {"552 5.3.4"}
        if p.name == b"REQUIRETLS" and not self.tls:
            return {"530 5.7.10"}
        if p.raw == b"BY=59;R" and self.has("min_deliver_by"):
            return {"554 5.4.7"}
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
            return self.answer(self.without_rcpts())
        if self.open.encoding == b"BINARYMIME":
            return self.answer("503 5.5.1")
        self.waiting = "message"
        return [Want("354")]

    def without_rcpts(self):
        """RFC 5321, 3.3; RFC 2033, 4.2"""
        return "554 5.5.1" if self.open.refused and not self.lmtp \
            else "503 5.5.1"

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
