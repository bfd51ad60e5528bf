#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies the client library, the server and every library that they need into one folder, so that
they run where none of these libraries is installed.

    packaging/bundle_native.py --client build/lib/libblendwire_client.so.1 \\
        --server build/bin/blendwire-server --output stage

Result: OUTPUT/lib/libblendwire_client.so.1, OUTPUT/bin/blendwire-server, OUTPUT/libraries/*.so*,
which are to lie in one folder in the end: each is told to look for the others beside itself
(DT_RPATH $ORIGIN, which LD_LIBRARY_PATH cannot override). What every Linux desktop has (the C and
C++ run-time libraries) stays out; the C library's oldest version that is good enough is printed as
the platform tag of a wheel. Statically linked input is fine: then there is nothing to copy.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import subprocess

# The C and C++ run-time libraries, as in the manylinux policies.
_OF_THE_SYSTEM = re.compile(
    r"^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|resolv|util|gcc_s|stdc\+\+))[.-]"
)


def run(*command: object) -> str:
    """The program's output; a failure ends the script."""
    result = subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True
    )
    return result.stdout


def needed_libraries(*files: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every library that is loaded with them, by the name it is asked for."""
    found: dict[str, pathlib.Path] = {}
    for file in files:
        for line in run("ldd", file).splitlines():
            name, arrow, rest = line.strip().partition(" => ")
            if "not found" in rest:
                raise SystemExit(f"{file} needs {name}, which is not installed")
            if arrow and not _OF_THE_SYSTEM.match(name):
                found[name] = pathlib.Path(rest.rsplit(" (", 1)[0]).resolve()
    return found


def copy_native(source: pathlib.Path, target: pathlib.Path) -> None:
    """Without debug symbols, looking for libraries beside itself."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    run("strip", "--strip-unneeded", target)
    run("patchelf", "--force-rpath", "--set-rpath", "$ORIGIN", target)


def glibc_version(files: list[pathlib.Path]) -> tuple[int, int]:
    """The newest version of the C library that any of them asks for."""
    versions = {(2, 17)}
    for file in files:
        for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", run("objdump", "-T", file)):
            versions.add((int(major), int(minor)))
    return max(versions)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--client", type=pathlib.Path, required=True, help="the client library")
    parser.add_argument("--server", type=pathlib.Path, required=True, help="the server")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a new folder")
    return parser.parse_args()


def main() -> None:
    """Fills the folder and prints the platform tag."""
    arguments = parse_arguments()
    output: pathlib.Path = arguments.output
    copies = {
        output / "lib" / "libblendwire_client.so.1": arguments.client.resolve(),
        output / "bin" / "blendwire-server": arguments.server.resolve(),
    }
    for name, path in needed_libraries(*copies.values()).items():
        copies[output / "libraries" / name] = path
    for target, source in copies.items():
        copy_native(source, target)
    major, minor = glibc_version(list(copies))
    print(f"manylinux_{major}_{minor}_x86_64")


if __name__ == "__main__":
    main()
