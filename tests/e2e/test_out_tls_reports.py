# SPDX-License-Identifier: MIT
"""smtpout counts TLS sessions, and reports them to domains that ask."""

import datetime
import email
import email.policy
import gzip
import json
import os
import subprocess

import smtpin_fixture as fixture
import world
from scripted_server import Scripted
from test_out_sts import StsCase

DAY = datetime.timedelta(days=1)


class Reports(StsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = os.path.join(cls.world.root, "dkim.pem")
        subprocess.run(["openssl", "genrsa", "-out", cls.key, "2048"],
                       check=True, capture_output=True)
        os.chmod(cls.key, 0o600)

    def start(self, *options, **more):
        super().start("--tls-report", "on", "--postmaster",
                      "postmaster@out.example", "--dkim",
                      "out.example:test:" + self.key, *options, **more)

    def end_day(self):
        """Stop smtpout, and let what it counted be of a day whose reports
        are due, at any hour, and not overdue."""
        self.smtpout.wait_empty()
        self.smtpout.stop()
        place = os.path.join(self.smtpout.queue_dir, "tls-report")
        name, = os.listdir(place)
        before = datetime.date.fromisoformat(name) - 2 * DAY
        os.rename(os.path.join(place, name),
                  os.path.join(place, before.isoformat()))
        return before

    def sessions(self):
        """One that was good, and two that were not: with a good host that the
        policy does not list, and one with another's certificate."""
        with Scripted(self.mx1, tls=self.good) as server:
            self.submit("bob@one.example")
            server.wait(1)
            self.submit("eve@one.example")
            server.wait(2)
            self.assertEqual(len(server.sessions), 1)
        self.smtpout.wait_empty()
        with Scripted(self.mx1, tls=self.other) as server:
            ident = self.submit("bob@one.example")
            self.deferred(ident)
            self.smtpout.ask("remove", ident)

    def check(self, report, day):
        """RFC 8460, 4.4; RFC 8460, 4.2: sessions are counted, not
        messages."""
        self.assertEqual(report["organization-name"], "out.example")
        self.assertEqual(report["contact-info"], "postmaster@out.example")
        self.assertEqual(report["date-range"], {
            "start-datetime": f"{day}T00:00:00Z",
            "end-datetime": f"{day}T23:59:59Z"})
        policy, = report["policies"]
        self.assertEqual(policy["policy"]["policy-type"], "sts")
        self.assertEqual(policy["policy"]["policy-domain"], "one.example")
        self.assertEqual(policy["policy"]["mx-host"], ["mx1.example"])
        self.assertIn("mode: enforce", policy["policy"]["policy-string"])
        self.assertEqual(policy["summary"], {
            "total-successful-session-count": 1,
            "total-failure-session-count": 1})
        failure, = policy["failure-details"]
        self.assertEqual(failure["result-type"], "certificate-host-mismatch")
        self.assertEqual(failure["receiving-mx-hostname"], "mx1.example")
        self.assertIn(failure["receiving-ip"], (self.mx1.address,
                                                self.mx1.address6))
        self.assertEqual(failure["failed-session-count"], 1)

    def test_by_https(self):
        """RFC 8460, 3: the report goes to a web server, whatever its
        certificate, and once; if that fails, to the next destination."""
        self.start()
        self.sessions()
        day = self.end_day()
        where = self.world.hosts["web"].address
        self.records('_smtp._tls.one.example. TXT "v=TLSRPTv1; '
                     f'rua=https://127.0.0.1/,https://{where}:1/,'
                     f'https://{where}/report"')
        self.web.requests.clear()
        self.web.text = 100000 * b"thanks\r\n"
        self.smtpout.start()
        fixture.until(lambda: self.web.requests, "no report came",
                      3 * fixture.WAIT)
        method, _, path, fields, data = self.web.requests[0]
        self.assertEqual((method, path), ("POST", "/report"))
        if fields["Content-Type"] == "application/tlsrpt+gzip":
            data = gzip.decompress(data)
        else:
            self.assertEqual(fields["Content-Type"],
                             "application/tlsrpt+json")
        self.check(json.loads(data), day)
        self.smtpout.wait_log("report about TLS domain=one.example .*: sent")
        self.smtpout.restart()
        self.smtpout.ask("stats")
        self.assertEqual(len(self.web.requests), 1)

    def test_by_mail(self):
        """RFC 8460, 5.1; RFC 8460, 5.3: the report is mail, signed, from nobody, and no
        session with it is reported."""
        self.start()
        self.sessions()
        day = self.end_day()
        self.records('_smtp._tls.one.example. TXT "v=TLSRPTv1; '
                     'rua=mailto:tls@two.example"')
        server = self.server("mx2")
        self.smtpout.start()
        taken, = server.wait(1, 3 * fixture.WAIT)
        self.assertEqual(taken.sender, "")
        message = email.message_from_bytes(taken.content,
                                           policy=email.policy.default)
        self.assertEqual(message["TLS-Report-Domain"], "one.example")
        self.assertEqual(message["TLS-Report-Submitter"], "out.example")
        self.assertEqual(message["TLS-Required"], "No")
        self.assertIn("Report Domain: one.example", message["Subject"])
        self.assertEqual(message.get_content_type(), "multipart/report")
        self.assertEqual(message.get_param("report-type"), "tlsrpt")
        self.assertIn("d=out.example", message["DKIM-Signature"])
        _, part = message.iter_parts()
        data = part.get_content()
        if part.get_content_type() == "application/tlsrpt+gzip":
            data = gzip.decompress(data)
        self.assertRegex(part.get_filename(),
                         r"^out\.example!one\.example!\d+!\d+\.json(\.gz)?$")
        self.check(json.loads(data), day)
        self.smtpout.wait_empty()
        self.smtpout.stop()
        place = os.path.join(self.smtpout.queue_dir, "tls-report")
        self.assertEqual(os.listdir(place), [])

    def stats(self):
        """What "queue stats" says of TLS, by domain and kind of policy."""
        found = {}
        for line in self.smtpout.ask("stats", "--json").splitlines():
            entry = json.loads(line)
            if "tls_domain" in entry:
                found[entry["tls_domain"], entry["policy"]] = entry
        return found

    def test_stats(self):
        """RFC 8460, 4.3: the operator sees the figures that are reported, also
        after a restart; and of each kind of failure."""
        self.start()
        self.sessions()
        with Scripted(self.mx2) as server:
            self.submit("bob@two.example")
            server.wait(1)
        self.smtpout.wait_empty()
        self.smtpout.restart()
        found = self.stats()
        self.assertEqual(set(found), {("one.example", "sts"),
                                      ("two.example", "no-policy-found")})
        one = found["one.example", "sts"]
        self.assertEqual((one["good"], one["failed"]), (1, 1))
        self.assertEqual(one["failures"], [{
            "type": "certificate-host-mismatch", "host": "mx1.example",
            "count": 1}])
        two = found["two.example", "no-policy-found"]
        self.assertEqual([f["type"] for f in two["failures"]],
                         ["starttls-not-supported"])
        self.assertIn("tls one.example sts: 1 good, 1 failed, 1 "
                      "certificate-host-mismatch at mx1.example",
                      self.smtpout.ask("stats"))

    def test_failures_of_policies(self):
        """RFC 8460, 4.3.2: a policy that cannot be had, and one that is
        tested."""
        self.web.status = 404
        self.start()
        server = self.server("mx1", tls=self.good)
        self.submit("bob@one.example")
        server.wait(1)
        self.smtpout.wait_empty()
        found = self.stats()["one.example", "sts"]
        self.assertEqual([f["type"] for f in found["failures"]],
                         ["sts-policy-fetch-error"])

    def test_testing_is_counted(self):
        """RFC 8460, 4.3.2: what would be refused is told."""
        self.web.publish("mx1.example", mode="testing")
        self.start()
        server = self.server("mx1", tls=self.other)
        self.submit("bob@one.example")
        server.wait(1)
        self.smtpout.wait_empty()
        found = self.stats()["one.example", "sts"]
        self.assertEqual([f["type"] for f in found["failures"]],
                         ["certificate-host-mismatch"])

    def test_off(self):
        """Nothing is counted then."""
        super().start("--tls-report", "off")
        with Scripted(self.mx1, tls=self.good) as server:
            self.submit("bob@one.example")
            server.wait(1)
        self.assertFalse(os.path.exists(
            os.path.join(self.smtpout.queue_dir, "tls-report")))


if __name__ == "__main__":
    world.main()
