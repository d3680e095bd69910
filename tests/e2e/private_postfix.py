# SPDX-License-Identifier: MIT
"""A Postfix that has all it needs in a directory, for one test: the one that
this machine may have is not touched."""

import os
import pwd

import smtpin_fixture as fixture
from private_daemon import PrivateDaemon

MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
mydestination =
virtual_mailbox_base = {dir}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_peername_lookup = no
disable_dns_lookups = yes
"""

SERVICES = """\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def prepare(where, main, *listeners):
    """Write to the directory WHERE what a Postfix needs: MAIN, lines of main.cf
    besides those above, and LISTENERS, addresses with their options in
    master.cf.  Return the command that starts it; mail of users is in
    WHERE/mail, the log in WHERE/maillog."""
    program = fixture.need("postfix")
    if os.geteuid() != 0:
        fixture.cannot("Postfix needs root to start")
    daemons = [d for d in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix",
                           "/usr/lib/postfix")
               if os.path.exists(os.path.join(d, "smtpd"))]
    if not daemons:
        fixture.cannot("the daemons of Postfix are not installed")
    owner = pwd.getpwnam("postfix")
    for name in ("conf", "spool", "data", "mail"):
        os.makedirs(os.path.join(where, name), 0o755, exist_ok=True)
    for name in ("data", "mail"):
        os.chown(os.path.join(where, name), owner.pw_uid, owner.pw_gid)
    conf = os.path.join(where, "conf")
    write(os.path.join(conf, "main.cf"), MAIN.format(
        dir=where, daemons=daemons[0], uid=owner.pw_uid,
        gid=owner.pw_gid) + main)
    write(os.path.join(conf, "master.cf"), "".join(
        f"{address} inet n - n - - smtpd{options}\n"
        for address, options in listeners) + SERVICES)
    return [program, "-c", conf, "start-fg"]


class Postfix(PrivateDaemon):
    """One that listens on ports of 127.0.0.1, a free one for each of OPTIONS,
    those in master.cf."""

    def __init__(self, main, options=("",)):
        super().__init__("Postfix", "maillog")
        self.ports = [fixture.free_port() for _ in options]
        self.port = self.ports[0]
        try:
            self.start(prepare(
                self.dir, "inet_interfaces = 127.0.0.1\n"
                "inet_protocols = ipv4\n" + main,
                *((f"127.0.0.1:{port}", option)
                  for port, option in zip(self.ports, options))))
        except BaseException:
            self.close()
            raise
