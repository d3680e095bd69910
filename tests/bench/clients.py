# SPDX-License-Identifier: MIT
"""The clients of a run: loadgen, as one process or as several."""

import contextlib
import json
import subprocess

# The connections that one process of idle clients opens at most: the limit
# of descriptors is each process's own.
IDLE_EACH = 15000

# Clients that send mail beside those that are silent.
BUSY_SESSIONS = 20


class Failed(Exception):
    """A run that gave no figure."""


def read_result(text, status):
    try:
        result = json.loads(text.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise Failed(f"loadgen ended with {status}") from error
    if result["unexpected"]:
        raise Failed(f"{result['unexpected']} unexpected: "
                     + result["first_error"])
    return result


def run_busy(command, seconds):
    """What a few clients see that send mail for SECONDS, step by step: the
    results of loadgen."""
    done = subprocess.run(
        [*command[:-1], "-s", str(BUSY_SESSIONS), "-t", str(seconds),
         command[-1]], stdout=subprocess.PIPE, text=True, check=False)
    return read_result(done.stdout, done.returncode)


def shares(sessions):
    """SESSIONS divided among as few processes as can have them."""
    count = -(-sessions // IDLE_EACH)
    return [sessions // count + (i < sessions % count) for i in range(count)]


class IdleClients(contextlib.AbstractContextManager):
    """Connections that are opened, held, and closed at the end."""

    def __init__(self, command, sessions):
        self.processes = [
            (share, subprocess.Popen(
                [*command[:-1], "-i", "-s", str(share), command[-1]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for share in shares(sessions)]

    def wait_open(self):
        """Until all are greeted and have said EHLO."""
        for share, process in self.processes:
            line = process.stdout.readline()
            if line.split() != ["open", str(share)]:
                raise Failed(line.strip() + f" of {share}")

    def close(self):
        """Close them; raise Failed if any of them was closed before."""
        for _, process in self.processes:
            process.stdin.close()
        for _, process in self.processes:
            text = process.stdout.read()
            read_result(text, process.wait())

    def __exit__(self, *_):
        for _, process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
