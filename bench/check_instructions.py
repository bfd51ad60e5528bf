# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of one request's way through the server with callgrind and compares them
with what instructions.json has for this compiler: a slowdown shows here however busy the machine.

    check_instructions.py HOT-PATH --compiler "GNU 12.2.0" --build Release [--record]

Exit code 77 means skipped, and the reason is printed: no valgrind, another processor, a compiler or
kind of build without a recorded figure. --record writes the figure instead of comparing.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "instructions.json"
TOLERANCE = 0.03
SKIPPED = 77
COUNTED = {
    "first request": "CountedFirst",
    "next request": "CountedNext",
    "next request, naming its mesh": "CountedNamed",
}


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def has_avx2() -> bool:
    """ONNX Runtime and the C library choose their code by it."""
    try:
        return " avx2 " in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def count(program: pathlib.Path, folder: pathlib.Path) -> dict[str, int]:
    """Instructions, callees included, of each counted function."""
    sys.path.insert(0, str(HERE))
    import transport_model

    model, out = folder / "transport.onnx", folder / "callgrind.out"
    transport_model.write(model)
    subprocess.run(
        ["valgrind", "--tool=callgrind", "--toggle-collect=blendwire::bench::Counted*",
         f"--callgrind-out-file={out}", program, model],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    lines = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", out],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    counts = {}
    for label, function in COUNTED.items():
        line = next(line for line in lines if f"::{function}(" in line)
        match = re.match(r"\s*([\d,]+)", line)
        assert match is not None, line
        counts[label] = int(match[1].replace(",", ""))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--processor", default="x86_64")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        skip("there is no valgrind here")
    if not has_avx2():
        skip("the recorded figures are of an x86-64 processor with AVX2")
    key = f"{arguments.compiler} {arguments.build} {arguments.processor}"
    recorded = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    if key not in recorded and not arguments.record:
        skip(f"{RECORD.name} has no figure for {key!r}; --record adds one")
    with tempfile.TemporaryDirectory() as folder:
        counts = count(arguments.program, pathlib.Path(folder))
    if arguments.record:
        recorded[key] = counts
        RECORD.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
        print(f"recorded {key!r}: {counts}")
        return
    failed = False
    for label, instructions in counts.items():
        change = instructions / recorded[key][label] - 1
        failed |= change > TOLERANCE
        print(f"{label}: {instructions:,} instructions, {change:+.1%} of the recorded figure")
        if change < -TOLERANCE:
            print("  faster: record it, so that the gain is kept (--record)")
    if failed:
        sys.exit(f"more than {TOLERANCE:.0%} slower than {RECORD.name} says")


if __name__ == "__main__":
    main()
