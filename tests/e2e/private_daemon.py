# SPDX-License-Identifier: MIT
"""A mail server that others wrote, with all it needs in a directory, for one
test: the one that this machine may have is not touched."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import smtpin_fixture as fixture

# All its processes end with the first.
CAGE = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]


class PrivateDaemon:
    """The program NAME in a directory of its own, at HOST of a world if that is
    given.  A subclass writes its settings there and calls start(); PORT is one
    that it answers on, LOG the file that it logs to."""

    def __init__(self, name, log, host=None):
        self.name = name
        self.inside = host.inside if host else contextlib.nullcontext
        self.address = host.address if host else "127.0.0.1"
        self.dir = tempfile.mkdtemp(prefix=name.lower() + ".")
        os.chmod(self.dir, 0o755)
        self.log = os.path.join(self.dir, log)
        self.port = None
        self.process = None

    def start(self, command):
        done = subprocess.run([*CAGE, "true"], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            fixture.cannot(f"no PID namespace: {done.stderr}")
        with self.inside():
            self.process = subprocess.Popen(
                [*CAGE, *command], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fixture.until(self.answers, f"{self.name} does not answer",
                      2 * fixture.WAIT)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.said()}")
        try:
            with self.inside():
                fixture.Dialogue(self.port, self.address).quit()
            return True
        except OSError:
            return False

    def said(self):
        """What is in its log."""
        try:
            return fixture.read(self.log).decode("utf-8", "replace")
        except OSError:
            return "nothing"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
