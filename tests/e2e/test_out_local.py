# SPDX-License-Identifier: MIT
"""Users of a host and its smtpout: the way in is open, for each of them."""

import os
import re
import subprocess
import tempfile
import threading
import time

import smtpin_fixture as fixture
import world
from scripted_server import Deaf, Scripted
from smtpout_fixture import Smtpout, message

ZONE = "deaf.example. MX 10 mx1.example.\n"

NOBODY = 65534

# A /run of its own: the default socket is there.
OWN_RUN = ("unshare", "--mount", "sh", "-c",
           'mount -t tmpfs tmpfs /run && exec "$@"', "sh")

# Open so many connections to a place, print the codes of their greetings, and
# keep them until the end of the input.
HOLD = """
import collections, socket, sys
place, count = sys.argv[1], int(sys.argv[2])
sockets, codes = [], collections.Counter()
for _ in range(count):
    if place == "tcp":
        s = socket.create_connection(("127.0.0.1", 25), 30)
    else:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(place)
    codes[s.recv(3).decode()] += 1
    sockets.append(s)
print(codes["220"], codes["421"], flush=True)
sys.stdin.read()
"""


class Local(world.WorldCase):
    HOSTS = ("mx1",)

    def setUp(self):
        self.world.zone(ZONE)
        self.home = self.enterContext(
            tempfile.TemporaryDirectory(prefix="smtpout-test."))

    def front(self, *arguments, text=b"Subject: x\n\nhi\n", prefix=(), **env):
        with self.world.out.inside():
            return subprocess.run(
                [*prefix, world.program("sendmail"), "-f",
                 "alice@home.example", *arguments, "bob@deaf.example"],
                input=text, capture_output=True, check=False,
                env={"HOME": self.home, "SMTPOUT_QUEUE": "/nonexistent",
                     "PATH": os.environ["PATH"], **env},
                timeout=20 * fixture.WAIT)


class Restart(Local):
    def test_restart(self):
        """O2: no program is refused while a host keeps smtpout from
        ending."""
        ended = threading.Event()

        def dot(*_):
            if not ended.is_set():
                ended.set()
                time.sleep(5)
            return "250 2.0.0 ok"
        server = self.enterContext(Scripted(self.mx1, dot=dot))
        smtpout = self.enterContext(Smtpout(self.world))
        smtpout.submit(message(), "bob@deaf.example")
        self.assertTrue(ended.wait(fixture.WAIT))
        done, stop = [], threading.Event()

        def submit():
            while not stop.is_set():
                done.append(self.front(SMTPOUT_HOST="127.0.0.1"))

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for thread in threads:
            thread.start()
        smtpout.stop()
        smtpout.start()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual([d for d in done if d.returncode != 0], [])
        smtpout.flush_until(lambda: not smtpout.list(), "some are left")
        self.assertEqual(len(server.accepted), 1 + len(done))

    def test_order(self):
        """T12: a message is queued before it is tried, in the log too."""
        smtpout = self.enterContext(Smtpout(self.world))
        for _ in range(30):
            smtpout.submit(message(), "bob@deaf.example")
        smtpout.wait_log(r"\bstatus=deferred", 1)
        smtpout.wait_log(" queued id=", 30)
        seen = set()
        for line in list(smtpout.lines):
            ident = re.search(r"\bid=(\w+)", line)
            if " queued id=" in line:
                self.assertIn(" status=250 ", line)
                seen.add(ident[1])
            elif ident and "relay=" in line:
                self.assertIn(ident[1], seen)
        self.assertEqual(len(seen), 30)

    def test_second_signal(self):
        """O14: it ends at once what the first would wait for."""
        self.enterContext(Deaf(self.mx1))
        smtpout = self.enterContext(Smtpout(self.world))
        with smtpout.client() as client:
            client.must("MAIL FROM:<alice@home.example>")
            client.must("RCPT TO:<bob@deaf.example>")
            client.must("DATA", 354)
            smtpout.process.terminate()
            smtpout.wait_log("stopping after SIGTERM")
            fixture.until(lambda: smtpout.process.poll() is not None
                          or smtpout.process.terminate(), "it went on")
        smtpout.start()


class Users(Local):
    def setUp(self):
        super().setUp()
        self.smtpout = self.enterContext(Smtpout(
            self.world, "--max-connections", "50", "--max-per-user", "20",
            runner=OWN_RUN, listen=()))
        self.smtpout.wait_log("listening on /run/smtpout/socket")
        self.pid = str(self.smtpout.pid_of_daemon())

    def hold(self, place, count, user):
        """Open COUNT connections as USER; how many were greeted, and how many
        sent away."""
        with self.world.out.inside():
            process = subprocess.Popen(
                ["/usr/bin/python3", "-c", HOLD, place, str(count)], user=user,
                cwd=f"/proc/{self.pid}/root/run/smtpout", text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def end():
            process.communicate()
        self.addCleanup(end)
        return tuple(map(int, process.stdout.readline().split()))

    def call(self, *prefix):
        return self.front(prefix=("nsenter", "-t", self.pid, "-m", "-r", *prefix))

    def test_user_is_named(self):
        """O26: the journal has the user of a call without options."""
        done = self.call("setpriv", "--reuid", str(NOBODY), "--clear-groups")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.smtpout.wait_log(rf"queued .*uid={NOBODY}\b")

    def test_share_of_socket(self):
        """O3: a user has a share of the connections over the socket."""
        self.assertEqual(self.hold("socket", 40, NOBODY), (20, 20))
        self.assertEqual(self.hold("socket", 1, 1), (1, 0))
        self.assertEqual(self.call().returncode, 0)

    def test_share_of_loopback(self):
        """A user has one share of the connections over both."""
        self.assertEqual(self.hold("tcp", 30, NOBODY), (20, 10))
        self.assertEqual(self.hold("socket", 5, NOBODY), (0, 5))
        self.assertEqual(self.hold("tcp", 10, 1), (10, 0))
        self.assertEqual(self.hold("socket", 15, 1), (10, 5))
        with self.world.out.inside():
            done = subprocess.run(
                [world.program("sendmail"), "-f", "alice@home.example",
                 "--port", "25", "bob@deaf.example"], input=b"hi\n",
                capture_output=True, check=False, user=2,
                env={"HOME": "/nonexistent"}, timeout=20 * fixture.WAIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.smtpout.wait_log(r"queued .*peer=127\.0\.0\.1 uid=2\b")

    def test_all_of_loopback(self):
        """O3: those who hold all that others may have do not stop root, nor
        who has none yet."""
        self.assertEqual(self.hold("tcp", 30, NOBODY), (20, 10))
        self.assertEqual(self.hold("tcp", 30, 3), (20, 10))
        self.assertEqual(self.hold("tcp", 30, 4), (5, 25))
        self.assertEqual(self.call().returncode, 0)
        self.assertEqual(
            self.call("setpriv", "--reuid", "1",
                      "--clear-groups").returncode, 0)
        self.smtpout.wait_log(r"queued .*uid=0\b")


if __name__ == "__main__":
    world.main()
