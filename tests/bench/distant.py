# SPDX-License-Identifier: MIT
"""A host that is far away: a TCP proxy that holds back what it is given, each
way, and counts messages."""

import asyncio
import threading
import time

DELAY = 0.05
ROUND_TRIP = 2 * DELAY


class Line:
    """One way of a connection: bytes in order, each after DELAY."""

    def __init__(self, reader, writer, seen):
        self.reader = reader
        self.writer = writer
        self.seen = seen  # called with what comes
        self.queue = asyncio.Queue()

    async def listen(self):
        data = b"-"
        while data:
            try:
                data = await self.reader.read(65536)
            except OSError:
                data = b""
            self.seen(data)
            await self.queue.put((time.monotonic() + DELAY, data))

    async def say(self):
        while True:
            when, data = await self.queue.get()
            await asyncio.sleep(max(0, when - time.monotonic()))
            if not data:
                break
            try:
                self.writer.write(data)
                await self.writer.drain()
            except OSError:
                break
        self.writer.close()

    async def run(self):
        await asyncio.gather(self.listen(), self.say())


class Distant:
    """The proxy before SINK, with its port, on a thread of its own."""

    def __init__(self, sink):
        self.sink = sink
        self.mails = 0
        self.connections = 0
        self.first = self.last = 0.0
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def said(self, data):
        """By a client; a command comes whole, as all clients write it."""
        mails = data.count(b"MAIL FROM:")
        if mails and not self.mails:
            self.first = time.monotonic()
        self.mails += mails

    def replied(self, data):
        if data and self.mails:
            self.last = time.monotonic()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            there, to = await asyncio.open_connection(
                "127.0.0.1", self.sink.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(Line(reader, to, self.said).run(),
                             Line(there, writer, self.replied).run())

    def count(self):
        """Messages so far: the last one is over when the host was silent for
        some round trips."""
        silent = time.monotonic() - self.last > 10 * ROUND_TRIP
        return self.mails if silent else max(0, self.mails - 1)

    def trips(self):
        """The time of one message in round trips."""
        return (self.last - self.first + ROUND_TRIP) / self.mails / ROUND_TRIP

    def stop(self):
        self.loop.call_soon_threadsafe(self.server.close)
        self.sink.stop()
