# SPDX-License-Identifier: Apache-2.0
"""A proxy that treats connections badly: it delays, throttles, stalls, cuts, half-closes them and
damages their framing. A process of its own:

    proxy.py --seed 1 --calm 4 NAME:HOST:PORT[:damage] ...

It prints one line of JSON with the port of each name, obeys lines on standard input ("target NAME
HOST:PORT"), and when that closes prints how often it did what, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import socket
import struct
import sys

from frames import FrameTracker

CHUNK = 65536
# Faults that every connection may see, and how often each is chosen.
USUAL = {"delay": 4, "throttle": 3, "stall": 3, "cut": 2, "half-close": 2}
DAMAGE = {**USUAL, "damage": 5}

Counts = collections.Counter[str]


class Direction:
    """One way of a connection, and what is wrong with it just now."""

    def __init__(self, from_client: bool) -> None:
        self.frames = FrameTracker(from_client)
        self.delay = 0.0  # seconds for each chunk
        self.rate = 0.0  # bytes per second; 0: no limit
        self.open = asyncio.Event()  # cleared: nothing passes
        self.open.set()
        self.damage = False  # the next frame header is to be damaged
        self.closed_early = False


class Link:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, number: int, seed: int, faults: dict[str, int], calm: float,
                 counts: Counts) -> None:  # fmt: skip
        self._random = random.Random(f"{seed}/{number}")
        self._faults = faults
        self._calm = calm
        self._counts = counts
        self._ways = (Direction(True), Direction(False))
        self._writers: list[asyncio.StreamWriter] = []

    async def run(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]
    ) -> None:
        """Until both ways have ended or the link is cut."""
        self._writers = [writer]
        trouble: asyncio.Task[None] | None = None
        try:
            upstream, to_server = await asyncio.open_connection(*target)
            self._writers.append(to_server)
            trouble = asyncio.create_task(self._trouble())
            await asyncio.gather(
                self._pump(reader, to_server, self._ways[0]),
                self._pump(upstream, writer, self._ways[1]),
            )
        except OSError:
            self._counts["connections without a server"] += 1
        finally:
            if trouble is not None:
                trouble.cancel()
            self._cut()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await way.open.wait()
                if way.delay:
                    await asyncio.sleep(way.delay)
                if way.rate:
                    await asyncio.sleep(len(chunk) / way.rate)
                if way.closed_early:
                    continue  # nobody is told: it vanishes
                data = bytearray(chunk)
                if way.frames.feed(data, self._random if way.damage else None):
                    way.damage = False
                    self._counts["frame headers damaged"] += 1
                writer.write(data)
                await writer.drain()
            if not way.closed_early:
                writer.write_eof()

    async def _trouble(self) -> None:
        """One fault after the other, with calm in between."""
        names, weights = list(self._faults), list(self._faults.values())
        while True:
            await asyncio.sleep(self._random.expovariate(1.0 / self._calm))
            name = self._random.choices(names, weights)[0]
            self._counts[name] += 1
            way = self._random.choice(self._ways)
            if name == "cut":
                self._cut()
                return
            if name == "half-close":
                self._half_close(way)
                await asyncio.sleep(self._random.uniform(0.2, 1.5))
                self._cut()
                return
            await self._bother(name, way)

    async def _bother(self, name: str, way: Direction) -> None:
        """Faults after which the connection goes on; a damaged one only for a while, since both ends
        may wait for each other for ever."""
        if name == "damage":
            way.damage = True
            await asyncio.sleep(self._random.uniform(0.3, 2.0))
            self._cut()
        elif name == "delay":
            way.delay = self._random.uniform(0.005, 0.1)
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            way.delay = 0.0
        elif name == "throttle":
            way.rate = self._random.uniform(20e3, 400e3)
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            way.rate = 0.0
        elif name == "stall":
            way.open.clear()
            await asyncio.sleep(self._random.uniform(0.1, 1.5))
            way.open.set()

    def _half_close(self, way: Direction) -> None:
        """The receiver of this way sees its end, the sender does not."""
        writer = self._writers[1 if way is self._ways[0] else 0]
        way.closed_early = True
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    def _cut(self) -> None:
        """Both connections end with a reset, as when a cable goes or a process dies."""
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        for way in self._ways:
            way.open.set()


class Proxy:
    """All listening ports and their targets."""

    def __init__(self, seed: int, calm: float) -> None:
        self.targets: dict[str, tuple[str, int]] = {}
        self.counts: Counts = collections.Counter()
        self._seed = seed
        self._calm = calm
        self._numbers = 0

    async def listen(self, name: str, target: tuple[str, int], damage: bool) -> int:
        """The port on which connections to `target` are taken."""
        self.targets[name] = target
        faults = DAMAGE if damage else USUAL

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._numbers += 1
            self.counts["connections"] += 1
            link = Link(self._numbers, self._seed, faults, self._calm, self.counts)
            await link.run(reader, writer, self.targets[name])

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def obey(self) -> None:
        """Lines on standard input, until it closes."""
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        while line := (await lines.readline()).decode().split():
            _, name, address = line
            host, port = address.rsplit(":", 1)
            self.targets[name] = (host, int(port))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--calm", type=float, required=True, help="mean seconds between faults")
    parser.add_argument("links", nargs="+", metavar="NAME:HOST:PORT[:damage]")
    arguments = parser.parse_args()
    proxy = Proxy(arguments.seed, arguments.calm)
    ports = {}
    for entry in arguments.links:
        name, host, port, *damage = entry.split(":")
        ports[name] = await proxy.listen(name, (host, int(port)), bool(damage))
    print(json.dumps(ports), flush=True)
    await proxy.obey()
    print(json.dumps(proxy.counts), flush=True)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # of connections that were cut
    loop.run_until_complete(main())
    os._exit(0)  # connections that are still open are dropped
