# SPDX-License-Identifier: MIT
"""Mail servers that other people wrote, and smtpin, at hosts of a world.

Each keeps all it has in a directory of its own, stores the mail of any user in
a Maildir, and has messages(), which are taken apart as they came.
"""

import glob
import os
import shutil
import subprocess
import time
import unittest

import private_postfix
import smtpin_fixture as fixture

# Headers that a receiver puts on top.
TRACE = (b"return-path", b"delivered-to", b"x-original-to", b"received",
         b"envelope-to", b"delivery-date")


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, where):
        self.dir = where
        os.makedirs(where)
        os.chmod(where, 0o755)
        self.ca = self.self_signed(
            "ca", "ca", "-addext",
            "keyUsage=critical,digitalSignature,keyCertSign")[0]

    def run(self, name, *args):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=" + name, *args], cwd=self.dir, check=True,
            capture_output=True)

    def pair(self, stem):
        """The paths of a certificate and its key."""
        return tuple(os.path.join(self.dir, f"{stem}.{kind}")
                     for kind in ("pem", "key"))

    def self_signed(self, name, stem=None, *more):
        certificate, key = self.pair(stem or name)
        self.run(name, "-addext", "subjectAltName=DNS:" + name, *more,
                 "-out", certificate, "-keyout", key)
        return certificate, key

    def sign(self, name):
        """A good certificate for NAME."""
        certificate, key = self.pair(name)
        self.run(name, "-addext", "subjectAltName=DNS:" + name, "-addext",
                 "basicConstraints=critical,CA:FALSE", "-CA", self.ca,
                 "-CAkey", self.pair("ca")[1], "-out", certificate,
                 "-keyout", key)
        return certificate, key


def listens(host, port=25):
    """Whether somebody greets there, on all addresses of HOST."""
    try:
        with host.inside():
            for address in (host.address, host.address6):
                if address is not None:
                    fixture.Dialogue(port, address).quit()
        return True
    except OSError:
        return False


def without_trace(stored):
    """A stored message without what receivers put on top of it, down to the
    first line that smtpout was given: its own Received is gone as well."""
    while True:
        name = stored.partition(b":")[0].lower()
        if name not in TRACE:
            return stored
        line, stored = stored.split(b"\n", 1)
        while stored.startswith((b" ", b"\t")):
            line, stored = stored.split(b"\n", 1)


class Smtpin(fixture.Smtpin):
    """Our own, with a user for each local part that is named."""

    def __init__(self, host, domain, *users, options=(), **others):
        self.host = host
        text = "".join(f"{user} : {user}@{domain}\n" for user in users)
        if "postmaster" not in users:
            text += f"{users[0]} : postmaster@{domain}\n"
        addresses = []
        if host.address:
            addresses += ["-a", f"{host.address}:25"]
        if host.address6:
            addresses += ["-a", f"[{host.address6}]:25"]
        super().__init__(
            users=text, arguments=addresses + list(options),
            prefix=["nsenter", "--net=" + host.path(),
                    "setpriv", "--pdeathsig", "KILL"], **others)

    def messages(self, user="*"):
        return [fixture.read(path) for path in self.new(user)]

    def wait(self, count=1, user="*", wait=fixture.WAIT):
        """Wait until USER has COUNT messages, and return them."""
        fixture.until(lambda: len(self.new(user)) >= count,
                      f"{count} messages for {user}", wait)
        return self.messages(user)


class Receiver:
    """A foreign server that stores in Maildirs below self.dir/mail."""

    def __init__(self, world, host, domain, pair, *users):
        self.host = host
        self.domain = domain
        self.users = users
        self.dir = os.path.join(world.root, type(self).__name__.lower())
        self.process = None
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        for file, name in zip(pair, ("pem", "key")):
            shutil.copy(file, os.path.join(self.dir, name))

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def folders(self, owner, group, *names):
        for name in names:
            path = os.path.join(self.dir, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, owner, group)

    def begin(self, command):
        with open(os.path.join(self.dir, "stderr"), "wb") as stderr:
            self.process = self.host.cage(
                command, cwd=self.dir, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=stderr)
        end = time.monotonic() + 2 * fixture.WAIT
        while not listens(self.host):
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise AssertionError("it does not start: " + self.said())
            time.sleep(0.1)

    def said(self):
        """What is in its logs."""
        return "\n".join(
            fixture.read(path).decode(errors="replace")[-3000:]
            for pattern in ("stderr", "maillog", "log/*")
            for path in glob.glob(os.path.join(self.dir, pattern))
            if os.path.isfile(path))

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def messages(self, user="*"):
        return [fixture.read(path) for path in sorted(
            glob.glob(os.path.join(self.dir, "mail", user, "new/*")))]

    def wait(self, count=1, user="*", wait=fixture.WAIT):
        fixture.until(lambda: len(self.messages(user)) >= count,
                      f"{count} messages for {user}\n{self.said()}", wait)
        return self.messages(user)


class Postfix(Receiver):
    MAIN = """\
inet_interfaces = {0.host.address}, {0.host.address6}
inet_protocols = all
myhostname = {0.host.name}.example
mynetworks =
virtual_mailbox_domains = {0.domain}
virtual_mailbox_maps = inline:{{ {map} }}
virtual_mailbox_limit = 0
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_cert_file = {0.dir}/pem
smtpd_tls_key_file = {0.dir}/key
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
message_size_limit = 50000000
"""

    def __init__(self, world, host, domain, pair, *users):
        super().__init__(world, host, domain, pair, *users)
        self.begin(private_postfix.prepare(
            self.dir, self.MAIN.format(self, map=", ".join(
                f"{u}@{domain}={u}/" for u in users)), ("smtp", "")))


# The user that Exim runs as, whom this machine need not know.
EXIM_UID = 64999
EXIM_NAMES = (("passwd", f"Debian-exim:x:{EXIM_UID}:{EXIM_UID}::/:/bin/false"),
              ("group", f"Debian-exim:x:{EXIM_UID}:"))
# Commands of a shell in its directory, in a mount namespace.
EXIM_MOUNTS = ("mount --bind passwd /etc/passwd && "
               "mount --bind group /etc/group && ")


def unpack(directory, package):
    """A server of Debian's that is not installed: it would take Postfix's
    place."""
    for command in (["unshare", "--mount", "true"],
                    ["apt-get", "download", package],
                    ["sh", "-c", f"dpkg -x {package}_*.deb ."]):
        try:
            subprocess.run(command, cwd=directory, check=True,
                           capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise unittest.SkipTest(f"no {package} to be had: {error}")


def unpack_exim(directory):
    unpack(directory, "exim4-daemon-light")


def name_exim(directory):
    """Write what EXIM_MOUNTS mounts."""
    for name, line in EXIM_NAMES:
        shutil.copy(f"/etc/{name}", directory)
        with open(os.path.join(directory, name), "a",
                  encoding="ascii") as file:
            file.write(line + "\n")


class Exim(Receiver):
    """Its package excludes that of Postfix: it is unpacked beside, and gets
    its user in a mount namespace of its own."""

    CONFIGURATION = """\
primary_hostname = {0.host.name}.example
spool_directory = {0.dir}/spool
log_file_path = {0.dir}/log/%slog
pid_file_path = {0.dir}/spool/pid
local_interfaces = <; {0.host.address} ; {0.host.address6}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
host_lookup =
message_size_limit = 50000000
deliver_drop_privilege
tls_certificate = {0.dir}/pem
tls_privatekey = {0.dir}/key
begin acl
rcpt:
  accept domains = {0.domain}
         local_parts = {users}
  deny   message = 5.1.1 nobody of that name
begin routers
all:
  driver = accept
  local_parts = {users}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {0.dir}/mail/$local_part_data
  maildir_format
  return_path_add
"""
    def __init__(self, world, host, domain, pair, *users):
        super().__init__(world, host, domain, pair, *users)
        unpack_exim(self.dir)
        self.folders(EXIM_UID, EXIM_UID, "spool", "log", "mail")
        os.chown(os.path.join(self.dir, "key"), EXIM_UID, EXIM_UID)
        self.write("conf", self.CONFIGURATION.format(
            self, users=" : ".join(users)))
        name_exim(self.dir)
        self.begin(["sh", "-c", EXIM_MOUNTS
                    + "exec ./usr/sbin/exim4 -C $PWD/conf -bdf"])


class Sink:
    """Postfix's smtp-sink, which throws away what it takes."""

    def __init__(self, host, *options):
        program = fixture.need("smtp-sink")
        self.process = host.cage(
            [program, "-u", "nobody", *options, f"{host.address}:25", "200"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with host.inside():
            fixture.until(self.answers(host), "smtp-sink does not listen")

    @staticmethod
    def answers(host):
        def attempt():
            try:
                fixture.Dialogue(25, host.address).quit()
                return True
            except OSError:
                return False
        return attempt

    def close(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
