#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the add-on's tests in real Blenders, each with a fresh profile and the built zip.

    addon/tests/run_blender.py --blender            without a window, in each of $BLENDWIRE_BLENDERS
    addon/tests/run_blender.py --window             in a window under Xvfb, with screenshots
    addon/tests/run_blender.py --lifetime           kills Blender, and runs two at once
    addon/tests/run_blender.py --cycles 200         generates, undoes, cancels, kills; nothing grows
    addon/tests/run_blender.py --pictures           docs/images/ from the screenshots
    addon/tests/run_blender.py --package BUILD      makes the zip from a finished build first

The zip is the newest in dist/ (or where --dist says), or the one that --zip names. A Blender is a
program, or a Python interpreter whose environment has PyPI's bpy. Exit code 77 means that the test
was skipped; the reason is printed.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NoReturn

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SKIPPED = 77
TIMEOUT = 1500
# Screenshots of the window test -> docs/images/blender-….png
PICTURES = {
    "3-working": "working",
    "4-results": "results",
    "5-vrc.v_aa": "done",
    "6-crashed": "crashed",
    "7-ja_JP": "japanese",
    "8-no-face": "no-face",
}
SERVER_GOES = 2.0  # seconds after its Blender was killed


def skip(reason: str) -> NoReturn:
    """Ends the test as skipped."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def folder_of_zips() -> pathlib.Path:
    """dist/, or what --dist names: each build's tests have their own, so that no zip of a build with
    counters or without optimisation is taken for a user's."""
    return pathlib.Path(os.environ.get("BLENDWIRE_TEST_DIST", REPOSITORY / "dist")).resolve()


def find_zip() -> pathlib.Path:
    """The zip that was named, or the newest one."""
    named = os.environ.get("BLENDWIRE_TEST_ZIP")
    if named:
        return pathlib.Path(named).resolve()
    found = sorted(folder_of_zips().glob("blendwire-*-linux_x64.zip"), key=os.path.getmtime)
    if not found:
        skip(f"{folder_of_zips()} has no blendwire-*-linux_x64.zip; scripts/package makes it")
    return found[-1]


def find_head() -> pathlib.Path:
    """The demo head."""
    head = REPOSITORY / "assets" / "demo_head.glb"
    if not head.is_file():
        skip("assets/demo_head.glb is missing")
    return head


def find_blenders() -> list[str]:
    """Programs and Pythons."""
    named = [b for b in os.environ.get("BLENDWIRE_BLENDERS", "").split(";") if b]
    found = named or [b for b in [shutil.which("blender")] if b]
    if not found:
        skip(
            "no Blender is installed; `apt-get install blender`, or name one in BLENDWIRE_BLENDERS"
        )
    return found


def command(blender: str, script: str, *, window: bool = False) -> list[str]:
    """How this Blender runs a script."""
    path = str(HERE / "blender" / script)
    if "python" in pathlib.Path(blender).name:
        return [blender, path]
    if window:
        size = ["-p", "0", "0", "1600", "1000"]
        return [blender, "--factory-startup", *size, "--python", path]
    return [blender, "-b", "--factory-startup", "--python", path]


def environment(blender: str, profile: str) -> dict[str, str]:
    """With a profile of its own, and nothing of ours that a user would not have.

    A distribution's Blender takes its Python library from the first python3 on the PATH: that must
    be the one beside it, not a virtual environment's.
    """
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PYTHON", "BLENDWIRE_", "VIRTUAL_ENV", "PYENV"))
    }
    extra = {k: v for k, v in os.environ.items() if k.startswith("BLENDWIRE_TEST_")}
    path = f"{pathlib.Path(shutil.which(blender) or blender).parent}:{os.environ.get('PATH', '')}"
    return {
        **kept,
        **extra,
        "PATH": path,
        "BLENDER_USER_RESOURCES": profile,
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }


def options(out: str) -> list[str]:
    """For harness.py."""
    return ["--", "--zip", str(find_zip()), "--head", str(find_head()), "--out", out]


def run_headless(out: str, word: str) -> int:
    """cases_*.py in every Blender."""
    failed = 0
    for blender in find_blenders():
        print(f"== {blender}", flush=True)
        with tempfile.TemporaryDirectory(prefix="blendwire-profile-") as profile:
            chosen = ["-k", word] if word else []
            result = subprocess.run(
                [*command(blender, "harness.py"), *options(out), *chosen],
                env=environment(blender, profile),
                timeout=TIMEOUT,
                check=False,
            )
        failed += result.returncode != 0
    return min(failed, 1)


def run_cycles(out: str, count: int) -> int:
    """soak.py in the first Blender."""
    blender = find_blenders()[0]
    with tempfile.TemporaryDirectory(prefix="blendwire-profile-") as profile:
        result = subprocess.run(
            [*command(blender, "soak.py"), *options(out), "--times", str(count)],
            env=environment(blender, profile),
            check=False,
        )
    return int(result.returncode != 0)


def run_window(out: str) -> int:
    """window.py in the first Blender that has windows."""
    for tool in ("xvfb-run", "xdotool", "import"):
        if shutil.which(tool) is None:
            skip(
                f"{tool} is missing; "
                "`apt-get install xvfb xauth xdotool imagemagick libgl1-mesa-dri`"
            )
    programs = [b for b in find_blenders() if "python" not in pathlib.Path(b).name]
    if not programs:
        skip("PyPI's bpy has no window; name a Blender program in BLENDWIRE_BLENDERS")
    xvfb = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    with tempfile.TemporaryDirectory(prefix="blendwire-profile-") as profile:
        result = subprocess.run(
            [*xvfb, *command(programs[0], "window.py", window=True), *options(out)],
            env=environment(programs[0], profile),
            timeout=TIMEOUT,
            check=False,
        )
    return int(result.returncode != 0)


def _running(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def _start_waiting(blender: str, profile: str) -> tuple[subprocess.Popen[str], int]:
    """A Blender in the middle of a run, and its server's process id."""
    process = subprocess.Popen(
        [*command(blender, "lifetime.py"), *options("")],
        env=environment(blender, profile),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("SERVER "):
            return process, int(line.split()[1])
    raise AssertionError("Blender ended before its server ran:\n" + "".join(lines[-15:]))


def run_pictures(out: str) -> int:
    """Cuts the view and the panel out of the window test's screenshots, for the documentation."""
    for source, target in PICTURES.items():
        cut = ["-crop", "1320x877+0+28", "+repage", "-resize", "75%", "-colors", "200"]
        result = REPOSITORY / "docs" / "images" / f"blender-{target}.png"
        subprocess.run(["convert", f"{out}/{source}.png", *cut, result], check=True)
    return 0


def run_package(build: str) -> int:
    """scripts/package, where Blender and what it needs are there."""
    find_blenders()
    for tool in ("patchelf", "strip", "objdump", "ldd"):
        if shutil.which(tool) is None:
            skip(f"{tool} is missing; `apt-get install patchelf binutils`")
    made = [REPOSITORY / "scripts" / "package", "--build", build, "--output", folder_of_zips()]
    return subprocess.run(made, timeout=TIMEOUT, check=False).returncode


def _kill_and_wait(blender: subprocess.Popen[str], server: int) -> float:
    """Kills a Blender in the middle of its run; seconds until its server is gone."""
    blender.kill()
    begin = time.monotonic()
    blender.wait()
    while _running(server):
        assert time.monotonic() - begin < SERVER_GOES, "the server outlived its Blender"
        time.sleep(0.02)
    return time.monotonic() - begin


def run_lifetime() -> int:
    """Two Blenders have two servers; when one is killed, its server goes, the other stays."""
    blender = find_blenders()[0]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, first_server = _start_waiting(blender, one)
        second, second_server = _start_waiting(blender, two)
        assert first_server != second_server
        assert _running(first_server) and _running(second_server)
        seconds = _kill_and_wait(first, first_server)
        assert _running(second_server), "the other Blender's server is gone, too"
        seconds = max(seconds, _kill_and_wait(second, second_server))
    print(f"two Blenders, two servers; each gone within {seconds:.2f} s of its Blender's death")
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--blender", action="store_true")
    kind.add_argument("--window", action="store_true")
    kind.add_argument("--lifetime", action="store_true")
    kind.add_argument("--cycles", type=int, metavar="COUNT")
    kind.add_argument("--pictures", action="store_true")
    kind.add_argument("--package", metavar="BUILD")
    parser.add_argument("--out", default=str(REPOSITORY / "out" / "blender"))
    parser.add_argument("-k", default="", help="only tests with this word in their name")
    parser.add_argument("--zip", help="another one than the newest in dist/")
    parser.add_argument("--dist", help="the folder of zips instead of dist/")
    arguments = parser.parse_args()
    if arguments.dist:
        os.environ["BLENDWIRE_TEST_DIST"] = arguments.dist
    if arguments.zip:
        os.environ["BLENDWIRE_TEST_ZIP"] = arguments.zip
    if arguments.cycles:
        return run_cycles(arguments.out, arguments.cycles)
    if arguments.pictures:
        return run_pictures(arguments.out)
    if arguments.package:
        return run_package(arguments.package)
    if arguments.lifetime:
        return run_lifetime()
    return (
        run_window(arguments.out) if arguments.window else run_headless(arguments.out, arguments.k)
    )


if __name__ == "__main__":
    sys.exit(main())
