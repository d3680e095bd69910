# SPDX-License-Identifier: MIT
"""Let one system call of a program fail, the one that a test names.

FAULT_POINTS (100) says how many calls of a kind fail at most, one a round; SEED
repeats a choice of fewer.
"""

import errno
import mmap
import os
import random
import struct
import subprocess
import time
import unittest

import smtpin_fixture as fixture

POINTS = int(os.environ.get("FAULT_POINTS", "100"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))

# The errors that each kind of call can have.
ERRORS = {
    "open": (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.ENOMEM,
             errno.EINTR),
    "read": (errno.EIO, errno.EINTR),
    "pread": (errno.EIO, errno.EINTR, errno.ENOMEM),
    "write": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "pwrite": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "sync": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "truncate": (errno.EIO, errno.EINTR),
    "allocate": (errno.ENOSPC, errno.EIO, errno.EINTR),
    "rename": (errno.EIO, errno.ENOSPC, errno.ENOMEM),
    "link": (errno.EIO, errno.ENOSPC, errno.ENOMEM),
    "unlink": (errno.EIO, errno.ENOMEM),
    "mkdir": (errno.EIO, errno.ENOSPC, errno.ENOMEM),
    "socket": (errno.EMFILE, errno.ENOMEM),
    "connect": (errno.ENOMEM, errno.EINTR),
    "accept": (errno.EMFILE, errno.ENOMEM, errno.EINTR),
    "recv": (errno.ENOMEM, errno.EINTR),
    "send": (errno.ENOMEM, errno.EINTR),
    "poll": (errno.ENOMEM, errno.EINTR),
    "getaddrinfo": (errno.EIO, errno.ENOMEM),
    "thread": (errno.EAGAIN,),
    "memory": (errno.ENOMEM,),
}

# What an interrupt of these must not show; others may give up.
AGAIN = ("read", "pread", "write", "pwrite", "accept", "recv", "send", "poll")

PAGE = struct.Struct("=32siiii")
COUNTDOWN = 36


class Faults:
    """What the library of faulty.c is told by; one for a process at a time."""

    def __init__(self, library, directory):
        self.path = os.path.join(directory, "faults")
        with open(self.path, "wb") as file:
            file.write(bytes(PAGE.size))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), PAGE.size)
        self.environment = {
            "LD_PRELOAD": library, "FAULTS": self.path,
            "ASAN_OPTIONS": ":".join(filter(None, [
                os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))}

    def set(self, call="", error=0, countdown=0):
        # In an order in which nothing fails by half of it.
        struct.pack_into("=i", self.page, COUNTDOWN, 0)
        PAGE.pack_into(self.page, 0, call.encode(), error, 0, 0, 0)
        struct.pack_into("=i", self.page, COUNTDOWN, countdown)

    def clear(self):
        """Let nothing fail any more; what was seen stays."""
        struct.pack_into("=i", self.page, COUNTDOWN, 0)
        struct.pack_into("=32s", self.page, 0, b"")

    @staticmethod
    def harmless(call, error):
        """Whether nobody may notice."""
        return error == 0 or error == errno.EINTR and call in AGAIN

    @property
    def seen(self):
        """How often the call was made since set()."""
        return PAGE.unpack_from(self.page)[3]

    @property
    def failed(self):
        return PAGE.unpack_from(self.page)[4] > 0

    def start(self, daemon, call, error, listens):
        """Start DAEMON, whose CALL fails with ERROR.  Return True once LISTENS()
        is true, or False when it ended, as its manual says."""
        daemon.spawn()
        # It may be the line with the address that is not written.
        fixture.until(lambda: listens()
                      or call == "poll" and self.failed
                      or daemon.process.poll() is not None,
                      "it neither listens nor ends")
        if daemon.process.poll() is None:
            return True
        daemon.reader.join(fixture.WAIT)
        status = daemon.process.returncode
        if status not in range(64, 79):
            raise AssertionError(f"it ended with {status}")
        if not daemon.text() and call != "poll":
            raise AssertionError("it does not say why it ended")
        if self.harmless(call, error):
            raise AssertionError(f"it ended for nothing: {daemon.text()}")
        return False

    def rounds(self, work):
        """Do WORK(call, error) once for each call of each kind that it makes,
        with that one failing; first, to count them, with none (error 0)."""
        rng = random.Random(SEED)
        made = 0
        for call, errors in ERRORS.items():
            self.set(call)
            work(call, 0)
            count = self.seen
            made += count
            points = range(1, count + 1)
            if count > POINTS:
                points = sorted(rng.sample(points, POINTS))
            for error in errors:
                for point in points:
                    self.set(call, error, point)
                    try:
                        work(call, error)
                    except Exception as problem:
                        raise AssertionError(
                            f"{call} number {point} of {count} failed with "
                            f"{errno.errorcode[error]}, seed {SEED}: "
                            f"{problem}") from problem
        self.clear()
        if made == 0:
            raise AssertionError("the library was not loaded")


def preloaded(program):
    """The path of what makes PROGRAM's calls fail; FAULTY names it."""
    path = os.environ.get("FAULTY")
    if not path:
        fixture.cannot("FAULTY does not name the library")
    linked = subprocess.run(["ldd", program], capture_output=True, text=True,
                            check=True).stdout
    if "tsan" in linked:
        raise unittest.SkipTest("ThreadSanitizer wants to see all calls")
    return os.path.abspath(path)
