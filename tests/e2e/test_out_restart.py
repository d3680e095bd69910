# SPDX-License-Identifier: MIT
"""smtpout is started anew while programs submit mail: none is refused, and the
queue changes hands."""

import contextlib
import os
import re
import shutil
import signal
import subprocess

import smtpin_fixture as fixture
import world
from restart_case import RESTARTS, Senders
from scripted_server import Scripted
from smtpout_fixture import Smtpout, message

ZONE = "one.example. MX 10 mx1.example.\n"


class HandOver(world.WorldCase):
    HOSTS = ("mx1",)

    def setUp(self):
        self.world.zone(ZONE)
        self.server = self.enterContext(Scripted(self.mx1))
        self.smtpout = Smtpout(self.world)
        self.addCleanup(self.smtpout.remove)
        self.smtpout.start()
        self.pid = self.smtpout.process.pid

    def deliver(self, subject):
        with self.smtpout.client() as client:
            client.submit(message(subject=subject), "bob@one.example")
            if client.quit().code != 221:
                raise AssertionError("no end")

    def hand_over(self):
        """Return the id of the new process, once it serves."""
        count = self.smtpout.text().count("listening on")
        os.kill(self.pid, signal.SIGUSR2)
        fixture.until(
            lambda: self.smtpout.text().count("listening on") >= count + 2,
            f"nobody takes over: {self.smtpout.text()[-2000:]}",
            3 * fixture.WAIT)
        self.pid = int(re.findall(r"process (\d+) takes over",
                                  self.smtpout.text())[-1])
        self.addCleanup(self.kill, self.pid)

    def kill(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        fixture.until(
            lambda: self.smtpout.text().count("the queue is closed")
            == self.smtpout.text().count("stopped; sessions"),
            "it does not end", 3 * fixture.WAIT)
        self.smtpout.ended()

    def test_nobody_is_refused(self):
        with Senders(self.deliver) as senders:
            for _ in range(RESTARTS):
                self.hand_over()
                senders.wait_more()
        self.assertEqual(senders.faults, [])
        fixture.until(lambda: not self.smtpout.list(), "some are left")
        self.assertEqual(len(self.server.accepted), len(senders.sent))
        self.stop()
        self.assertNotRegex(self.smtpout.text(), r"cut off: [1-9]")

    def test_a_mistake_keeps_the_old(self):
        """A new process that cannot start takes nothing away."""
        config = self.smtpout.root + "/conf"
        self.smtpout.stop()
        with open(config, "w", encoding="ascii") as file:
            file.write("retry-min 600\n")
        self.smtpout.arguments += ["--config", config]
        self.smtpout.start()
        self.pid = self.smtpout.process.pid
        with open(config, "w", encoding="ascii") as file:
            file.write("retry-min 600\nretry-man 600\n")
        os.kill(self.pid, signal.SIGUSR2)
        fixture.until(lambda: "going on as before" in self.smtpout.text(),
                      "nothing is said")
        self.assertIn('conf:2: there is no option "retry-man"',
                      self.smtpout.text())
        self.deliver("one")
        os.unlink(config)
        os.kill(self.pid, signal.SIGTERM)
        self.smtpout.ended()

    def check(self):
        done = subprocess.run(
            [*self.smtpout.command(), "--check"], capture_output=True,
            check=False, text=True, timeout=fixture.WAIT)
        return done.returncode, done.stderr

    def test_a_queue_that_cannot_be_opened(self):
        """The old process does not end for one that could not go on."""
        queue, aside = self.smtpout.queue_dir, self.smtpout.root + "/aside"
        large = os.path.join(queue, "large")
        self.smtpout.stop()
        shutil.rmtree(queue)
        os.chmod(self.smtpout.root, 0o755)
        self.smtpout.arguments += ["-U", "nobody"]
        self.smtpout.start()
        self.pid = self.smtpout.process.pid
        self.assertEqual(self.check()[0], os.EX_OK)

        def refuses(why):
            status, said = self.check()
            self.assertEqual(status, os.EX_CANTCREAT)
            self.assertRegex(said, f"cannot open the queue {queue}: {why}")
            count = self.smtpout.text().count("going on as before")
            os.kill(self.pid, signal.SIGUSR2)
            fixture.until(lambda: self.smtpout.text().count(
                "going on as before") > count, "nothing is said")
            self.deliver(why)

        os.chown(large, 0, 0)
        refuses(".*Permission denied")
        os.chown(large, 65534, 65534)
        os.rename(queue, aside)
        os.mkdir(queue, 0o700)
        refuses("it belongs to root")
        os.rmdir(queue)
        fixture.write(queue, "")
        refuses("it belongs to root")
        os.unlink(queue)
        os.symlink(self.smtpout.root + "/nowhere", queue)
        refuses(".*No such file or directory")
        os.unlink(queue)
        os.rename(aside, queue)
        self.assertNotIn("takes over", self.smtpout.text())
        self.hand_over()
        self.deliver("new")
        self.stop()

    def test_queue_stays_taken(self):
        """No third process gets the queue in between, and the new one has
        it."""
        self.hand_over()
        done = subprocess.run(
            [*self.smtpout.command()], capture_output=True, check=False,
            timeout=3 * fixture.WAIT)
        self.assertNotEqual(done.returncode, 0)
        self.deliver("one")
        fixture.until(lambda: not self.smtpout.list(), "it is left")
        self.stop()


if __name__ == "__main__":
    world.main()
