# SPDX-License-Identifier: MIT
"""The servers that are compared: how each is started and stopped."""

import argparse
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from distant import Distant

HERE = os.path.dirname(os.path.realpath(__file__))
MAX_SIZE = 52428800


class Missing(Exception):
    """What a server needs and this machine has not."""


class Place:
    """The directory of one run.  Nothing in it is removed until the end:
    ext4 does not use the inodes of files that were just deleted, and walking
    past them makes creating files many times slower."""

    def __init__(self, root):
        self.root = root
        self.count = 0
        os.chmod(root, 0o755)
        # Spread what is made below over the disk, as if it were a top level,
        # where the file system knows such a thing and e2fsprogs is there.
        if shutil.which("chattr"):
            subprocess.run(["chattr", "+T", root], stderr=subprocess.DEVNULL,
                           check=False)

    def fresh(self, name):
        self.count += 1
        path = os.path.join(self.root, f"{self.count}-{name}")
        os.mkdir(path, 0o755)
        return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def need(program, package):
    path = shutil.which(program, path=os.environ["PATH"]
                        + ":/usr/sbin:/sbin")
    if path is None:
        raise Missing(f"no {program}; Debian package {package}")
    return path


def built(options, path):
    full = os.path.join(options.build, path)
    if not os.access(full, os.X_OK):
        raise Missing(f"no {full}; build it with meson and ninja")
    return full


class Sink:
    """What relays send to: Postfix's smtp-sink, which counts messages."""

    def __init__(self, place):
        self.port = free_port()
        self.output = os.path.join(place.fresh("sink"), "counters")
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [need("smtp-sink", "postfix"), *user, "-c", "-m", "2000",
                 f"127.0.0.1:{self.port}", "4096"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def count(self):
        """Messages so far."""
        with open(self.output, "rb") as file:
            file.seek(max(0, os.path.getsize(self.output) - 200))
            found = re.findall(rb"mesg=(\d+)", file.read())
        return int(found[-1]) if found else 0

    def stop(self):
        self.process.kill()
        self.process.wait()


class Discard:
    """The library's own server, which offers CHUNKING; it counts nothing."""

    def __init__(self, options):
        self.port = free_port()
        self.process = subprocess.Popen(
            [built(options, "tests/bench/discard"), f"127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()


def make_sink(options, place, kind):
    """What a relay sends to, by KIND; None for others."""
    if kind in ("relay", "relay-slow"):
        return Sink(place)
    if kind == "distant":
        return Distant(Sink(place))
    return Distant(Discard(options)) if kind == "distant-bdat" else None


class Server:
    """One server under test; KIND is discard, maildir, relay, relay-slow,
    distant, distant-bdat or idle."""

    kinds = ("discard", "maildir", "idle")

    def __init__(self, options, place, kind, sessions):
        self.options = options
        self.kind = kind
        self.sessions = sessions
        self.port = free_port()
        self.dir = place.fresh(type(self).__name__.lower())
        self.mail = os.path.join(self.dir, "mail")
        self.sink = make_sink(options, place, kind)
        self.process = None

    @classmethod
    def check(cls, options, place):
        """Raise Missing when it cannot run here; build it below PLACE."""

    def command(self):
        """The command line that runs it in the foreground."""
        raise NotImplementedError

    def prepare(self):
        """Make what it needs on disk."""
        os.mkdir(self.mail, 0o755)

    def environment(self):
        """What is added to it, so that the disk is slow."""
        if self.kind != "relay-slow":
            return {}
        return {"LD_PRELOAD": built(self.options, "tests/bench/slow_sync.so"),
                "SLOW_SYNC_MS": "5"}

    def make_maildirs(self, owner=None):
        for user in range(self.options.users):
            top = os.path.join(self.mail, f"user{user}")
            for path in ("", "Maildir", "Maildir/tmp", "Maildir/new",
                         "Maildir/cur"):
                os.mkdir(os.path.join(top, path), 0o700)
                if owner:
                    shutil.chown(os.path.join(top, path), *owner)

    def start(self, group):
        self.prepare()
        with open(os.path.join(self.dir, "output"), "wb") as output:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
                env=os.environ | self.environment(),
                preexec_fn=group.enter)
        group.started(self.process.pid)
        self.wait_ready()

    def wait_ready(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port),
                                              5) as s:
                    if s.recv(512).startswith(b"220"):
                        s.sendall(b"QUIT\r\n")
                        s.recv(512)
                        return
            except OSError:
                time.sleep(0.05)
        with open(os.path.join(self.dir, "output"), encoding="utf-8",
                  errors="replace") as file:
            raise OSError("did not start: " + file.read()[-300:])

    def syncs(self):
        """fsync() and its like since it was started, when it is stopped;
        None: not known."""

    def stop(self):
        if self.sink is not None:
            self.sink.stop()
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stored(self):
        """Number of files in new/ of all Maildirs, and when the last came."""
        count, newest = 0, 0.0
        for user in os.scandir(self.mail):
            for message in os.scandir(user.path + "/Maildir/new"):
                count += 1
                newest = max(newest, message.stat().st_ctime)
        return count, newest


class Ours(Server):
    """The library's server with all its rules, and nothing behind it."""

    kinds = ("discard", "idle")

    @classmethod
    def check(cls, options, place):
        built(options, "tests/bench/discard")

    def command(self):
        return [built(self.options, "tests/bench/discard"),
                f"127.0.0.1:{self.port}"]


class OursFiltered(Ours):
    """The same behind a filter that sees each message and lets it pass."""

    kinds = ("discard",)

    def command(self):
        program, *addresses = super().command()
        return [program, "-f", *addresses]


class Smtpin(Server):
    kinds = ("maildir", "idle")

    @classmethod
    def check(cls, options, place):
        built(options, "examples/smtpin/smtpin")

    def prepare(self):
        super().prepare()
        with open(self.dir + "/map", "w", encoding="ascii") as file:
            file.write("user0 : postmaster@example.org\n")
            for i in range(self.options.users):
                file.write(f"user{i} : user{i}@example.org\n")
        self.make_maildirs()

    def command(self):
        return [built(self.options, "examples/smtpin/smtpin"),
                "-a", f"127.0.0.1:{self.port}",
                "-H", "localhost", "-u", self.dir + "/map",
                "-m", self.mail + "/%u/Maildir", "-j", self.dir + "/log",
                "--max-connections", "20000", "--max-per-address", "0"]


class Smtpout(Server):
    kinds = ("relay", "relay-slow", "distant", "distant-bdat")

    @classmethod
    def check(cls, options, place):
        built(options, "examples/smtpout/smtpout")
        need("smtp-sink", "postfix")

    def command(self):
        route = [] if self.sink is None else [
            "--smarthost", f"127.0.0.1:{self.sink.port}"]
        return [built(self.options, "examples/smtpout/smtpout"),
                "-a", f"127.0.0.1:{self.port}", "-H", "localhost",
                "-q", self.dir + "/queue", "-j", self.dir + "/log", *route,
                "--max-connections", "20000", *self.one_connection(),
                *self.options.smtpout]

    def one_connection(self):
        return ["--site-connections", "1"] if "distant" in self.kind else []

    def syncs(self):
        with open(self.dir + "/log", encoding="ascii") as file:
            found = re.findall(r" syncs=(\d+)", file.read())
        return int(found[-1]) if found else None


def earlier(server):
    """The class of SERVER as the build --before has it."""
    def of_build(options):
        return argparse.Namespace(**{**vars(options),
                                     "build": options.before})

    class Earlier(server):
        @classmethod
        def check(cls, options, place):
            if options.before is None:
                raise Missing("--before DIR says where it was built")
            super().check(of_build(options), place)

        def __init__(self, options, *arguments):
            super().__init__(of_build(options), *arguments)

    return Earlier


class SmtpSink(Server):
    kinds = ("discard", "idle")

    @classmethod
    def check(cls, options, place):
        need("smtp-sink", "postfix")

    def command(self):
        # As root it wants another user.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return [need("smtp-sink", "postfix"), *user, "-m", "20000",
                f"127.0.0.1:{self.port}", "4096"]


class GoSmtp(Server):
    program = None

    @classmethod
    def check(cls, options, place):
        go = need("go", "golang-go")
        source = "/usr/share/gocode/src/github.com/emersion/"
        for name in ("go-smtp", "go-sasl"):
            if not os.path.isdir(source + name):
                raise Missing("Debian package golang-github-emersion-"
                              + name + "-dev")
        path = place.fresh("go-build")
        cls.program = path + "/gosmtp"
        environment = dict(os.environ, GOPATH="/usr/share/gocode",
                           GO111MODULE="off", GOCACHE=path + "/cache",
                           GOFLAGS="")
        done = subprocess.run([go, "build", "-o", cls.program, "."],
                              cwd=HERE + "/peers/gosmtp", env=environment,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Missing("it does not build: " + done.stderr)

    def prepare(self):
        super().prepare()
        self.make_maildirs()

    def command(self):
        command = [self.program, "-listen", f"127.0.0.1:{self.port}"]
        if self.kind == "maildir":
            command += ["-maildir", self.mail]
        return command


class Aiosmtpd(Server):
    """Everything into one Maildir: its handler knows no users."""

    @classmethod
    def check(cls, options, place):
        if importlib.util.find_spec("aiosmtpd") is None:
            raise Missing("Debian package python3-aiosmtpd")

    def prepare(self):
        super().prepare()
        os.mkdir(self.mail + "/all")

    def command(self):
        command = [sys.executable, HERE + "/peers/aiosmtpd_peer.py",
                   str(self.port)]
        if self.kind == "maildir":
            command.append(self.mail + "/all/Maildir")
        return command


MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
myhostname = localhost.localdomain
mydestination =
inet_interfaces = 127.0.0.1
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = {maps}
virtual_transport = {transport}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_peername_lookup = no
default_process_limit = {processes}
smtpd_client_connection_count_limit = 0
message_size_limit = {size}
virtual_mailbox_limit = 0
"""

RELAY_CF = """\
virtual_mailbox_domains =
relayhost = [127.0.0.1]:{port}
smtp_tls_security_level = none
in_flow_delay = 0
"""

DISTANT_CF = """\
default_destination_concurrency_limit = 1
initial_destination_concurrency = 1
"""

# Postfix gives its programs no other part of the environment.
SLOW_CF = """\
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C
    LD_PRELOAD={LD_PRELOAD} SLOW_SYNC_MS={SLOW_SYNC_MS}
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
smtp      unix  - - n - - smtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    """An instance of its own: own configuration, queue and log.  Settings
    are Postfix's defaults, but for limits that would end the test, and for
    the names of clients, which are not looked up."""

    kinds = ("discard", "maildir", "relay", "relay-slow", "distant",
             "distant-bdat", "idle")
    user = "nobody"

    @classmethod
    def check(cls, options, place):
        need("postfix", "postfix")
        if os.geteuid() != 0:
            raise Missing("it must be started by root")

    def prepare(self):
        super().prepare()
        owner = (self.user, "nogroup")
        self.make_maildirs(owner)
        shutil.chown(self.mail, *owner)
        for name in ("etc", "queue", "data"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
        shutil.chown(self.dir + "/data", "postfix")
        mail = os.stat(self.mail)
        stores = self.kind == "maildir"
        with open(self.dir + "/users", "w", encoding="ascii") as file:
            for i in range(self.options.users):
                file.write(f"user{i}@example.org user{i}/Maildir/\n")
        with open(self.dir + "/etc/main.cf", "w", encoding="ascii") as file:
            file.write(MAIN_CF.format(
                dir=self.dir, uid=mail.st_uid, gid=mail.st_gid,
                maps=f"texthash:{self.dir}/users",
                transport="virtual" if stores else "discard",
                processes=max(100, self.sessions + 50), size=MAX_SIZE))
            if self.sink is not None:
                file.write(RELAY_CF.format(port=self.sink.port))
            if "distant" in self.kind:
                file.write(DISTANT_CF)
            if self.environment():
                file.write(SLOW_CF.format(**self.environment()))
        with open(self.dir + "/etc/master.cf", "w", encoding="ascii") as file:
            file.write(MASTER_CF.format(port=self.port))

    def command(self):
        return [need("postfix", "postfix"), "-c", self.dir + "/etc",
                "start-fg"]

    def stop(self):
        if self.process is None:
            super().stop()
            return
        subprocess.run([need("postfix", "postfix"), "-c", self.dir + "/etc",
                        "stop"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        super().stop()


SERVERS = {
    "ours": Ours,
    "ours-filtered": OursFiltered,
    "smtpin": Smtpin,
    "smtpout": Smtpout,
    "ours-before": earlier(Ours),
    "smtpin-before": earlier(Smtpin),
    "smtpout-before": earlier(Smtpout),
    "smtp-sink": SmtpSink,
    "go-smtp": GoSmtp,
    "aiosmtpd": Aiosmtpd,
    "postfix": Postfix,
}
