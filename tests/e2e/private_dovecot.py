# SPDX-License-Identifier: MIT
"""A Dovecot that has all it needs in a directory, for one test."""

import os
import subprocess
import unittest

import smtpin_fixture as fixture
from private_daemon import PrivateDaemon

# The user that mail belongs to.
UID = 65534

CONFIG = """\
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
protocols = {protocol}
listen = {address}
hostname = mail.example.org
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {address}
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot(PrivateDaemon):
    """One that serves PROTOCOL, at HOST of a world if that is given, with
    SETTINGS, in which {dir} is its directory."""

    def __init__(self, protocol, settings, host=None):
        program = fixture.need("dovecot")
        version = subprocess.run([program, "--version"], check=True,
                                 capture_output=True, text=True).stdout
        if not version.startswith("2.3."):
            raise unittest.SkipTest(
                f"its settings have another form than in 2.3: {version}")
        if os.geteuid() != 0:
            fixture.cannot("Dovecot needs root to start")
        super().__init__("Dovecot", "log", host)
        self.home = os.path.join(self.dir, "home")
        os.mkdir(self.home)
        os.chown(self.home, UID, UID)
        self.port = fixture.free_port() if host is None else 2500
        ports = {"submission": 0, "lmtp": 0, protocol: self.port}
        config = os.path.join(self.dir, "dovecot.conf")
        fixture.write(config, CONFIG.format(
            dir=self.dir, protocol=protocol, address=self.address, **ports)
            + settings.replace("{dir}", self.dir))
        try:
            self.start([program, "-F", "-c", config])
        except BaseException:
            self.close()
            raise
