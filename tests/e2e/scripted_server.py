# SPDX-License-Identifier: MIT
"""An SMTP server that does what a test tells it, and remembers what it took.

What it does is a set of rules, by verb; each a reply, or a function of the
session and the command's argument that returns one, or one of the deeds below.
Besides the verbs there are "greeting", "dot" (the reply to the end of the
message) and "handshake" (what follows the 220 to STARTTLS).

	server = Scripted(world.mx1, rcpt=after(2, "451 4.7.1 greylisted"))
	server = Scripted(Loopback(), port=0, tls=pair, logins={"user": "secret"})
"""

import base64
import contextlib
import hashlib
import hmac
import re
import socket
import ssl
import threading
import time

import smtpin_fixture as fixture

# Deeds instead of replies.
DROP = "drop"    # close the connection
RESET = "reset"  # the same, with a reset
STALL = "stall"  # never answer
GARBAGE = "garbage"  # bytes that are no reply


def after(count, reply, later="250 2.0.0 ok"):
    """REPLY COUNT times, and then LATER."""
    lock = threading.Lock()
    left = [count]

    def rule(*_):
        with lock:
            left[0] -= 1
            return reply if left[0] >= 0 else later
    return rule


def by_rcpt(replies, others="250 2.1.5 ok"):
    """A reply for each local part; a value may itself be a rule."""
    def rule(session, argument):
        reply = replies.get(address_of(argument).partition("@")[0], others)
        return reply(session, argument) if callable(reply) else reply
    return rule


def address_of(argument):
    return argument.partition("<")[2].partition(">")[0]


def parameters_of(argument):
    """{"SIZE": "100"} of "TO:<a@b> SIZE=100"."""
    words = argument.partition(">")[2].split()
    return {key.upper(): value
            for key, _, value in (word.partition("=") for word in words)}


class Loopback:
    """This host, in place of one of a world."""

    address = "127.0.0.1"
    address6 = None

    @staticmethod
    def inside():
        return contextlib.nullcontext()


class Transaction:
    """What was taken, or what the client may believe so."""

    def __init__(self, session, content, reply):
        self.time = time.monotonic()
        self.connection = session.number
        self.peer = session.peer
        self.local = session.local
        self.hello = session.hello
        self.tls = session.tls
        self.certificate = session.certificate
        self.login = session.login
        self.sender = session.sender
        self.parameters = session.parameters
        self.rcpts = list(session.rcpts)
        self.rcpt_parameters = dict(session.rcpt_parameters)
        self.content = content
        self.reply = reply

    @property
    def accepted(self):
        """A reply of 2xx was sent."""
        return self.reply.startswith("2")

    @property
    def header(self):
        return self.content.split(b"\n\n", 1)[0] + b"\n"

    @property
    def body(self):
        return self.content.split(b"\n\n", 1)[1]


class Gone(Exception):
    """The session is over."""


class Session:
    """One connection, on a thread of its own."""

    def __init__(self, server, connection, number):
        self.server = server
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.number = number
        self.peer = connection.getpeername()[0]
        self.local = connection.getsockname()[0]
        self.started = time.monotonic()
        self.hello = ""
        self.tls = None
        self.certificate = None
        self.login = None
        self.commands = []
        self.file = connection.makefile("rb")
        self.thread = None
        self.forget()

    def forget(self):
        self.sender = None
        self.parameters = {}
        self.rcpts = []
        self.rcpt_parameters = {}

    def run(self):
        try:
            with contextlib.suppress(Gone, OSError, ValueError):
                self.talk()
        finally:
            self.file.close()
            self.connection.close()

    def talk(self):
        if self.server.tls_first:
            self.handshake()
        self.say(self.decide("greeting", "220 scripted.example ESMTP"))
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Gone
            text = line[:-2].decode("latin-1")
            self.commands.append(text)
            verb, _, argument = text.partition(" ")
            self.command(verb.lower(), argument)

    def decide(self, what, default, argument=""):
        """The reply to WHAT by the rules."""
        rule = self.server.rules.get(what, default)
        return rule(self, argument) if callable(rule) else rule

    def say(self, reply):
        if reply == DROP:
            raise Gone
        if reply == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       b"\1\0\0\0\0\0\0\0")
            raise Gone
        if reply == STALL:
            self.server.over.wait()
            raise Gone
        if reply == GARBAGE:
            self.connection.sendall(b"\x16\x99\0garbage\r\n" * 20)
            return
        self.connection.sendall(reply.encode("latin-1") + b"\r\n")
        if reply.startswith("421"):
            raise Gone

    def command(self, verb, argument):
        method = getattr(self, "do_" + verb, None)
        if method is None:
            self.say(self.decide(verb, "500 5.5.2 what?", argument))
        else:
            method(argument)

    def do_ehlo(self, argument):
        self.hello = argument
        lines = ["scripted.example", "PIPELINING", "8BITMIME", "DSN",
                 "ENHANCEDSTATUSCODES", "SIZE 100000000"]
        if not self.server.dsn:
            lines.remove("DSN")
        if self.server.offers_tls and self.tls is None:
            lines.append("STARTTLS")
        if self.server.logins is not None:
            # "/" divides lines, "=" begins one in the form of old.
            for words in self.server.mechanisms.split("/"):
                lines.append("AUTH" + ("" if words[:1] == "=" else " ") + words)
        text = "\r\n".join("250-" + line for line in lines[:-1])
        self.say(self.decide("ehlo", f"{text}\r\n250 {lines[-1]}", argument))

    def do_helo(self, argument):
        self.hello = argument
        self.say(self.decide("helo", "250 scripted.example", argument))

    def do_starttls(self, argument):
        reply = self.decide("starttls", "220 2.0.0 go", argument)
        self.say(reply)
        if not reply.startswith("2"):
            return
        deed = self.decide("handshake", None)
        if deed is not None:
            self.say(deed)
            # Let the peer see the bytes before the end.
            self.connection.settimeout(1)
            self.connection.recv(4096)
            raise Gone
        self.handshake()

    def handshake(self):
        self.file.close()
        self.connection = self.server.tls.wrap_socket(
            self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        self.tls = self.connection.version()
        self.certificate = self.connection.getpeercert()
        self.hello = ""
        self.forget()

    def ask(self, challenge):
        self.say("334 " + base64.b64encode(challenge.encode()).decode())
        return base64.b64decode(self.file.readline()).decode()

    def do_auth(self, argument):
        words = argument.split()
        first = base64.b64decode(words[1]).decode() if words[1:] else ""
        cheats = dict(self.server.cheats)
        if cheats.pop("no_initial", False):
            first = self.ask("")
        refused = cheats.pop("refused", {})
        if words[0].upper() in refused:
            self.say(refused[words[0].upper()])
            return
        if words[0].upper() == "PLAIN":
            _, user, password = first.split("\0")
            good = self.server.logins.get(user) == password
        elif words[0].upper() in ("OAUTHBEARER", "XOAUTH2"):
            user, good = self.bearer(words[0].upper(), first)
        elif words[0].upper() == "LOGIN":
            user, password = self.ask("Username:"), self.ask("Password:")
            good = self.server.logins.get(user) == password
        else:
            user = first.split(",n=")[1].split(",r=")[0]
            good = self.scram(first, self.server.logins[user].encode(),
                              **cheats)
        if good:
            self.login = user
        self.say("235 2.7.0 ok" if good else "535 5.7.8 no")

    def bearer(self, mechanism, message):
        """Who shows a token, and whether it is good (RFC 7628, 3.1)."""
        if not message:
            message = self.ask("")
        if mechanism == "OAUTHBEARER":
            form = (r"n,a=([^,]+),\x01host=([^\x01]+)\x01port=(\d+)\x01"
                    r"auth=Bearer ([!-~]+)\x01\x01")
        else:
            form = r"user=([^\x01]+)\x01()()auth=Bearer ([!-~]+)\x01\x01"
        found = re.fullmatch(form, message)
        if found is None:
            return None, False
        if self.server.tokens(found[4]):
            return found[1].replace("=2C", ",").replace("=3D", "="), True
        self.server.refusals += 1
        answer = self.ask('{"status":"invalid_token","schemes":"bearer"}')
        # 3.2.3
        if answer != ("\x01" if mechanism == "OAUTHBEARER" else ""):
            self.server.refusals += 1000
        return None, False

    def scram(self, first, password, at_once=False, nonce=False, rounds=4096,
              signature=False, no_signature=False):
        """SCRAM-SHA-256 (RFC 5802), as of one who knows the password or
        cheats; return whether the client knows it."""
        if at_once:
            return True
        bare = first[3:]
        joined = ("x" if nonce else "") + bare.split(",r=")[1] + "server"
        salt = base64.b64encode(b"salt").decode()
        server = f"r={joined},s={salt},i={rounds}"
        without, proof = self.ask(server).split(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", password, b"salt", rounds)

        def mac(key, text):
            return hmac.digest(key, text, "sha256")
        client_key = mac(salted, b"Client Key")
        message = ",".join((bare, server, without)).encode()
        signed = mac(hashlib.sha256(client_key).digest(), message)
        if bytes(a ^ b for a, b in zip(client_key, signed)) \
                != base64.b64decode(proof):
            return False
        final = mac(mac(salted, b"Server Key"), message)
        if signature:
            final = bytes(32)
        if no_signature:
            return True
        return self.ask("v=" + base64.b64encode(final).decode()) == ""

    def do_mail(self, argument):
        reply = self.decide("mail", "250 2.1.0 ok", argument)
        if reply.startswith("2"):
            self.sender = address_of(argument)
            self.parameters = parameters_of(argument)
        self.say(reply)

    def do_rcpt(self, argument):
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
            return
        reply = self.decide("rcpt", "250 2.1.5 ok", argument)
        if reply.startswith("2"):
            self.rcpts.append(address_of(argument))
            self.rcpt_parameters[self.rcpts[-1]] = parameters_of(argument)
        self.say(reply)

    def do_data(self, argument):
        reply = "503 5.5.1 RCPT first"
        if self.rcpts:
            reply = self.decide("data", "354 go", argument)
        self.say(reply)
        if not reply.startswith("3"):
            return
        content = self.read_content()
        reply = self.decide("dot", "250 2.0.0 taken", content)
        transaction = Transaction(self, content, reply)
        self.server.keep(transaction)
        self.forget()
        self.say(reply)
        if self.server.one_message:
            raise Gone

    def read_content(self):
        """The message, with LF line ends, unstuffed."""
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\n"):
                raise Gone
            if line == b".\r\n":
                return b"".join(lines).replace(b"\r\n", b"\n")
            lines.append(line[1:] if line.startswith(b".") else line)

    def do_rset(self, argument):
        self.forget()
        self.say(self.decide("rset", "250 2.0.0 ok", argument))

    def do_noop(self, argument):
        self.say(self.decide("noop", "250 2.0.0 ok", argument))

    def do_quit(self, argument):
        self.say(self.decide("quit", "221 2.0.0 bye", argument))
        raise Gone


class Scripted:
    """Listens on all addresses of HOST, until close()."""

    def __init__(self, host, port=25, tls=None, tls_first=False, dsn=True,
                 logins=None, mechanisms="PLAIN LOGIN", cheats=None,
                 on_taken=None, one_message=False, tokens=None, **rules):
        """TLS is a context, or a pair of files, certificate and key; LOGINS
        are passwords by user, TOKENS says whether a token is good, CHEATS are
        those of Session.scram()."""
        self.host = host
        self.port = port
        self.dsn = dsn
        self.logins = {} if logins is None and tokens else logins
        self.tokens = tokens
        self.refusals = 0  # of tokens
        self.mechanisms = mechanisms
        self.cheats = cheats or {}
        self.on_taken = on_taken
        self.one_message = one_message
        self.rules = rules
        self.tls = tls
        self.tls_first = tls_first
        self.offers_tls = tls is not None or "handshake" in rules \
            or "starttls" in rules
        if isinstance(tls, tuple):
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.sessions = []
        self.taken = []
        self.listeners = []
        self.threads = []
        self.open()

    def open(self):
        """Listen (again)."""
        self.over.clear()
        for family, address in ((socket.AF_INET, self.host.address),
                                (socket.AF_INET6, self.host.address6)):
            if address is None:
                continue
            with self.host.inside():
                listener = socket.create_server(
                    (address, self.port), family=family, backlog=200)
            self.port = listener.getsockname()[1]
            self.listeners.append(listener)
            thread = threading.Thread(target=self.accept, args=(listener,),
                                      daemon=True)
            thread.start()
            self.threads.append(thread)

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                number = len(self.sessions) + 1
                try:
                    session = Session(self, connection, number)
                except OSError:
                    continue
                session.thread = threading.Thread(target=session.run,
                                                  daemon=True)
                self.sessions.append(session)
            session.thread.start()

    def keep(self, transaction):
        with self.lock:
            self.taken.append(transaction)
        if self.on_taken:
            self.on_taken(transaction)

    def close(self):
        """Refuse from now on, and break off what is open."""
        self.over.set()
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self.threads:
            thread.join()
        with self.lock:
            sessions = list(self.sessions)
        for session in sessions:
            with contextlib.suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)
        self.listeners, self.threads = [], []

    def finish(self):
        """Wait until clients that have gone were heard to the end."""
        with self.lock:
            threads = [session.thread for session in self.sessions]
        for thread in threads:
            if thread.is_alive():
                thread.join(fixture.WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def accepted(self):
        """What it said 2xx to."""
        with self.lock:
            return [t for t in self.taken if t.accepted]

    def wait(self, count=1, wait=None):
        """Wait until COUNT messages were accepted, and return them."""
        fixture.until(lambda: len(self.accepted) >= count,
                      f"{count} messages, not {len(self.accepted)}",
                      wait or fixture.WAIT)
        return self.accepted

    def rcpts(self):
        """All recipients of what was accepted, sorted."""
        return sorted(r for t in self.accepted for r in t.rcpts)

    def commands(self, verb):
        """All commands with VERB that it heard, in all sessions."""
        with self.lock:
            sessions = list(self.sessions)
        return [line for session in sessions for line in session.commands
                if line.upper().startswith(verb.upper())]


class Deaf:
    """A port that takes connections into its backlog and says nothing."""

    def __init__(self, host, port=25):
        self.sockets = []
        for family, address in ((socket.AF_INET, host.address),
                                (socket.AF_INET6, host.address6)):
            if address is not None:
                with host.inside():
                    self.sockets.append(socket.create_server(
                        (address, port), family=family, backlog=100))

    def close(self):
        for s in self.sockets:
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
