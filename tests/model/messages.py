# SPDX-License-Identifier: MIT
"""The part of the model that is about messages: what may be in them, what comes
of them, and their chunks.  RFC 5321 (SMTP), 1870 (SIZE), 2033 (LMTP), 3030
(CHUNKING)."""

import re

# What delivery says of a recipient before and behind the message, by the local
# part, and of the whole.
EARLY_REPLIES = {b"over": "452 4.2.2", b"never": "552 5.2.2"}
LATE_REPLIES = {b"kept": "250 2.1.5", b"moved": "551 5.1.6",
                b"closed": "451 4.3.0", b"odd": "451 4.3.0"}
WHOLE_REPLIES = ((b"stubborn", "250 2.0.0"), (b"refused", "554 5.7.1"),
                 (b"broken", "451 4.3.0"), (b"again", "451 4.3.0"),
                 (b"closing", "421 4.3.0"))


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


def count_hops(content):
    """Received fields (RFC 5321, 6.3), up to the first line that is none of a
    header (RFC 5322, 2.2)."""
    hops = 0
    for line in content.split(b"\r\n"):
        if not re.match(rb"[ \t]|[!-9;-~]+[ \t]*:", line):
            return hops
        hops += line[:9].lower() == b"received:"
    return hops


class Transaction:
    def __init__(self, command, submitter):
        self.sender = command.path.text
        self.size = command.size
        self.encoding = command.encoding
        self.utf8 = command.utf8
        self.wishes = command.wishes
        self.submitter = submitter
        self.rcpts = []
        self.refused = 0


class Chunks:
    """A message that comes by BDAT."""

    def __init__(self, dropped=False):
        self.raw = b""
        self.dropped = dropped  # none of it counts
        self.told = False       # the program knows that it is broken


class Messages:
    """For the class that knows the session."""

    def mend(self, content):
        """CONTENT as it is delivered, and codes of what may not be in it."""
        faults = set()

        def one(match):
            found = match[0]
            if found == b"\r\n":
                return found
            if found == b"\0":
                kind, code, mended = "nul", "550 5.6.0", b""
            elif found == b"\n":
                kind, code, mended = "bare_lf", "550 5.5.2", b"\r\n"
            else:
                kind, code = "bare_cr", "550 5.5.2"
                mended = b"\r\n" if found[-1:] == b"\n" else b" "
            default = "repair" if kind == "bare_lf" else "refuse"
            if self.settings.get(kind, default) == "refuse":
                faults.add(code)
            return mended

        return re.sub(rb"\r+\n|\r+|\n|\0", one, content), faults

    def faults_of(self, content, binary=False):
        """Codes of what is wrong in CONTENT, and it as it is delivered."""
        faults, limit = set(), self.number("max_message_size", 52428800)
        if limit and len(content) > limit:
            faults.add("552 5.3.4")
        if not binary:
            content, bad = self.mend(content)
            faults |= bad
            longest = max(map(len, content.split(b"\r\n"))) + 2
            if longest > self.number("max_text_line", 65536):
                faults.add("554 5.6.0")
        if count_hops(content) >= self.number("max_hops", 100):
            faults.add("554 5.4.6")
        return faults, content

    def message(self, raw):
        """The replies to the message behind 354."""
        self.waiting = None
        faults, content = self.faults_of(decode(raw)[0])
        self.events.append(self.message_event(self.open))
        if self.is_read():
            self.events.append(
                "body broken" if faults or self.is_unwanted()
                else "body " + show(content))
        return self.finish_message(self.judge(faults))

    def message_event(self, t):
        event = f"message <{show(t.sender)}>"
        if self.user is not None:
            event += " by " + show(self.user)
        if t.submitter is not None:
            event += f" auth=<{show(t.submitter)}>"
        if t.size:
            event += f" size={t.size}"
        event += " 8bitmime" * (t.encoding == b"8BITMIME")
        event += " smtputf8" * t.utf8
        event += " binarymime" * (t.encoding == b"BINARYMIME")
        event += t.wishes + " to"
        for path in t.rcpts:
            event += f" <{show(path.text)}>"
        return event + self.told("xforward", self.xforward)

    def is_for(self, *names):
        return any(path.local in names for path in self.open.rcpts)

    def is_read(self):
        """Whether the program reads the message."""
        return not self.is_for(b"full", b"early")

    def is_unwanted(self):
        """Whether it was refused for all before it is read: in SMTP it is once
        it is for one (session.h)."""
        refused = [p.local in EARLY_REPLIES for p in self.open.rcpts]
        return self.is_read() and (all if self.lmtp else any)(refused)

    def judge(self, faults):
        """What is said of the message, for each recipient."""
        rcpts = self.open.rcpts
        if faults:
            return [Want(*faults)] * len(rcpts)
        if not self.is_read():
            reply = "452 4.3.1" if self.is_for(b"full") else "250 2.0.0"
            return [Want(reply)] * len(rcpts)
        whole = next((r for name, r in WHOLE_REPLIES
                      if self.is_for(name)), None)
        if whole is None:
            whole = "451 4.3.0" if self.is_unwanted() else "250 2.0.0"
        own = [LATE_REPLIES.get(p.local) or EARLY_REPLIES.get(p.local)
               for p in rcpts]
        if self.lmtp:
            return [Want(reply or whole) for reply in own]
        return [self.fold([reply for reply in own if reply], whole)] \
            * len(rcpts)

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

    # -- a message in chunks

    def goes_on(self, command):
        """Whether COMMAND may stand between two chunks; any other gives the
        message up (server.h)."""
        if command.bad_line and command.bad_line != "bare LF":
            return False
        if command.bad_line and not self.has("bare_lf_commands"):
            return False
        return command.verb == "NOOP" or (
            command.verb == "BDAT" and command.chunk is not None)

    def lose_chunks(self):
        """There will be no end of them."""
        chunks, self.chunks = self.chunks, None
        if chunks is not None and not chunks.dropped:
            self.tell_broken(chunks)

    def tell_broken(self, chunks):
        if self.is_read() and not chunks.told:
            self.events.append("body broken")
        chunks.told = True

    def do_bdat(self, command):
        if command.chunk is None:
            self.close("refused")
            return [Want("501 5.5.4")]
        if self.chunks is None:
            refusal = self.chunk_refusal()
            if refusal and not (self.lmtp and self.open):
                return self.refuse_chunk(refusal)
            self.chunks = Chunks(dropped=refusal is not None)
            if not refusal:
                self.events.append(self.message_event(self.open))
        self.chunks.raw += command.chunk
        if self.chunks.dropped:
            return self.drop_chunk(command)
        return self.take_chunk(command)

    def chunk_refusal(self):
        if self.hello is None:
            return "503 5.5.1"
        if not self.esmtp:
            return "500 5.5.2"
        if self.open is None:
            return "503 5.5.1"
        return None if self.open.rcpts else self.without_rcpts()

    def refuse_chunk(self, refusal):
        """Its octets are dropped, and the transaction with them."""
        self.end("refused", refusal[:3])
        return self.answer(refusal)

    def drop_chunk(self, command):
        """LMTP: only the last would have a reply for each of no recipients."""
        if not command.last:
            return [Want("250 2.0.0")]
        self.chunks = None
        self.end("refused", "503")
        return []

    @staticmethod
    def end_line(content, last):
        """The last line of a message is ended as it would be by DATA; before
        that, LF may follow a CR."""
        if not last:
            return content.rstrip(b"\r")
        if content.endswith(b"\r"):
            return content + b"\r\n"  # still a bare CR
        return content + b"\r\n" * (content[-1:] not in (b"", b"\n"))

    def take_chunk(self, command):
        """RFC 3030, 2: the last has the reply to the message, and so has one
        that is refused, in SMTP: LMTP has its replies at the end."""
        chunks, binary = self.chunks, self.open.encoding == b"BINARYMIME"
        content = chunks.raw
        if not binary:
            content = self.end_line(content, command.last)
        faults, content = self.faults_of(content, binary)
        if faults or self.is_unwanted():
            self.tell_broken(chunks)
        refused = faults or self.is_unwanted() or self.is_for(b"full")
        if not command.last and (self.lmtp or not refused):
            return [Want("250 2.0.0")]
        if self.is_read() and not chunks.told:
            self.events.append("body " + show(content))
        self.chunks = None
        return self.finish_message(self.judge(faults))
