# SPDX-License-Identifier: MIT
"""Signatures by an Ed25519 key that another process has, as python3-dkim sees
them.  The first argument is the program that signs."""

import base64
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import dkim
    import nacl  # which dkim verifies by
    del nacl
except ImportError as missing:
    print(missing)
    sys.exit(77)

PROGRAM = sys.argv[1]

MESSAGES = (
    b"From: ann@x.example\r\n\r\n",
    b"From: ann@x.example\r\nSubject: a\r\n folded  one\r\n\r\nHello.\r\n",
    b"from:Ann <ann@X.example>\r\nTo: b@y.example\r\nTO: c@y.example\r\n"
    b"\r\n a \t b\r\n.\r\n\r\n\r\n",
    b"From: ann@x.example\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n" + 9000 * b"line\r\n",
)


class Ed25519(unittest.TestCase):
    def setUp(self):
        self.dir = self.enterContext(tempfile.TemporaryDirectory())
        self.key = os.path.join(self.dir, "key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out",
                        self.key], check=True, capture_output=True)
        public = subprocess.run(
            ["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"],
            check=True, capture_output=True).stdout[-32:]
        self.record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)

    def sign(self, message):
        done = subprocess.run([PROGRAM, "x.example", "s1", self.key, self.dir],
                              input=message, capture_output=True, check=False)
        if done.returncode == 77:
            self.skipTest("there is no DKIM without TLS")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verify(self, text):
        names = []

        def look_up(name, timeout=5):
            names.append(name)
            return self.record

        good = dkim.DKIM(text).verify(dnsfunc=look_up)
        self.assertEqual(names, [b"s1._domainkey.x.example."])
        return good

    def test_others_verify(self):
        """RFC 8463, 3"""
        for message in MESSAGES:
            with self.subTest(message[:60]):
                text = self.sign(message)
                self.assertTrue(text.endswith(message))
                self.assertIn(b"a=ed25519-sha256", text)
                self.assertTrue(self.verify(text))
                try:
                    changed = self.verify(text + b"x\r\n")
                except dkim.ValidationError:
                    changed = False
                self.assertFalse(changed)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
