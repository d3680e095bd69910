# SPDX-License-Identifier: MIT
"""smtpout-sendmail as programs call it, without a smtpout: nothing is lost."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import smtpin_fixture as fixture

MESSAGE = b"Subject: x\n\nx\0y rest of line\nFrom here\n"


class Host(threading.Thread):
    """Takes mail, so many recipients of each message."""

    def __init__(self, most=1000):
        super().__init__(daemon=True)
        self.most = most
        self.messages = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            with client, client.makefile("rwb") as file:
                self.serve(file)

    def serve(self, file):
        rcpts = []
        file.write(b"220 host\r\n")
        file.flush()
        for line in file:
            verb = line[:4].upper()
            reply = b"250 2.0.0 ok"
            if verb == b"RCPT" and len(rcpts) == self.most:
                reply = b"452 4.5.3 too many recipients"
            elif verb == b"RCPT":
                rcpts.append(line)
            elif verb == b"DATA":
                file.write(b"354 go on\r\n")
                file.flush()
                for text in file:
                    if text == b".\r\n":
                        break
                self.messages.append(rcpts)
                rcpts = []
            elif verb == b"RSET":
                rcpts = []
            file.write(reply + b"\r\n")
            file.flush()
            if verb == b"QUIT":
                return


class Sendmail(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="sendmail-test.")
        self.addCleanup(shutil.rmtree, self.home)

    def call(self, *arguments, text=MESSAGE, prefix=(), **environment):
        return subprocess.run(
            [*prefix, fixture.program(), *arguments], input=text,
            env={"HOME": self.home, **environment}, capture_output=True,
            timeout=10 * fixture.WAIT, check=False)

    def kept(self):
        return fixture.read(self.home + "/dead.letter")

    def test_many_recipients(self):
        """O6: those for whom there is no room go in the next transaction."""
        host = Host()
        to = ",\n ".join(f"u{i}@x.example" for i in range(2500))
        done = self.call("--port", str(host.port), "-f", "a@x.example", "-t",
                         text=f"To: {to}\n\nhi\n".encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([len(rcpts) for rcpts in host.messages],
                         [1000, 1000, 500])
        self.assertEqual(len({r for m in host.messages for r in m}), 2500)

    def test_no_look_up(self):
        """O7: nothing is asked of a host with a short name: smtpout completes
        addresses."""
        host = Host()
        dns = self.enterContext(
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            dns.bind(("127.25.25.7", 53))
        except PermissionError:
            fixture.cannot("a port below 1024 needs root")
        for name, text in (("resolv.conf", "nameserver 127.25.25.7\n"),
                           ("hosts", "127.0.0.1 localhost\n")):
            with open(f"{self.home}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        prefix = [fixture.need("unshare"), "--mount", "--uts", "sh", "-ec",
                  "mount --bind $HOME/resolv.conf /etc/resolv.conf\n"
                  "mount --bind $HOME/hosts /etc/hosts\n"
                  "hostname myhost\n"
                  "exec \"$@\"", "sh"]
        dns.setblocking(False)
        done = self.call("--port", str(host.port), "-f", "root", "bob",
                         prefix=prefix, text=b"To: bob\n\nx\n",
                         PATH=os.environ["PATH"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(host.messages, [[b"RCPT TO:<bob>\r\n"]])
        with self.assertRaises(BlockingIOError):
            dns.recv(512)

    def test_nothing_is_lost(self):
        """O15: whatever is wrong, the message is kept."""
        for arguments in (["--frobnicate"], ["-N", "sometimes", "a@x.example"],
                          ["Ann Lee"], ["-f"], []):
            with self.subTest(arguments=arguments):
                done = self.call(*arguments)
                self.assertEqual(done.returncode, os.EX_USAGE, done.stderr)
                self.assertIn(b"dead.letter", done.stderr)
                self.assertIn(b"rest of line", self.kept())
                os.unlink(self.home + "/dead.letter")

    def test_temporary_directory(self):
        """O15: the copy is where there is room."""
        host = Host()
        done = self.call("--port", str(host.port), "-f", "a@x.example",
                         "b@x.example", text=b"hi\n", TMPDIR="/nonexistent")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_bad_address(self):
        """OU1: the others get it, and the caller is told who does not."""
        host = Host()
        done = self.call(
            "--port", str(host.port), "-f", "a@x.example", "-t",
            text=b"To: a@@in.example, b@x.example\nCc: <undisclosed:;>,\n"
            b" c@-x.example,d@x.example\nBcc: e@x.example f, g@x.example"
            b"\n\nhi\n")
        self.assertEqual(done.returncode, os.EX_DATAERR, done.stderr)
        self.assertEqual([len(m) for m in host.messages], [3])
        for bad in (b'"a@@in.example"', b'"c@-x.example"',
                    b'"e@x.example f"'):
            self.assertIn(bad + b" is not an address", done.stderr)
        self.assertIn(b"Resent-Bcc: a@@in.example,\n\tc@-x.example,",
                      self.kept())
        self.assertEqual(
            self.call("--port", str(host.port), "b@x.example", "Ann Lee",
                      "-f", "a@x.example").returncode, os.EX_USAGE)
        self.assertEqual([len(m) for m in host.messages], [3, 1])

    def without_name(self, *arguments):
        """Call it on a host whose name mail cannot use."""
        fixture.need("unshare")
        done = subprocess.run(
            ["unshare", "--uts", "sh", "-c",
             'echo "a b" >/proc/sys/kernel/hostname && exec "$@"', "sh",
             fixture.program(), *arguments, "bob"], input=MESSAGE,
            env={**os.environ, "HOME": self.home}, capture_output=True,
            timeout=30 * fixture.WAIT, check=False)
        if b"unshare" in done.stderr or b"/proc" in done.stderr:
            fixture.cannot(done.stderr.decode())
        return done

    def test_host_without_a_name(self):
        """That does not matter where smtpout knows its mail name."""
        host = Host()
        done = self.without_name("--port", str(host.port))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(host.messages, [[b"RCPT TO:<bob>\r\n"]])

    def test_session(self):
        """T3: -bs is a session with smtpout; a line may end with LF."""
        host = Host()
        done = self.call(
            "--port", str(host.port), "-bs",
            text=b"EHLO x\r\nMAIL FROM:<a@x.example>\nRCPT TO:<b@x.example>\n"
            b"DATA\nSubject: x\n\nhi\n.\nQUIT\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(b"220 host\r\n"))
        self.assertEqual(done.stdout.count(b"\r\n250 2.0.0 ok"), 5)
        self.assertEqual(host.messages, [[b"RCPT TO:<b@x.example>\r\n"]])

    def test_session_is_cut_off(self):
        """What smtpout said last is passed on, though it reads no more."""
        path = self.home + "/socket"
        text = b"NOOP\r\n" * 1000000
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def serve():
                client, _ = listener.accept()
                client.sendall(b"421 4.3.2 stopping\r\n")
                client.recv(1)
                client.close()

            server = threading.Thread(target=serve, daemon=True)
            server.start()
            done = self.call("--host", path, "-bs", text=text)
            server.join()
        self.assertEqual(done.stdout, b"421 4.3.2 stopping\r\n")
        self.assertIn(done.returncode, (0, os.EX_IOERR))

    def test_session_without_smtpout(self):
        """T3: the program is told in SMTP."""
        done = self.call("--port", "1", "-bs", text=b"EHLO x\r\n")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL)
        self.assertTrue(done.stdout.startswith(b"421 4.3.2 "))

    def test_wrong_words(self):
        """O17: the option is named that is meant."""
        self.assertIn(b"after -f;", self.call("-if").stderr)
        self.assertIn(b"option --frob;", self.call("--frob", "a").stderr)

    def test_every_byte(self):
        """O16: dead.letter has all of the text."""
        body = bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"")
        done = self.call("--port", "1", "--queue", "/nonexistent", "-f",
                         "a@x.example", "b@x.example",
                         text=b"Subject: x\nFrom: a@x.example\n\n" + body
                         + b"\nFrom next\n")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
        self.assertIn(b"\n\n" + body + b"\n>From next\n\n", self.kept())


if __name__ == "__main__":
    fixture.main()
