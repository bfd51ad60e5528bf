# SPDX-License-Identifier: Apache-2.0
"""Results of a run, kept as JSON, and the statistics that the report takes from them."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
from typing import Any


@dataclasses.dataclass
class Results:
    """`cells`: cell -> contestant -> one result of contestants.measure() for each round.
    `extra`: figures that are no calls, by name. `about`: machine and versions."""

    about: dict[str, Any] = dataclasses.field(default_factory=dict)
    cells: dict[str, dict[str, list[dict[str, Any]]]] = dataclasses.field(default_factory=dict)
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)

    def save(self, path: pathlib.Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1))

    @staticmethod
    def load(path: pathlib.Path) -> Results:
        return Results(**json.loads(path.read_text()))

    def add(self, cell: str, contestant: str, result: dict[str, Any]) -> None:
        self.cells.setdefault(cell, {}).setdefault(contestant, []).append(result)

    def values(self, cell: str, contestant: str, field: str = "p50_ms") -> list[float]:
        """One for each round."""
        rounds = self.cells.get(cell, {}).get(contestant, [])
        return [entry[field] for entry in rounds if field in entry]

    def median(self, cell: str, contestant: str, field: str = "p50_ms") -> float | None:
        values = self.values(cell, contestant, field)
        return statistics.median(values) if values else None

    def ratio(
        self, cell: str, above: str, below: str, field: str = "p50_ms"
    ) -> tuple[float, float, float] | None:
        """Median, smallest and largest over the rounds of above / below, each within one round, in
        which the machine was about as busy for both."""
        pairs = zip(self.values(cell, above, field), self.values(cell, below, field), strict=False)
        ratios = [a / b for a, b in pairs]
        return (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None

    def busy(self, cell: str) -> bool:
        """Whether others wanted the processors while the cell was measured."""
        rounds = [entry for each in self.cells.get(cell, {}).values() for entry in each]
        processors = self.extra.get("processors", 1)
        return any(entry["loadavg"] > 1.5 * processors for entry in rounds)

    def best(self, cell: str, contestant: str) -> float | None:
        """The shortest call of all rounds: what it takes when nothing else wants the processor."""
        values = self.values(cell, contestant, "min_ms")
        return min(values) if values else None

    def processor_seconds(self, cell: str, contestant: str) -> float | None:
        """Of server and caller together for one call; median over the rounds."""
        rounds = self.cells.get(cell, {}).get(contestant, [])
        sums = [e.get("cpu_s", 0.0) + e["caller_cpu_s"] for e in rounds if "caller_cpu_s" in e]
        return statistics.median(sums) if sums else None
