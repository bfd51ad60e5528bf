# SPDX-License-Identifier: Apache-2.0
"""Chaos: clients, a proxy and servers that are all treated badly, and a judge.

    chaos.py --bin build/release/bin [--requests 20000] [--minutes M] [--seed 1] [--calm 4]
             [--json report.json]

Twelve clients (six through the Python package, six through grpcio) call two servers through a proxy
that delays, throttles, stalls, cuts and half-closes their connections and, for four of them, damages
frame headers. One server is the driver's own, the other is under the client library's manager. Both
are killed with -9, stopped (SIGSTOP), and drained at random; clients are killed in the middle of what
they do. Every call must end within its deadline and 1 s as the right answer, compared with oracle.py,
or as an error that docs/errors.md allows.

The seed decides what is called and what is done, but not in which microsecond.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "python")]

CLIENTS = 12
# What Debian's gRPC, which is built for debugging, says before it ends a process whose server's frames
# make no sense to it (call.cc:416): not ours to mend, but counted. The release's gRPC must not do that.
DEBIAN_ASSERTIONS = ("assertion failed", "invalid value key=:method", "invalid value key=:scheme")
# What the driver does, and how often each is chosen.
DEEDS = {"kill": 3, "stop": 2, "drain": 2, "kill client": 3}


@dataclasses.dataclass
class Totals:
    """What the clients of one kind have counted."""

    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    complaints: list[str] = dataclasses.field(default_factory=list)
    latest: float = 0.0

    def add(self, report: dict[str, Any]) -> None:
        self.counts.update(report["counts"])
        self.complaints += report["complaints"]
        self.latest = max(self.latest, report["latest"])


class ClientProcess:
    """One client.py."""

    def __init__(self, number: int, life: int, seed: int, address: str, link: str,
                 models: pathlib.Path, token_file: pathlib.Path) -> None:  # fmt: skip
        self.number = number
        self.life = life
        self.link = link
        self.caller = "package" if number % 2 == 0 else "grpc"
        command = [
            sys.executable, str(HERE / "client.py"), "--caller", self.caller, "--address", address,
            "--seed", f"{seed}/{number}/{life}", "--model", str(models / "everyday.onnx"),
        ]  # fmt: skip
        if link == "managed":
            command += ["--token-file", str(token_file)]
        if link == "damaged":
            command += ["--damaged"]
        # What a killed one leaves behind goes with the models' folder.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(models)},
        )  # fmt: skip
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._text = b""
        self.report: dict[str, Any] = {"counts": {}, "complaints": [], "latest": 0.0}

    def read(self) -> None:
        """Takes in what it has reported so far."""
        assert self.process.stdout is not None
        self._text += self.process.stdout.read() or b""
        *lines, self._text = self._text.split(b"\n")
        if lines:
            self.report = json.loads(lines[-1])

    def end(self) -> str:
        """Lets it finish its last call; what is wrong if it does not."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        limit = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < limit:
            self.read()
            time.sleep(0.01)
        self.read()
        if self.process.poll() == 0:
            return ""
        self.process.kill()
        assert self.process.stderr is not None
        errors = self.process.stderr.read().decode()[-2000:]
        return f"client {self.number} ended with {self.process.wait()}: {errors}"


class ProxyProcess:
    """proxy.py."""

    def __init__(self, seed: int, calm: float, links: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "proxy.py"), "--seed", str(seed), "--calm", str(calm), *links],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self.ports: dict[str, int] = json.loads(self._process.stdout.readline())

    def target(self, name: str, address: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"target {name} {address}\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, int]:
        """How often it did what."""
        output, _ = self._process.communicate()
        return dict(json.loads(output))


def uses_debian_grpc(client_library: pathlib.Path) -> bool:
    """The development build does; the release has its own inside."""
    return b"libgrpc++.so." in client_library.read_bytes()


def spread(times: list[float]) -> dict[str, float]:
    """In seconds."""
    if not times:
        return {}
    return {"median": round(statistics.median(times), 3), "largest": round(max(times), 3)}


class Chaos:
    """One run."""

    def __init__(
        self, requests: int, minutes: float, seed: int, calm: float, folder: pathlib.Path
    ) -> None:
        from harness import onnx_models
        from servers import ManagedVictim, OwnServer, Victim

        self._random = random.Random(seed)
        self._wanted = requests
        self._seconds = minutes * 60
        self._seed = seed
        self._calm = calm
        self._models = folder
        self._token_file = folder / "token"
        onnx_models.everyday(folder / "everyday.onnx")
        onnx_models.slow(folder / "slow.onnx")
        self._own, self._managed = OwnServer(folder), ManagedVictim(folder)
        self._victims: list[Victim] = [self._own, self._managed]
        self._clients: list[ClientProcess] = []
        self._lives = 0
        self._past = {caller: {link: Totals() for link in ("own", "damaged", "managed")}
                      for caller in ("package", "grpc")}  # fmt: skip
        self._complaints: list[str] = []
        self._stopped_seconds = 0.0
        self._clients_killed = 0
        self._debian_grpc = uses_debian_grpc(pathlib.Path(os.environ["BLENDWIRE_CLIENT_LIBRARY"]))
        self._debian_assertions = 0

    def run(self) -> dict[str, Any]:
        for victim in self._victims:
            victim.start()
        self._token_file.write_text(self._managed.token)
        own, managed = self._own.address, self._managed.address
        self._proxy = ProxyProcess(
            self._seed, self._calm, [f"own:{own}", f"damaged:{own}:damage", f"managed:{managed}"]
        )
        for number in range(CLIENTS):
            self._clients.append(self._new_client(number))
        began = time.monotonic()
        try:
            self._loop()
        finally:
            seconds = time.monotonic() - began
            for client in self._clients:
                if reason := client.end():
                    self._ended_by_itself(client, reason)
                self._bury(client)
            faults = self._proxy.end()
        ends = {}
        for victim in self._victims:
            victim.notice_crash()
            victim.await_idle()
            ends[f"{victim.name} descriptors at the end"] = victim.descriptors()
            victim.end()
        return self._report(seconds, faults, ends)

    def _new_client(self, number: int) -> ClientProcess:
        link = ("own", "damaged", "managed")[number // 2 % 3]
        self._lives += 1
        return ClientProcess(
            number, self._lives, self._seed, f"127.0.0.1:{self._proxy.ports[link]}", link,
            self._models, self._token_file,
        )  # fmt: skip

    def _bury(self, client: ClientProcess) -> None:
        self._past[client.caller][client.link].add(client.report)

    def _calls(self) -> int:
        past = sum(t.counts["calls"] for links in self._past.values() for t in links.values())
        return past + sum(client.report["counts"].get("calls", 0) for client in self._clients)

    def _loop(self) -> None:
        end = time.monotonic() + self._seconds
        next_deed = time.monotonic() + self._calm
        while self._calls() < self._wanted and time.monotonic() < end:
            pipes = [client.process.stdout for client in self._clients]
            select.select(pipes, [], [], 0.1)
            for client in self._clients:
                client.read()
                if client.process.poll() is not None:
                    self._ended_by_itself(client, client.end())
                    self._replace(client)
            for victim in self._victims:
                if victim.notice_crash():
                    self._retarget(victim.name)
            if time.monotonic() > next_deed:
                self._do(self._random.choices(list(DEEDS), list(DEEDS.values()))[0])
                next_deed = time.monotonic() + self._random.uniform(0.2, 1.0) * self._calm
            time.sleep(0.02)

    def _ended_by_itself(self, client: ClientProcess, reason: str) -> None:
        aborted = client.process.returncode == -signal.SIGABRT
        expected = self._debian_grpc and client.link == "damaged" and client.caller == "package"
        if aborted and expected and any(text in reason for text in DEBIAN_ASSERTIONS):
            self._debian_assertions += 1
        else:
            self._complaints.append(reason)

    def _do(self, deed: str) -> None:
        if deed == "kill client":
            client = self._random.choice(self._clients)
            client.process.send_signal(signal.SIGKILL)
            client.process.wait()
            client.read()
            self._clients_killed += 1
            self._replace(client)
            return
        victim = self._random.choice(self._victims)
        if deed == "stop":
            victim.stops += 1
            pause = self._random.uniform(0.2, 1.5)
            os.kill(victim.pid, signal.SIGSTOP)
            time.sleep(pause)
            os.kill(victim.pid, signal.SIGCONT)
            self._stopped_seconds += pause
            return
        victim.kill() if deed == "kill" else victim.drain()
        self._retarget(victim.name)

    def _replace(self, client: ClientProcess) -> None:
        self._bury(client)
        self._clients[client.number] = self._new_client(client.number)

    def _retarget(self, name: str) -> None:
        if name == "own":
            self._proxy.target("own", self._own.address)
            self._proxy.target("damaged", self._own.address)
        else:
            self._token_file.write_text(self._managed.token)
            self._proxy.target("managed", self._managed.address)

    def _report(self, seconds: float, faults: dict[str, int], ends: dict[str, int]) -> dict[str, Any]:
        everything = Totals()
        availability = {}
        for caller, links in self._past.items():
            good = failed = 0
            for link, totals in links.items():
                everything.add(vars(totals))
                if link != "damaged":
                    failed += totals.counts["good calls that failed"]
                    good += totals.counts["calls"]
            availability[caller] = 100.0 * (1.0 - failed / max(1, good))
        counts = everything.counts
        complaints = everything.complaints + self._complaints
        complaints += [text for v in self._victims for text in v.complaints]
        return {
            "seconds": round(seconds, 1),
            "calls": counts["calls"],
            "predictions": counts["predictions"],
            "right": counts["right"],
            "wrong": counts["wrong"],
            "lost": counts["lost"],
            "late": counts["late"],
            "latest end after a deadline, s": round(everything.latest, 3),
            "other ends": {k: n for k, n in sorted(counts.items()) if ": " in k},
            "calls answered, %": {k: round(v, 3) for k, v in availability.items()},
            "server up but for kills, %": {
                v.name: round(100 * (1 - sum(v.down) / seconds), 2) for v in self._victims
            },
            "server kills": sum(v.kills for v in self._victims),
            "server drains": sum(v.drains for v in self._victims),
            "server stops": sum(v.stops for v in self._victims),
            "server crashes": sum(v.crashes for v in self._victims),
            "clients killed": self._clients_killed,
            "clients ended by assertions in Debian's gRPC": self._debian_assertions,
            "kill to SERVING under the manager, s": spread(self._managed.to_serving),
            "drain and the next start, s": spread(
                [t for v in self._victims for t in v.drain_seconds]
            ),
            "proxy": faults,
            **ends,
            "complaints": complaints,
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the built server")
    parser.add_argument("--requests", type=int, default=20000, help="calls to make (20000)")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="end after so long at the latest"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", type=float, default=4.0, help="mean seconds between faults (4)")
    parser.add_argument("--json", type=pathlib.Path, help="write the report there, too")
    arguments = parser.parse_args()
    folder = arguments.bin.resolve()
    os.environ["BLENDWIRE_BIN"] = str(folder)
    os.environ.setdefault(
        "BLENDWIRE_CLIENT_LIBRARY", str(folder.parent / "lib/libblendwire_client.so.1")
    )
    import blendwire

    # First of all libraries: the development build's shares protobuf's global symbols with the
    # compiler that makes the harness's stubs, and cannot be loaded after that has run.
    blendwire.client_version()
    with tempfile.TemporaryDirectory(prefix="blendwire-chaos-") as work:
        report = Chaos(
            arguments.requests, arguments.minutes, arguments.seed, arguments.calm,
            pathlib.Path(work),
        ).run()  # fmt: skip
    print(json.dumps(report, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if report["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
