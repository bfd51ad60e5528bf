# SPDX-License-Identifier: Apache-2.0
"""Servers under test: started, asked whether they serve, watched through /proc, ended."""

from __future__ import annotations

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")
START_SECONDS = 120.0


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Without proxies, which must not stand between a client and this machine."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return kept | dict(extra or {})


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found, parents = [pid], {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found


class Server:
    """One server. `ready` says whether it serves."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        address: str = "",
        ready: Callable[[], bool] | None = None,
        env: Mapping[str, str] | None = None,
        folder: pathlib.Path | None = None,
    ) -> None:
        """Without `ready`, the server prints `Server running on ...` once it serves. `folder` goes
        when the server has ended."""
        self.name, self.address, self.folder = name, address, folder
        self.log = tempfile.TemporaryFile()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if ready is None else self.log,
            stderr=self.log,
            env=clean_environment(env),
            start_new_session=True,
        )
        try:
            self._await(ready, began + START_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.perf_counter() - began

    def _await(self, ready: Callable[[], bool] | None, deadline: float) -> None:
        if ready is None:
            assert self.process.stdout is not None
            select.select([self.process.stdout], [], [], deadline - time.perf_counter())
            line = self.process.stdout.readline().decode()
            match = re.search(r"Server running on (?:port (\d+)|(unix:\S+?)\. )", line)
            if match is None:
                raise RuntimeError(f"{self.name} did not start: {line}{self.output()}")
            self.address = f"127.0.0.1:{match[1]}" if match[1] else match[2]
            return
        while not ready():
            if self.process.poll() is not None or time.perf_counter() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.output()[:3000]}")
            time.sleep(0.02)

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def cpu_seconds(self) -> float:
        """Of all its processes so far: exact, but without threads that have ended, unless those
        have used more than the clock of ticks is wrong by."""
        ticks = nanoseconds = 0
        for pid in _family(self.process.pid):
            try:
                text = pathlib.Path(f"/proc/{pid}/stat").read_text()
                threads = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
            except OSError:
                continue
            fields = text.rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
            for thread in threads:
                try:
                    nanoseconds += int((thread / "schedstat").read_text().split()[0])
                except OSError:
                    continue
        ended = max(0.0, ticks / TICK - nanoseconds / 1e9)
        return nanoseconds / 1e9 + (ended if ended > 3 / TICK else 0.0)

    def _memory_mib(self, field: str) -> float:
        total = 0
        for pid in _family(self.process.pid):
            try:
                text = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            match = re.search(rf"{field}:\s+(\d+)", text)
            total += int(match[1]) if match else 0
        return total / 1024

    def resident_mib(self) -> float:
        return self._memory_mib("VmRSS")

    def peak_mib(self) -> float:
        """Largest resident memory since forget_peak()."""
        return self._memory_mib("VmHWM")

    def forget_peak(self) -> None:
        for pid in _family(self.process.pid):
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def stop(self) -> None:
        """Asks it to end; what has not after some seconds is killed, with all that it started."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
