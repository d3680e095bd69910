# SPDX-License-Identifier: MIT
"""OpenSMTPD and Sendmail at hosts of a world.  Their packages exclude that of
Postfix: they are unpacked, and find what they need in a mount namespace."""

import os
import platform
import subprocess
import unittest

import receivers

# Users that this machine need not know.
OPENSMTPD = ("opensmtpd", "opensmtpq")
UIDS = (64997, 64998)


def unpack(directory, package, program):
    """Unpack PACKAGE, unless this machine lacks a library of PROGRAM."""
    receivers.unpack(directory, package)
    said = subprocess.run(["ldd", os.path.join(directory, program)],
                          capture_output=True, text=True, check=False)
    if said.returncode != 0 or "not found" in said.stdout:
        raise unittest.SkipTest(f"{package} lacks a library: {said.stdout}")


def bind(directory, name, path, more=""):
    """Have PATH, one of the system's files, end with MORE; with the command of
    a shell that mounts it."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text + more)
    return f"mount --bind {name} {path}"


def own(path):
    """Have PATH be a directory of its own."""
    return f"mount -t tmpfs -o mode=755 none {path}"


class OpenSmtpd(receivers.Receiver):
    CONFIGURATION = """\
pki peer cert "{0.dir}/pem"
pki peer key "{0.dir}/key"
table users {{ {users} }}
smtp max-message-size 50M
listen on {0.host.address} port 25 hostname {0.host.name}.example tls pki peer
listen on {0.host.address6} port 25 hostname {0.host.name}.example tls pki peer
action "store" maildir "{0.dir}/mail/%{{rcpt.user}}" userbase <users>
match from any for domain "{0.domain}" action "store"
"""

    def __init__(self, world, host, domain, pair, *users):
        super().__init__(world, host, domain, pair, *users)
        unpack(self.dir, "opensmtpd", "usr/sbin/smtpd")
        os.chmod(os.path.join(self.dir, "key"), 0o600)
        self.folders(65534, 65534, "mail")
        self.write("conf", self.CONFIGURATION.format(self, users=", ".join(
            f'"{u}" = "65534:65534:{self.dir}"' for u in users)))
        names = [(name, uid) for name, uid in zip(OPENSMTPD, UIDS)]
        chroot = "/var/lib/opensmtpd/empty"
        self.begin(["unshare", "--mount", "sh", "-ec", "\n".join((
            bind(self.dir, "passwd", "/etc/passwd", "".join(
                f"{n}:x:{i}:{i}::{chroot}:/bin/false\n" for n, i in names)),
            bind(self.dir, "group", "/etc/group", "".join(
                f"{n}:x:{i}:\n" for n, i in names)),
            *map(own, ("/run", "/var/spool", "/var/lib", "/usr/libexec")),
            "cp -r usr/libexec/opensmtpd /usr/libexec",
            "mkdir -p -m 711 /var/spool/smtpd " + chroot,
            "chmod 711 " + chroot,
            "exec usr/sbin/smtpd -d -f conf"))])


class Sendmail(receivers.Receiver):
    """Its rules do as little as they can: check_rcpt knows the users, and a
    program writes to their Maildirs."""

    CONFIGURATION = """\
V10/Berkeley
Dj{0.host.name}.example
DnMAILER-DAEMON
C{{users}}{users}
O QueueDirectory={0.dir}/spool
O DaemonPortOptions=Name=four, Family=inet, Addr={0.host.address}, Port=25
O DaemonPortOptions=Name=six, Family=inet6, Addr={0.host.address6}, Port=25
O DefaultUser=0:0
O EightBitMode=pass8
O PidFile={0.dir}/pid
O StatusFile={0.dir}/status
O DeliveryMode=background
O DontBlameSendmail=TrustStickyBit,GroupWritableDirPathSafe
O AliasFile=
O HelpFile=
O Timeout.ident=0
O QueueLA=1000
O RefuseLA=1000
O SmtpGreetingMessage=$j ESMTP
O OperatorChars=.:@!^/[]+
H?P?Return-Path: <$g>
Scanonify=3
R$*<$*>$*\t$2
Sfinal=4
R$*\t$: $1
Sparse=0
R$+@$*\t$#local $: $1
R$*\t$#local $: nobody
Scheck_rcpt
R$*<$*>$*\t$: $2
R$={{users}}@{0.domain}\t$@ OK
R$*\t$#error $@ 5.1.1 $: "550 5.1.1 nobody of that name"
Mlocal, P={0.dir}/deliver, F=lsDFMPmnuq8, S=final, R=final,
\tT=DNS/RFC822/SMTP, A=deliver $u
Mprog, P=/bin/false, F=lsD, A=false
"""

    DELIVER = """\
#!/bin/sh
cd {0.dir}/mail && mkdir -p $1/new $1/tmp && cat >$1/tmp/$$ &&
mv $1/tmp/$$ $1/new/$(date +%s%N).$$
"""

    def __init__(self, world, host, domain, pair, *users):
        super().__init__(world, host, domain, pair, *users)
        unpack(self.dir, "sendmail-bin", "usr/libexec/sendmail/sendmail")
        self.folders(0, 0, "mail", "spool")
        self.write("conf", self.CONFIGURATION.format(
            self, users=" ".join(users)))
        self.write("deliver", self.DELIVER.format(self))
        os.chmod(os.path.join(self.dir, "deliver"), 0o755)
        self.write("services", "hosts: files\npasswd: files\ngroup: files\n")
        self.begin(["unshare", "--mount", "sh", "-ec", "\n".join((
            bind(self.dir, "hosts", "/etc/hosts", f"127.0.0.1 "
                 f"{platform.node()} {host.name}.example\n"),
            "mount --bind services /etc/nsswitch.conf",
            "exec usr/libexec/sendmail/sendmail -C $PWD/conf -bD"))])
