# SPDX-License-Identifier: MIT
"""Mail with addresses and a header in UTF-8 (RFC 6531) goes through smtpout,
and what cannot is reported (RFC 6533)."""

import email
import email.message
import email.policy
import os
import quopri
import smtplib
import subprocess

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from retry_case import ZONE, HomeCase
from smtpout_fixture import Report, Smtpout, message

SENDER = "jörg@home.example"
RCPT = "ü@one.example"

# What servers offer.
UTF8 = ("250-scripted.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
        "250-DSN\r\n250 SMTPUTF8")


def utf8_message(sender=SENDER, to=RCPT):
    m = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
    m["From"] = sender
    m["To"] = to
    m["Subject"] = "Grüße, Ωμέγα"
    m["Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    m["Message-ID"] = "<x@home.example>"
    m.set_content("Grüße\n", cte="8bit")
    return m.as_bytes()


def decoded(text):
    """A line of a scripted server, which takes bytes for Latin-1."""
    return text.encode("latin-1").decode()


class Utf8(HomeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.zone(ZONE + """
xn--bcher-kva.example.	MX 10 mx1.example.
both.example.	MX 10 mx1.example.
both.example.	MX 20 mx2.example.
""")

    def setUp(self):
        self.smtpout = self.enterContext(
            Smtpout(self.world, "--retry-min", "1", "--retry-max", "2"))
        with self.smtpout.host.inside():
            self.client = self.enterContext(smtplib.SMTP(
                "127.0.0.1", 25, "client.example", timeout=fixture.WAIT))
        self.client.ehlo()
        if not self.client.has_extn("SMTPUTF8"):
            fixture.cannot("smtpout was built without libidn2")
        self.home = Smtpin(self.world.hosts["home"], "home.example", "alice")
        self.home.write_map("alice : alice@home.example, jörg@home.example, "
                            "postmaster@home.example\n")
        self.enterContext(self.home)

    def send(self, *rcpts, content=None, sender=SENDER, options=("SMTPUTF8",),
             rcpt_options=()):
        self.client.sendmail(sender, rcpts, content or utf8_message(),
                             mail_options=["BODY=8BITMIME", *options],
                             rcpt_options=rcpt_options)

    def report(self):
        text, = self.home.wait(1, "alice", 2 * fixture.WAIT)
        return Report(text)

    def test_passed_on(self):
        server = self.server(ehlo=UTF8)
        self.send(RCPT, rcpt_options=["ORCPT=utf-8;ö@other.example"])
        taken, = server.wait(1)
        self.assertEqual(decoded(taken.sender), SENDER)
        self.assertEqual([decoded(r) for r in taken.rcpts], [RCPT])
        self.assertEqual(taken.parameters,
                         {**taken.parameters, "SMTPUTF8": "",
                          "BODY": "8BITMIME"})
        self.assertEqual(
            decoded(taken.rcpt_parameters[taken.rcpts[0]]["ORCPT"]),
            "utf-8;ö@other.example")
        header = taken.header.decode()
        self.assertRegex(header, r"with UTF8SMTP id \w+\s+for <ü@one.example>;")
        self.assertIn("Subject: Grüße, Ωμέγα", header)
        self.smtpout.wait_empty()

    def test_to_smtpin(self):
        self.send("jörg@home.example", sender="a@one.example")
        stored, = self.home.wait(1, "alice")
        self.assertIn("Delivered-To: jörg@home.example", stored.decode())
        self.assertEqual(stored.decode().count("with UTF8SMTP"), 2)

    def test_nothing_needs_it(self):
        """SMTPUTF8 is said only where something needs it (RFC 6531, 3.4)."""
        server = self.server()
        self.send("bob@one.example", content=message(),
                  sender="alice@home.example")
        taken, = server.wait(1)
        self.assertNotIn("SMTPUTF8", taken.parameters)
        self.smtpout.wait_empty()
        self.assertEqual(self.home.messages(), [])

    def test_only_a_domain_needs_it(self):
        """RFC 6531, 3.2"""
        server = self.server()
        self.send("bob@bücher.example", content=message(),
                  sender="alice@home.example")
        taken, = server.wait(1)
        self.assertNotIn("SMTPUTF8", taken.parameters)
        self.assertEqual(taken.rcpts, ["bob@xn--bcher-kva.example"])
        self.assertIn(b"for <bob@xn--bcher-kva.example>", taken.header)

    def test_not_said(self):
        """A header in UTF-8, though nobody said so, goes on as it came; the
        next host is told where it knows the word (RFC 6531, 3.4)."""
        for offers in (None, UTF8):
            server = self.server(**({"ehlo": offers} if offers else {}))
            self.send("bob@one.example", sender="alice@home.example",
                      options=())
            taken, = server.wait(1)
            self.assertEqual("SMTPUTF8" in taken.parameters,
                             offers is not None)
            self.assertIn("Subject: Grüße".encode(), taken.header)
            self.smtpout.wait_empty()
            server.close()

    def test_no_utf8(self):
        """A header in Latin-1 goes on as it came."""
        server = self.server(ehlo=UTF8)
        self.send("bob@one.example", sender="alice@home.example", options=(),
                  content=utf8_message().replace("ü".encode(), b"\xfc"))
        taken, = server.wait(1)
        self.assertNotIn("SMTPUTF8", taken.parameters)
        self.assertIn(b"Subject: Gr\xfc", taken.header)

    def test_header_that_cannot_go(self):
        """The header alone needs it (RFC 6531, 3.2)."""
        self.server()
        self.send("bob@one.example", sender="alice@home.example")
        report = self.report()
        fields = report.rcpt("bob@one.example")
        self.assertEqual(fields["Status"], "5.6.7")
        self.assertIn("does not offer SMTPUTF8", fields["Diagnostic-Code"])
        self.smtpout.wait_empty()

    def send_part(self, name, before=""):
        """A message whose header is ASCII, with a part called NAME."""
        self.send("bob@one.example", sender="alice@home.example", content=(
            f"Subject: x\n{before}"
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
            f'Content-Disposition: inline; filename="{name}"\n\n'
            "Grüße\n--b--\n").encode())

    def test_part_that_cannot_go(self):
        """The header of a part needs it as well (RFC 6532), also in a message
        that is passed on."""
        self.server()
        self.send_part("ü")
        self.send_part("ü", "Content-Type: message/rfc822\n\n")
        for text in self.home.wait(2, "alice", 2 * fixture.WAIT):
            fields = Report(text).rcpt("bob@one.example")
            self.assertEqual(fields["Status"], "5.6.7")
        self.smtpout.wait_empty()

    def test_part_that_can_go(self):
        """The text of a part does not need it."""
        server = self.server()
        self.send_part("u")
        taken, = server.wait(1)
        self.assertNotIn("SMTPUTF8", taken.parameters)
        self.assertIn("Grüße".encode(), taken.body)
        self.smtpout.wait_empty()

    def test_report_to_ascii(self):
        """Whose hosts may not have SMTPUTF8 (RFC 6533, 4.5)."""
        server = self.server()
        self.send(RCPT, sender="alice@home.example", rcpt_options=[
            r"ORCPT=utf-8;\x{F6}@other.example"])
        report = self.report()
        self.assertEqual(report.message.defects, [])
        fields = report.rcpt(r"\x{FC}@one.example")
        self.assertEqual(fields["Final-Recipient"],
                         r"utf-8; \x{FC}@one.example")
        self.assertEqual(fields["Original-Recipient"],
                         r"utf-8; \x{F6}@other.example")
        self.assertEqual(fields["Action"], "failed")
        self.assertEqual(fields["Status"], "5.6.7")
        self.assertIn("<ü@one.example>", report.text)
        self.assertIn("Subject: Grüße, Ωμέγα", report.text)
        self.assertEqual(report.original.get_content_type(), "message/global")
        self.assertEqual(report.original["Content-Transfer-Encoding"],
                         "quoted-printable")
        # The parser takes the part for a message, and decodes nothing.
        original = quopri.decodestring(
            report.original.get_payload(0).as_bytes(policy=email.policy.HTTP))
        self.assertIn("Subject: Grüße, Ωμέγα".encode(), original)
        self.assertIn("\n\nGrüße".encode(), original.replace(b"\r", b""))
        self.assertEqual(server.taken, [])
        self.smtpout.wait_empty()

    def test_report_in_utf8(self):
        """RFC 6533, 4"""
        self.server()
        self.send(RCPT, rcpt_options=[r"ORCPT=utf-8;\x{F6}@other.example"])
        text, = self.home.wait(1, "alice", 2 * fixture.WAIT)
        self.assertIn("Delivered-To: jörg@home.example", text.decode())
        self.assertIn(b"with UTF8SMTP id", text)
        report = email.message_from_bytes(text, policy=email.policy.SMTPUTF8)
        self.assertEqual(report.defects, [])
        self.assertEqual(report["To"], "jörg@home.example")
        self.assertEqual(report.get_param("report-type"),
                         "global-delivery-status")
        parts = list(report.iter_parts())
        self.assertEqual([p.get_content_type() for p in parts],
                         ["text/plain", "message/global-delivery-status",
                          "message/global"])
        for part in parts:
            self.assertEqual(part["Content-Transfer-Encoding"], "8bit")
        self.assertIn("<ü@one.example>", parts[0].get_content())
        fields = parts[1].get_payload(0).get_payload(decode=True).decode()
        self.assertIn("Original-Recipient: utf-8; ö@other.example\n"
                      "Final-Recipient: utf-8; ü@one.example\n"
                      "Action: failed\nStatus: 5.6.7\n", fields)
        original = parts[2].get_payload(0)
        self.assertEqual(original["Subject"], "Grüße, Ωμέγα")
        self.assertEqual(original.get_content(), "Grüße\n")
        self.smtpout.wait_empty()

    def test_report_of_a_refusal(self):
        """A server that takes SMTPUTF8, but not this recipient."""
        self.server(ehlo=UTF8, rcpt="550 5.1.1 nobody")
        self.send(RCPT, options=["SMTPUTF8", "RET=HDRS"])
        text, = self.home.wait(1, "alice", 2 * fixture.WAIT)
        report = email.message_from_bytes(text, policy=email.policy.SMTPUTF8)
        headers = list(report.iter_parts())[2]
        self.assertEqual(headers.get_content_type(), "message/global-headers")
        self.assertEqual(headers.get_payload(0)["Subject"], "Grüße, Ωμέγα")

    def test_another_host(self):
        """One that has it is tried before the mail is given up."""
        self.server()
        server = self.server("mx2", ehlo=UTF8)
        self.send("ü@both.example")
        self.assertEqual([decoded(r) for r in server.wait(1)[0].rcpts],
                         ["ü@both.example"])

    def test_swaks(self):
        """swaks does not say it: refused, with the reason (RFC 6531, 3.5)."""
        with self.smtpout.host.inside():
            done = subprocess.run(
                [fixture.need("swaks"), "--server", "127.0.0.1", "--helo",
                 "swaks.example.net", "--from", "alice@home.example", "--to",
                 RCPT], timeout=fixture.WAIT, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 24, done.stdout)
        self.assertIn(b"553 5.6.7", done.stdout)

    def test_local_program(self):
        """smtpout-sendmail says it where an address needs it."""
        server = self.server(ehlo=UTF8)
        with self.smtpout.host.inside():
            done = subprocess.run(
                [world.program("sendmail"), "-f", SENDER, RCPT],
                input=b"Subject: x\n\nx\n", stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=fixture.WAIT, check=False,
                env={"HOME": self.smtpout.root, "PATH": os.environ["PATH"],
                     "SMTPOUT_QUEUE": "/nonexistent"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([decoded(r) for r in server.wait(1)[0].rcpts], [RCPT])


if __name__ == "__main__":
    world.main()
