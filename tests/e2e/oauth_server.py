# SPDX-License-Identifier: MIT
"""An OAuth server for tests (RFC 6749, 6): it gives tokens for a refresh token,
which run out, and can be revoked.

As a program it is the client: "oauth_server.py URL SECRET" asks for a token, and
prints the server's answer, as commands of users do.
"""

import http.server
import json
import secrets
import ssl
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

GRANT = "the-refresh-token-of-ann"


class OAuthServer:
    """Listens on loopback of HOST; with TLS, a certificate and its key, over
    HTTPS."""

    def __init__(self, host, lifetime=3600, tls=None):
        self.lifetime = lifetime
        self.user = "ann@x.example"  # whose tokens they are
        self.fault = None  # an answer of its own: a status and an object
        self.lock = threading.Lock()
        self.tokens = {}  # and when each of them runs out
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                form = urllib.parse.parse_qs(self.rfile.read(size).decode())
                self.say(*outer.answer(form))

            def do_GET(self):
                query = urllib.parse.urlsplit(self.path).query
                token, = urllib.parse.parse_qs(query)["token"]
                self.say(200, outer.introspect(token))

            def say(self, status, answer):
                body = json.dumps(answer, indent=1).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        with host.inside():
            self.server = http.server.ThreadingHTTPServer(
                ("127.0.0.1", 0), Handler)
        where = f"127.0.0.1:{self.server.server_port}/token"
        self.url = f"http://{where}"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True)
            self.url = f"https://{where}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, form):
        if self.fault is not None:
            return self.fault
        if form.get("grant_type") != ["refresh_token"] \
                or form.get("refresh_token") != [GRANT]:
            return 400, {"error": "invalid_grant",
                         "error_description": "it was revoked"}
        token = "ya29." + secrets.token_urlsafe(900)
        with self.lock:
            self.tokens[token] = time.monotonic() + self.lifetime
        return 200, {"token_type": "Bearer", "access_token": token,
                     "scope": "https://mail.example/",
                     "expires_in": self.lifetime}

    def introspect(self, token):
        """What a host is told that asks about TOKEN (introspection)."""
        if not self.is_good(token):
            return {"active": False}
        return {"active": True, "username": self.user}

    def give(self):
        """A token, as a client gets it."""
        _, answer = self.answer({"grant_type": ["refresh_token"],
                                 "refresh_token": [GRANT]})
        return answer["access_token"]

    def revoke(self):
        """No token is good any more."""
        with self.lock:
            self.tokens = dict.fromkeys(self.tokens, 0)

    def is_good(self, token):
        with self.lock:
            return time.monotonic() < self.tokens.get(token, 0)

    @property
    def given(self):
        with self.lock:
            return list(self.tokens)


def main(url, secret):
    form = urllib.parse.urlencode(
        {"grant_type": "refresh_token", "refresh_token": secret})
    try:
        with urllib.request.urlopen(url, form.encode(), timeout=20) as reply:
            print(reply.read().decode())
    except urllib.error.HTTPError as error:
        print(error.read().decode())
    except OSError as error:
        sys.exit(f"the token server does not answer: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
