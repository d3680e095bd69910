# SPDX-License-Identifier: MIT
"""A world with a home for reports; in it an smtpout that tries again soon."""

import smtpin_fixture as fixture
import world
from receivers import Smtpin
from scripted_server import Scripted
from smtpout_fixture import Report, Smtpout, message

ZONE = """
home.example.	MX 10 home.example.
one.example.	MX 10 mx1.example.
two.example.	MX 10 mx2.example.
"""

LATER = "451 4.7.1 greylisted, come again"


class HomeCase(world.WorldCase):
    """Mail goes out to mail hosts, and reports come home to alice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.host("home", 30)
        cls.world.zone(ZONE)

    def setUp(self):
        self.home = self.enterContext(
            Smtpin(self.world.hosts["home"], "home.example", "alice"))

    def server(self, name="mx1", **rules):
        return self.enterContext(
            Scripted(self.world.hosts[name], **rules))


class RetryCase(HomeCase):
    OPTIONS = ("--retry-min", "1", "--retry-max", "2",
               "--connect-timeout", "2")

    def setUp(self):
        super().setUp()
        self.smtpout = self.enterContext(Smtpout(self.world, *self.OPTIONS))

    def submit(self, *rcpts, content=None, **options):
        return self.smtpout.submit(content or message(), *rcpts, **options)

    def reports(self, count=1):
        return [Report(text) for text in
                self.home.wait(count, "alice", 2 * fixture.WAIT)]

    def deferred(self, ident, count=1, wait=fixture.WAIT):
        """Wait until it was tried and put off."""
        fixture.until(lambda: self.attempts(ident) >= count,
                      "it was not tried", wait)

    def attempts(self, ident):
        return max(r["attempts"]
                   for r in self.smtpout.show(ident)["recipients"])
