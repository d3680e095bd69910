# SPDX-License-Identifier: MIT
"""A server on aiosmtpd: discards what it receives, or stores it in a Maildir.

usage: aiosmtpd_peer.py PORT [MAILDIR]
"""

import asyncio
import mailbox
import os
import sys

from aiosmtpd.smtp import SMTP


class Discard:
    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 Ok"


class Store:
    """Files are synced by mailbox.Maildir."""

    def __init__(self, path):
        self.box = mailbox.Maildir(path)

    async def handle_DATA(self, server, session, envelope):
        self.box.add(envelope.content)
        return "250 2.0.0 Ok"


async def main():
    handler = Store(sys.argv[2]) if len(sys.argv) > 2 else Discard()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", data_size_limit=2**30),
        "127.0.0.1", int(sys.argv[1]), backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(main())
