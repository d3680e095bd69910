# SPDX-License-Identifier: MIT
"""A case with certificates: hosts mx1.example and mx2.example of a world, and
smtpout, which knows their authority."""

import os

import smtpin_fixture as fixture
import world
from receivers import Authority
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

ZONE = """
one.example.	MX 10 mx1.example.
two.example.	MX 10 mx2.example.
"""


class TlsCase(world.WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ca = Authority(os.path.join(cls.world.root, "ca"))
        cls.good = cls.ca.sign("mx1.example")
        cls.good2 = cls.ca.sign("mx2.example")
        cls.other = cls.ca.sign("else.example")
        cls.self_signed = cls.ca.self_signed("mx1.example", "self")
        cls.world.zone(ZONE)

    def start(self, *options, ca=None):
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--retry-min", "2", "--retry-max", "2",
            "--connect-timeout", "2", "--tls-ca", ca or self.ca.ca, *options))

    def server(self, name="mx1", **rules):
        return self.enterContext(
            Scripted(self.world.hosts[name], **rules))

    def submit(self, *rcpts, **options):
        return self.smtpout.submit(message(), *rcpts, **options)

    def deferred(self, ident, count=1):
        """Wait until it was put off, and the queue knows: the line in the log
        comes first."""
        fixture.until(
            lambda: len([a for a in self.smtpout.attempts(ident)
                         if a["status"] == "deferred"]) >= count
            and max(r["attempts"] for r in
                    self.smtpout.show(ident)["recipients"]) >= count,
            "it was not tried")
