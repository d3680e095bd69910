# SPDX-License-Identifier: MIT
"""An rspamd at a host of a world, which verifies DKIM signatures and does
nothing else.  It is not among the packages that the tests install: where it is
not there, they are skipped.  RSPAMD_ROOT is where its package was unpacked, if
not to /."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

import smtpin_fixture as fixture

URL = "http://127.0.0.1:11333/"

CONFIGURATION = """
options {{
  pidfile = "{0}/pid";
  control_socket = "{0}/control";
  cache_file = "{0}/symbols.cache";
  tempdir = "{0}";
  url_tld = "{0}/tlds";
  filters = "dkim";
  local_addrs = [];
  dns {{ nameserver = ["{1}:53"]; timeout = 10s; }}
  task_timeout = 60s;
}}
lua = "{0}/empty.lua";
logging {{ type = "console"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:11333"; count = 1; }}
dkim {{ check_local = true; check_authed = true; trusted_only = false; }}
"""


class Rspamd:
    def __init__(self, world, host):
        root = os.environ.get("RSPAMD_ROOT", "/")
        program = os.path.join(root, "usr/bin/rspamd")
        if not os.path.exists(program):
            raise unittest.SkipTest("rspamd is not installed")
        self.host = host
        self.dir = tempfile.mkdtemp(prefix="rspamd.")
        for name, text in (
                ("conf", CONFIGURATION.format(self.dir, world.dns)),
                ("tlds", "example\n"), ("empty.lua", "")):
            fixture.write(os.path.join(self.dir, name), text)
        share = os.path.join(root, "usr/share/rspamd")
        self.log = os.path.join(self.dir, "log")
        with open(self.log, "wb") as log:
            self.process = host.cage(
                [program, "-f", "-i", "-c", os.path.join(self.dir, "conf"),
                 f"--var=SHAREDIR={share}", f"--var=LUALIBDIR={share}/lualib",
                 f"--var=RULESDIR={share}/rules",
                 f"--var=PLUGINSDIR={share}/plugins",
                 f"--var=DBDIR={self.dir}", f"--var=RUNDIR={self.dir}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            fixture.until(self.answers, "rspamd does not answer",
                          3 * fixture.WAIT)
        except AssertionError as error:
            self.close()
            raise unittest.SkipTest(str(error)) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, path, data=None):
        with self.host.inside(), urllib.request.urlopen(
                URL + path, data, timeout=3 * fixture.WAIT) as reply:
            return reply.read()

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("rspamd ended: " + fixture.read(
                self.log).decode(errors="replace")[-1000:])
        try:
            return self.ask("ping")
        except OSError:
            return False

    def verifies(self, text):
        """Whether the signature of TEXT is good; what was said."""
        symbols = json.loads(self.ask("checkv2", text))["symbols"]
        return "R_DKIM_ALLOW" in symbols, symbols
