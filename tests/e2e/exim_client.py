# SPDX-License-Identifier: MIT
"""Exim hands mail to a server."""

import os
import re

import receivers


class Exim:
    """It sends chunks, where these are offered, and runs in DIRECTORY; MORE are
    lines for its transport."""

    CONFIGURATION = """\
primary_hostname = exim.example.net
exim_path = {0}/usr/sbin/exim4
spool_directory = {0}/spool
log_file_path = {0}/log/%slog
received_header_text =
host_lookup =
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  port = {1}
{2}"""

    def __init__(self, directory, port, more=""):
        self.dir = directory
        os.chmod(directory, 0o755)
        receivers.unpack_exim(directory)
        receivers.name_exim(directory)
        for name in ("spool", "log"):
            os.mkdir(os.path.join(directory, name))
            os.chown(os.path.join(directory, name), receivers.EXIM_UID,
                     receivers.EXIM_UID)
        with open(os.path.join(directory, "conf"), "w",
                  encoding="ascii") as file:
            file.write(self.CONFIGURATION.format(directory, port, more))

    def command(self, _port, path, *rcpts):
        return ["unshare", "--mount", "sh", "-c", 'cd "$1" && '
                + receivers.EXIM_MOUNTS + 'exec ./usr/sbin/exim4 -C "$1/conf" '
                "-f sender@example.net -odi -i "
                + " ".join(rcpts or ["alice@example.org"]) + ' <"$2"',
                "sh", self.dir, path]

    def deliveries(self):
        """The lines of its log about what it has sent."""
        with open(os.path.join(self.dir, "log", "mainlog"),
                  encoding="ascii") as file:
            return [line for line in file
                    if re.search(r" (=>|->|\*\*) ", line)]
