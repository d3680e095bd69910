# SPDX-License-Identifier: MIT
"""A running examples/capture for a test, and what programs send to it.

CAPTURE names the program (or the first argument of a test file that does not
begin with a hyphen).  SMTPIN_SLOW multiplies all deadlines.
"""

import http.client
import json
import os
import re
import smtplib
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from email.message import EmailMessage

import smtpin_fixture as fixture


def main():
    """Run the tests of the calling file; see above for the argument."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") \
            and os.access(sys.argv[1], os.X_OK):
        os.environ["CAPTURE"] = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


def message(subject="Hello", text="A text.\n", html=None, sender="ann@a.example",
            to="bob@b.example", attachments=()):
    """A message; ATTACHMENTS are (name, type, bytes)."""
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, to, subject
    m.set_content(text)
    if html is not None:
        m.add_alternative(html, subtype="html")
    for name, kind, content in attachments:
        main_type, sub_type = kind.split("/")
        m.add_attachment(content, main_type, sub_type, filename=name)
    return m


class Reply:
    """The response to one request."""

    def __init__(self, response):
        self.status = response.status
        self.fields = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Capture:
    """One process, on free ports of 127.0.0.1."""

    def __init__(self, *arguments):
        self.err = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.environ["CAPTURE"], "--listen", "127.0.0.1:0",
             "--web", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=self.err, text=True)
        self.smtp_port = int(self.announced(r"SMTP  127\.0\.0\.1:(\d+)"))
        self.port = int(self.announced(r"Page  http://127\.0\.0\.1:(\d+)/"))
        self.url = f"http://127.0.0.1:{self.port}/"

    def announced(self, pattern):
        line = self.process.stdout.readline()
        match = re.fullmatch(pattern + "\n", line)
        if match is None:
            raise AssertionError(f"{line!r}: {self.log()}")
        return match[1]

    def log(self):
        self.err.seek(0)
        return self.err.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        status = self.process.wait(30 * fixture.SLOW)
        self.process.stdout.close()
        log = self.log()
        self.err.close()
        if status != 0:
            raise AssertionError(f"status {status}: {log}")

    def smtp(self):
        return smtplib.SMTP("127.0.0.1", self.smtp_port,
                            timeout=30 * fixture.SLOW)

    def send(self, *messages, **envelope):
        """Send them in one session; ENVELOPE as smtplib has it.  Return the
        id of the last."""
        with self.smtp() as client:
            for m in messages:
                client.send_message(m, **envelope)
        return self.messages()[0]["id"] if messages else None

    def request(self, method, path, fields=(), **params):
        """Ask for PATH with PARAMS."""
        if params:
            path += "?" + urllib.parse.urlencode(params)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=60 * fixture.SLOW)
        try:
            connection.request(method, path, headers=dict(fields))
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **params):
        reply = self.request("GET", path, **params)
        if reply.status != 200:
            raise AssertionError(f"{path}: {reply.status} {reply.body!r}")
        return reply

    def messages(self, **params):
        return self.get("/messages", **params).json()["messages"]
