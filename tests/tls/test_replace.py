# SPDX-License-Identifier: MIT
"""The context is replaced while the server runs."""

import os
import threading
import time
import unittest

import harness
from harness import Client, at, client_context, serve

SECONDS = float(os.environ.get("TLS_SWAP_SECONDS", "3"))


def subject(client):
    """Whose certificate CLIENT was shown."""
    return client.socket.getpeercert()["subject"][0][0][1]


class Replace(unittest.TestCase):
    def shown(self, port):
        """Whose certificate a new session is shown."""
        with Client(port, client_context()) as client:
            client.greet()
            name = subject(client)
            client.quit()
        return name

    def test_new_sessions_get_the_new_one(self):
        host = serve(self, "a")
        self.assertEqual(self.shown(host.ports[1]), "a")
        host.context("second", "b")
        host.ask("set", "second")
        self.assertEqual(self.shown(host.ports[1]), "b")

    def test_old_sessions_keep_theirs(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as plain, \
                Client(host.ports[1], client_context()) as client:
            plain.greet()
            client.greet()
            host.context("second", "b")
            host.ask("set", "second")
            host.ask("drop", "first")
            self.assertEqual(self.shown(host.ports[1]), "b")
            client.deliver()
            client.quit()
            plain.expect("220 ", plain.say("STARTTLS"))
            plain.wrap(client_context())
            self.assertEqual(subject(plain), "a")
            plain.say("EHLO client.example.net")
            plain.deliver()
            plain.quit()

    def test_none_at_all(self):
        host = serve(self, "a")
        with Client(host.ports[0]) as old:
            self.assertIn("STARTTLS", old.greet())
            host.ask("set", "-")
            host.ask("drop", "first")
            with Client(host.ports[0]) as client:
                self.assertNotIn("STARTTLS", client.greet())
                client.expect("454 4.7.0 ", client.say("STARTTLS"))
            with Client(host.ports[1]) as client:
                self.assertEqual(client.rest(), b"")
            old.expect("220 ", old.say("STARTTLS"))
            old.wrap(client_context())
            old.quit()
        host.context("second", "b")
        host.ask("set", "second")
        self.assertEqual(self.shown(host.ports[1]), "b")

    def test_one_of_a_listener(self):
        host = serve(self, "a")
        host.context("second", "b")
        host.ask("door", 1, "second")
        self.assertEqual(self.shown(host.ports[1]), "b")
        with Client(host.ports[0]) as client:
            client.starttls(client_context())
            self.assertEqual(subject(client), "a")
        host.context("third", "cn")
        host.ask("set", "third")
        self.assertEqual(self.shown(host.ports[1]), "b")
        host.ask("door", 1, "-")
        self.assertEqual(self.shown(host.ports[1]), "cn.example")
        host.post("door", 2, "second")
        self.assertEqual(host.answer(), "! there is no listener 2")

    def test_only_a_listener_has_one(self):
        host = serve(self)
        host.context("second", "b")
        host.ask("door", 1, "second")
        self.assertEqual(self.shown(host.ports[1]), "b")
        with Client(host.ports[0]) as client:
            self.assertNotIn("STARTTLS", client.greet())

    def test_a_bad_one_leaves_the_old(self):
        host = serve(self, "a")
        host.ask("context", "bad")
        for cert, key, reason in (
                ("none.pem", "a.key", "none.pem: cannot be read"),
                ("half-chain.pem", "a.key", "half-chain.pem: not all"),
                ("a.pem", "b.key", "b.key: the key belongs"),
                ("expired.pem", "expired.key", "expired.pem: the cert")):
            host.post("add", "bad", at(cert), at(key))
            self.assertIn("/" + reason, host.answer())
            host.post("set", "bad")
            self.assertEqual(host.answer(),
                             "! the TLS context has no certificate")
            self.assertEqual(self.shown(host.ports[1]), "a")

    def test_swaps_under_load(self):
        """Not one session fails."""
        host = serve(self, "a")
        stop = threading.Event()
        seen, failures = [], []

        def work(starttls):
            context, session = client_context(), None
            try:
                while not stop.is_set():
                    with Client(host.ports[not starttls],
                                None if starttls else context,
                                "a.example", session) as client:
                        if starttls:
                            client.starttls(context, "a.example", session)
                            client.say("EHLO client.example.net")
                        else:
                            client.greet()
                        if len(seen) % 3 == 0:
                            client.deliver()
                        session = client.socket.session \
                            if len(seen) % 2 else None
                        seen.append(client.socket.session_reused)
                        client.quit()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(repr(error))

        threads = [threading.Thread(target=work, args=(bool(i % 2),))
                   for i in range(4)]
        for thread in threads:
            thread.start()
        begin = time.monotonic()
        old, swaps = "first", 0

        def enough():
            spent = time.monotonic() - begin
            return failures or spent > harness.WAIT or (
                spent > SECONDS and swaps > 10 and True in seen)

        while not enough():
            swaps += 1
            before = len(seen)
            new = f"c{swaps}"
            host.context(new, ("a", "b", "a-rsa")[swaps % 3],
                         **({"tickets_of": old} if swaps % 2 else {}))
            host.ask("set", new)
            if swaps % 5 == 0:
                host.ask("door", 1, new)
                host.ask("door", 1, "-")
            host.ask("drop", old)
            old = new
            # On a busy machine none is resumed if all swaps come between.
            harness.until(lambda: failures or len(seen) > before + 2,
                          "nobody comes")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(swaps, 10)
        self.assertGreater(len(seen), 20)
        self.assertIn(True, seen)
        print(f"{swaps} swaps, {len(seen)} sessions, {sum(seen)} resumed, "
              "none failed", flush=True)
        self.assertEqual(host.counter("refused_tls"), 0)


if __name__ == "__main__":
    harness.main()
