# SPDX-License-Identifier: MIT
"""Reports as python's email package reads them.  The program that writes them
is the only argument."""

import email
import email.policy
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop()


def report(*words):
    return subprocess.run([PROGRAM, *words], check=True,
                          stdout=subprocess.PIPE, timeout=30).stdout


def defects(message):
    """All that the parser found wrong in any part."""
    return [d for part in message.walk() for d in part.defects]


def parse(data):
    return email.message_from_bytes(data, policy=email.policy.SMTP)


class Report(unittest.TestCase):
    def check_lines(self, data):
        self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))
        self.assertEqual(data.count(b"\r"), data.count(b"\r\n"))
        for line in data.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)

    def check_parts(self, message, third):
        self.assertEqual(defects(message), [])
        self.assertEqual(message.get_content_type(), "multipart/report")
        self.assertEqual(message.get_param("report-type"), "delivery-status")
        self.assertEqual([p.get_content_type() for p in message.get_payload()],
                         ["text/plain", "message/delivery-status", third])

    def test_header(self):
        data = report("honest")
        message = parse(data)
        self.check_lines(data)
        self.check_parts(message, "text/rfc822-headers")
        self.assertEqual(message["From"].addresses[0].addr_spec,
                         "MAILER-DAEMON@mail.example.org")
        self.assertEqual(message["To"].addresses[0].addr_spec,
                         "alice@example.org")
        self.assertEqual(message["Date"].datetime.timestamp(), 1136214365)
        self.assertEqual(message["Auto-Submitted"], "auto-replied")
        self.assertEqual(message["References"], "<m1@example.org>")
        self.assertEqual(message["Message-ID"],
                         "<0123456789ABD.0@mail.example.org>")

    def test_fields(self):
        status = parse(report("honest")).get_payload()[1].get_payload()
        self.assertEqual(len(status), 4)
        self.assertEqual(status[0]["Reporting-MTA"], "dns; mail.example.org")
        self.assertEqual(status[0]["Original-Envelope-Id"], "QQ 314159")
        self.assertEqual(status[1]["Original-Recipient"],
                         "rfc822; robert+x@example.com")
        self.assertEqual(status[1]["Final-Recipient"],
                         "rfc822; bob@example.com")
        self.assertEqual(status[1]["Diagnostic-Code"],
                         "smtp; 550 5.1.1 no such user")
        self.assertEqual([s["Action"] for s in status[1:]],
                         ["failed", "delayed", "relayed"])
        self.assertEqual([s["Status"] for s in status[1:]],
                         ["5.1.1", "4.4.1", "2.0.0"])
        self.assertEqual([s["Will-Retry-Until"] is None for s in status[1:]],
                         [True, False, True])
        # A folded one is whole.
        self.assertEqual(status[2]["Diagnostic-Code"],
                         "X-Local; no host could be reached: "
                         + "0123456789 ABCDE" * 8)

    def test_words(self):
        text = parse(report("honest")).get_payload()[0].get_payload()
        for line in text.split("\r\n"):
            self.assertLessEqual(len(line), 78)
        self.assertIn("<bob@example.com>", text)
        self.assertIn("mx.example.com said: 550 5.1.1 no such user", text)

    def test_original(self):
        headers = parse(report("honest")).get_payload()[2]
        self.assertEqual(headers.get_payload(decode=True),
                         b"From: a@b\r\nSubject: hello\r\n")
        message = parse(report("honest", "whole"))
        self.check_parts(message, "message/rfc822")
        self.assertEqual(message["Content-Transfer-Encoding"], "8bit")
        self.assertEqual(message.get_payload()[2]["Content-Transfer-Encoding"],
                         "8bit")
        original = message.get_payload()[2].get_payload()[0]
        self.assertEqual(original["Subject"], "hello")
        self.assertEqual(original.get_payload(decode=True),
                         b"--=_\r\n\xc3\xa4 body\r\n")

    def test_nothing_is_forged(self):
        for words in (["hostile"], ["hostile", "whole"]):
            data = report(*words)
            self.check_lines(data)
            message = email.message_from_bytes(data,
                                               policy=email.policy.compat32)
            self.check_parts(message, "message/rfc822" if words[1:] else
                             "text/rfc822-headers")
            self.assertEqual(message.get_all("Subject"),
                             ["Your message could not be delivered"])
            status = message.get_payload()[1].get_payload()
            self.assertEqual(len(status), 3)
            self.assertEqual([s["Status"] for s in status[1:]],
                             ["5.0.0", "4.0.0"])
            for part in status:
                self.assertIsNone(part["Subject"])
            # Only the text for people may have other characters.
            ours = data[:data.index(b"From: a@b\r\n")]
            fields = ours.index(b"Content-Type: message/delivery-status")
            self.assertIn("ä", ours.decode())
            self.assertTrue(ours[:ours.index(b"\r\n\r\n")].isascii())
            self.assertTrue(ours[fields:].isascii())


if __name__ == "__main__":
    unittest.main()
