# SPDX-License-Identifier: MIT
"""A web server with a certificate, which does what a test tells it: that of a
policy of MTA-STS, or of reports of TLS."""

import http.server
import ssl
import threading

POLICY = "/.well-known/mta-sts.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.owner.answer(self, b"")

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.server.owner.answer(self, self.rfile.read(size))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that does not like the certificate is none."""


class WebServer:
    """Listens at port 443 of HOST, with the certificates of PAIRS by name."""

    def __init__(self, host, pairs):
        self.text = b""
        self.status = 200
        self.type = "text/plain; charset=utf-8"
        self.fields = {}
        self.stalled = threading.Event()
        self.stalled.set()  # until a test has it wait
        self.requests = []  # method, host, path, fields and body of each
        self.contexts = {name: self.context(pair)
                         for name, pair in pairs.items()}
        first = next(iter(self.contexts.values()))
        first.sni_callback = self.choose
        with host.inside():
            self.server = Server((host.address, 443), Handler)
        self.server.owner = self
        self.server.socket = first.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    @staticmethod
    def context(pair):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        return context

    def choose(self, connection, name, _):
        if name in self.contexts:
            connection.context = self.contexts[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stalled.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request, body):
        self.requests.append((request.command, request.headers["Host"],
                              request.path, request.headers, body))
        self.stalled.wait()
        request.send_response(self.status)
        if self.type is not None:
            request.send_header("Content-Type", self.type)
        for name, value in self.fields.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(self.text)))
        request.end_headers()
        request.wfile.write(self.text)

    def publish(self, *mx, mode="enforce", max_age=86400):
        lines = ["version: STSv1", "mode: " + mode,
                 *("mx: " + name for name in mx), f"max_age: {max_age}"]
        self.text = ("\r\n".join(lines) + "\r\n").encode()
