# SPDX-License-Identifier: Apache-2.0
"""bench/measure.h once more, for callers in Python; the standard library only, since it runs in the
environment of every peer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

# The number of the calling thread and the number of its call; raises if the call fails.
Call = Callable[[int, int], None]

TIMES_SHOWN = 1000


def _percentile(ordered: list[float], percent: float) -> float:
    """Nearest rank."""
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def measure(
    call: Call, *, threads: int, seconds: float, at_least: int, warm_up: int
) -> dict[str, Any]:
    """Each thread calls as soon as its last call has returned, until `seconds` are over and it has
    made `at_least` calls."""
    times: list[float] = []
    errors: list[str] = []
    started = [0.0, 0.0]

    def start() -> None:
        started[:] = time.perf_counter(), time.process_time()

    barrier = threading.Barrier(threads, action=start)

    def attempt(thread: int, number: int, timed: bool) -> None:
        begin = time.perf_counter()
        try:
            call(thread, number)
        except Exception as error:  # any failure counts, whatever the peer calls it
            errors.append(f"{type(error).__name__}: {error}")
            return
        if timed:
            times.append((time.perf_counter() - begin) * 1000)

    def run(thread: int) -> None:
        for number in range(warm_up):
            attempt(thread, number, timed=False)
        barrier.wait()
        made = 0
        while made < at_least or time.perf_counter() < started[0] + seconds:
            attempt(thread, warm_up + made, timed=True)
            made += 1

    workers = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed = time.perf_counter() - started[0]
    cpu = time.process_time() - started[1]
    result: dict[str, Any] = {"seconds": elapsed, "calls": len(times), "errors": len(errors)}
    if errors:
        result["first_error"] = errors[0]
    if times:
        ordered = sorted(times)
        result |= {
            "caller_cpu_s": cpu / len(times),
            "per_second": len(times) / elapsed,
            "times_ms": times[:TIMES_SHOWN],
            "mean_ms": sum(times) / len(times),
            "min_ms": ordered[0],
            "p50_ms": _percentile(ordered, 50),
            "p95_ms": _percentile(ordered, 95),
            "p99_ms": _percentile(ordered, 99),
            "max_ms": ordered[-1],
        }
    return result
