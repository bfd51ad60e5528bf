# SPDX-License-Identifier: Apache-2.0
"""One client of the chaos run: calls in a loop until standard input closes, and every half second a
line of JSON with everything that it has counted so far.

    client.py --caller package|grpc --address 127.0.0.1:1 --seed 3/1 --model everyday.onnx
              [--token-file FILE] [--damaged]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import select
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "python")]

import blendwire  # noqa: E402

blendwire.client_version()  # loads the library before the harness's stubs: see chaos.py

from callers import Caller, GrpcCaller, LostError, PackageCaller  # noqa: E402
from oracle import Oracle  # noqa: E402
from workload import Failure, Judge, Workload  # noqa: E402

REPORT_SECONDS = 0.5


class Connection:
    """A caller with the server's present token."""

    def __init__(self, caller: Caller, address: str, token_file: pathlib.Path | None) -> None:
        self.caller = caller
        self._address = address
        self._token_file = token_file
        self._token: str | None = None
        self.refresh()

    def refresh(self) -> None:
        """Connects anew if the token has changed."""
        token = self._token_file.read_text() if self._token_file else ""
        if token != self._token:
            self._token = token
            self.caller.connect(self._address, token)


def report(judge: Judge) -> None:
    """For the driver."""
    line = {"counts": judge.counts, "latest": judge.latest, "complaints": judge.complaints}
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--caller", choices=("package", "grpc"), required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--token-file", type=pathlib.Path)
    parser.add_argument("--damaged", action="store_true")
    arguments = parser.parse_args()
    caller = PackageCaller() if arguments.caller == "package" else GrpcCaller()
    connection = Connection(caller, arguments.address, arguments.token_file)
    workload = Workload(arguments.seed, Oracle(arguments.model))
    judge = Judge(
        managed=arguments.token_file is not None,
        damaged=arguments.damaged,
        bare=arguments.caller == "grpc",
    )
    report(judge)
    reported = time.monotonic()
    while not select.select([sys.stdin], [], [], 0)[0]:
        call = workload.next_call()
        began = time.monotonic()
        try:
            answer = caller.make(call)
            now = time.monotonic()
            judge.ended(call, answer, now - began)
            if isinstance(answer, Failure):
                connection.refresh()
        except LostError:
            now = time.monotonic()
            judge.lost(call)
        if now - reported > REPORT_SECONDS:
            report(judge)
            reported = now
    report(judge)


if __name__ == "__main__":
    main()
