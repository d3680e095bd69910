# SPDX-License-Identifier: MIT
"""Many clients, one in five of them broken: nothing is lost or doubled.

LOAD_MESSAGES (10000) and LOAD_SESSIONS (100) set the size.  Give a program
built with a sanitizer, or valgrind as SMTPIN_WRAPPER: its report makes the
exit status bad, and that fails the test.
"""

import collections
import os
import re
import subprocess
import unittest

import smtpin_fixture as fixture
from broken_clients import BrokenClients

MESSAGES = int(os.environ.get("LOAD_MESSAGES", "10000"))
SESSIONS = int(os.environ.get("LOAD_SESSIONS", "100"))


class Load(unittest.TestCase):
    def setUp(self):
        self.smtpin = self.enterContext(fixture.Smtpin(level="info"))

    def smtp_source(self, messages, sessions, *more):
        """Each message has a Message-Id of its own."""
        return subprocess.Popen(
            [fixture.need("smtp-source"), "-s", str(sessions),
             "-m", str(messages), "-l", "1024", "-f", "sender@example.net",
             "-t", "alice@example.org", *more,
             f"127.0.0.1:{self.smtpin.port}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stored(self):
        """How often each Message-Id is in the Maildir of alice."""
        found = collections.Counter()
        for path in self.smtpin.new("alice"):
            match = re.search(rb"(?mi)^message-id: *(\S+)$",
                              fixture.read(path))
            self.assertIsNotNone(match, path)
            found[match[1]] += 1
        return found

    def test_load(self):
        good = max(2, SESSIONS * 4 // 5)
        kept = MESSAGES // 2
        with BrokenClients(self.smtpin.port, max(5, SESSIONS // 5)) as broken:
            # Half over kept connections, half over one for each message.
            sources = [
                self.smtp_source(kept, good - good // 2, "-d"),
                self.smtp_source(MESSAGES - kept, good // 2)]
            for source in sources:
                output, _ = source.communicate(timeout=600 * fixture.SLOW)
                self.assertEqual(source.returncode, 0, output)
        self.assertEqual(broken.errors, [])
        self.assertGreater(broken.sessions, SESSIONS // 5)

        found = self.stored()
        self.assertEqual(len(found), MESSAGES)
        self.assertEqual(set(found.values()), {1})
        # Nothing of what the broken ones began.
        self.assertEqual(self.smtpin.new("bob"), [])
        fixture.until(lambda: self.smtpin.tmp() == [], "files in tmp/")


if __name__ == "__main__":
    fixture.main()
