# SPDX-License-Identifier: Apache-2.0
"""A server that speaks HTTP/2 (RFC 9113) and HPACK (RFC 7541), and answers every call with one of the
things that no gRPC server sends.

    with HostileServer(ANSWERS["no status"]) as server: ...
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PUSH, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 5, 7, 8, 9
END_STREAM, END_HEADERS, PRIORITY, ACK = 0x1, 0x4, 0x20, 0x1

Answer = Callable[[int], bytes]  # of a stream's number


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113, section 4.1."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + payload


def header(name: bytes, value: bytes) -> bytes:
    """A literal that no table keeps: RFC 7541, section 6.2.2. Both under 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


STARTED = b"\x88" + header(b"content-type", b"application/grpc")  # 0x88: ":status: 200"
ENDED = header(b"grpc-status", b"0")
EMPTY_MESSAGE = bytes(5)


def at_once(headers: bytes) -> Answer:
    """One block of headers, and the end."""
    return lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, headers)


def started(then: Answer) -> Answer:
    """Headers as they should be, and then something."""
    return lambda stream: frame(HEADERS, END_HEADERS, stream, STARTED) + then(stream)


def together(*answers: Answer) -> Answer:
    return lambda stream: b"".join(answer(stream) for answer in answers)


def message(payload: bytes, flags: int = 0) -> Answer:
    return lambda stream: frame(DATA, flags, stream, payload)


ANSWERS: dict[str, Answer] = {
    "no status": at_once(STARTED),
    "no headers": at_once(b""),
    "no trailers": started(message(EMPTY_MESSAGE, END_STREAM)),
    "no message": at_once(STARTED + ENDED),
    "an empty message": started(together(message(EMPTY_MESSAGE), at_once(ENDED))),
    "a message before the headers": together(message(EMPTY_MESSAGE), at_once(ENDED)),
    "a message cut short": started(together(message(b"\0\0\0\x10\0abc"), at_once(ENDED))),
    "a message that is none": started(together(message(b"\0\0\0\0\3\xff\xff\xff"), at_once(ENDED))),
    "compressed, but not": started(together(message(b"\1\0\0\0\5hello"), at_once(ENDED))),
    "headers three times": started(started(started(at_once(ENDED)))),
    "a method, at the start": lambda stream: frame(
        HEADERS, END_HEADERS, stream, STARTED + header(b":method", b"")
    ),
    "a method": at_once(STARTED + ENDED + header(b":method", b"")),
    "a scheme": at_once(STARTED + ENDED + header(b":scheme", b"x")),
    "balancer's statistics": at_once(STARTED + ENDED + header(b"grpclb_client_stats", b"x")),
    "balancer's costs": at_once(STARTED + ENDED + header(b"lb-cost-bin", b"x")),
    "a pause that is none": at_once(STARTED + ENDED + header(b"grpc-retry-pushback-ms", b"x")),
    "a timeout": at_once(STARTED + ENDED + header(b"grpc-timeout", b"x")),
    "te": at_once(STARTED + ENDED + header(b"te", b"x")),
    "a web page": at_once(b"\x88" + header(b"content-type", b"text/html")),
    "not found": at_once(header(b":status", b"404")),
    "a negative status": at_once(STARTED + header(b"grpc-status", b"-5")),
    "an unknown status": at_once(STARTED + header(b"grpc-status", b"99")),
    "a promise": lambda stream: frame(PUSH, END_HEADERS, stream, struct.pack(">I", 2) + STARTED),
    "a priority": lambda stream: frame(
        HEADERS, END_HEADERS | END_STREAM | PRIORITY, stream, bytes(5) + STARTED + ENDED
    ),
    "the rest of nothing": lambda stream: frame(CONTINUATION, END_HEADERS, stream, STARTED),
    "a reset": lambda stream: frame(RESET, 0, stream, struct.pack(">I", 7)),
    "goodbye": lambda _: frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)),
    "a window of nothing": lambda stream: frame(WINDOW, 0, stream, bytes(4)),
    "windows too wide": lambda _: 2 * frame(WINDOW, 0, 0, struct.pack(">I", 2**31 - 1)),
    "settings out of range": lambda _: frame(SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"),
    "an endless number": at_once(b"\xff" * 20),
    "an endless table": at_once(b"\x3f\xff\xff\xff\x0f"),
    "HTTP/1.1": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a frame without end": lambda stream: b"\xff\xff\xff" + bytes([DATA, 0]) + stream.to_bytes(4, "big"),
    "silence": lambda _: b"",
}


class HostileServer:
    """Listens on 127.0.0.1 while it is a context."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self._listener.getsockname()[1])

    def __enter__(self) -> HostileServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone does not wake the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            connection.sendall(frame(SETTINGS, 0, 0, b""))
            stream.read(len(PREFACE))
            while len(head := stream.read(9)) == 9:
                stream.read(int.from_bytes(head[:3], "big"))
                kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big")
                if kind == SETTINGS and not flags & ACK:
                    connection.sendall(frame(SETTINGS, ACK, 0, b""))
                elif kind == HEADERS:
                    connection.sendall(self._answer(number))
