# SPDX-License-Identifier: Apache-2.0
"""How much the other artists know: `python3 -m training.ceiling --cache CACHE --leave gene`.

Carries the mean of the remaining artists onto every head of those left out, along its true landmarks
and knowing what its own blink and open mouth move, and says how near that comes to the artist's
shapes. A network that never saw the artist has neither, so this is about what it can reach at most;
more comes only from more artists.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence

import numpy as np

from . import averages, measures, rigs, slots, split

KINDS = ("viseme", "unit", "emotion")


def best_guess(target: averages.Face, sources: Sequence[averages.Face]) -> np.ndarray:
    """(N,K,3) what the sources of the target's style would do on the target's vertices, and the
    others where those lack an expression. NaN where all lack it."""
    result = np.full_like(target.rig.offsets, np.nan, dtype=np.float32)
    own = target.rig.style
    for style in sorted({"human", "anime"}, key=lambda style: style == own):
        found = averages.style_mean(target, sources, style)
        if found:
            offsets, weight = found
            result[:, :, weight > 0] = offsets[:, :, weight > 0]
    return result.transpose(1, 2, 0)


def cosines(head: measures.Head, guess: np.ndarray) -> dict[str, float]:
    """Kind -> mean cosine over the expressions of that kind that the artist made and somebody else
    has, too."""
    known = {
        name: figures["cos"]
        for name, figures in measures.fields(head, guess[head.index]).items()
        if np.isfinite(figures["cos"])
    }
    grouped = {kind: [v for n, v in known.items() if slots.kind(n) == kind] for kind in KINDS}
    return {kind: float(np.mean(values)) for kind, values in grouped.items() if values}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cache", type=pathlib.Path, required=True, help="rigs of training.prepare")
    add("--leave", nargs="+", required=True, help="artists to leave out and to measure")
    add("--heads", nargs="*", help="only these rigs of theirs")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    sources = [averages.Face.of(r) for r in split.load_rigs(arguments.cache, arguments.leave)]
    left_out = [rigs.load(path) for path in sorted(arguments.cache.glob("*.npz"))]
    left_out = [rig for rig in left_out if rig.artist in arguments.leave]
    unknown = set(arguments.leave) - {rig.artist for rig in left_out}
    if unknown:
        raise SystemExit(f"--leave: {arguments.cache} has no head by {', '.join(sorted(unknown))}")
    unknown = set(arguments.heads or []) - {rig.name for rig in left_out}
    if unknown:
        raise SystemExit(f"--heads: not by those left out: {', '.join(sorted(unknown))}")
    print("| head | visemes | units | emotions |\n|---|---|---|---|")
    for rig in left_out:
        if arguments.heads and rig.name not in arguments.heads:
            continue
        found = cosines(measures.Head.of(rig, 0), best_guess(averages.Face.of(rig), sources))
        cells = [f"{found[kind]:.2f}" if kind in found else "-" for kind in KINDS]
        print(f"| {rig.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
