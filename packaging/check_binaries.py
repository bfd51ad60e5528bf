#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into what was built for another system, and fails if it would not run there:

    packaging/check_binaries.py windows-x64 build/dist-windows-x64

The client library shows its API and nothing else; nothing but the system's own libraries and ONNX
Runtime's is needed; no symbol is newer than the oldest system that is promised.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import subprocess
import sys

from components import REPOSITORY, SOURCES

# Part of every Windows 10.
_OF_WINDOWS = re.compile(
    r"(?i)^(kernel32|ntdll|advapi32|ws2_32|bcrypt|bcryptprimitives|iphlpapi|dbghelp|crypt32|shell32"
    r"|user32|ole32|api-ms-win-[a-z0-9-]+)\.dll$"
)
_OF_LINUX = re.compile(r"^(ld-linux-x86-64|lib(c|m|dl|rt|pthread))\.so\.\d+$")
# "[   0] name", or in newer versions of objdump "[   0] +base[   1]  0000 name".
_EXPORT = re.compile(r"^\s*\[\s*\d+\](?: \+base\[\s*\d+\]\s+[0-9a-f]{4,})? ([A-Za-z_]\w*)$", re.M)
# What zig's linker shows of itself in every library for macOS, where names of different libraries do
# not clash.
_OF_ZIG = {"__dso_handle", "_mh_dylib_header"}
_OLDEST_GLIBC = (2, 28)
_OLDEST_MACOS = (13, 0)


class Problems(Exception):
    """What is wrong, one line each."""


def run(*command: object) -> str:
    """The program's output; a failure ends the script."""
    result = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
    return result.stdout


def declared_functions() -> set[str]:
    """What the header promises."""
    header = (REPOSITORY / "src" / "capi" / "blendwire.h").read_text(encoding="utf-8")
    names = set(re.findall(r"BLENDWIRE_API [^;(]*[ *\n](blendwire_[a-z0-9_]+)\(", header))
    assert len(names) > 50, len(names)
    return names


def check_exports(file: pathlib.Path, shown: set[str]) -> list[str]:
    """Neither more nor less than the header."""
    declared = declared_functions()
    return [f"{file.name} does not show {name}" for name in sorted(declared - shown)] + [
        f"{file.name} shows {name}" for name in sorted(shown - declared)
    ]


def check_needed(file: pathlib.Path, needed: set[str], pattern: re.Pattern[str], more: str) -> list[str]:
    """Only the system's libraries and `more`."""
    return [
        f"{file.name} needs {name}"
        for name in sorted(needed)
        if not pattern.match(name) and name != more
    ]


def check_windows(build: pathlib.Path) -> list[str]:
    """PE files: imports and exports, as objdump lists them."""
    problems = []
    for name in ("blendwire-server.exe", "blendwire.exe", "blendwire_client.dll"):
        file = build / "bin" / name
        listing = run("objdump", "-p", file)
        needed = set(re.findall(r"DLL Name: (\S+)", listing))
        more = "onnxruntime.dll" if name == "blendwire-server.exe" else ""
        problems += check_needed(file, needed, _OF_WINDOWS, more)
        if name.endswith(".dll"):
            shown = set(_EXPORT.findall(listing))
            problems += check_exports(file, shown)
    return problems


def check_linux(build: pathlib.Path) -> list[str]:
    """ELF files: needed libraries, versions of glibc's symbols, dynamic symbols."""
    problems = []
    for path in ("bin/blendwire-server", "bin/blendwire", "lib/libblendwire_client.so.1"):
        file = build / path
        needed = set(re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", file)))
        more = "libonnxruntime.so.1" if path == "bin/blendwire-server" else ""
        problems += check_needed(file, needed, _OF_LINUX, more)
        symbols = run("objdump", "-T", file)
        for version in sorted(set(re.findall(r"GLIBC_(\d+\.\d+)", symbols))):
            if tuple(map(int, version.split("."))) > _OLDEST_GLIBC:
                problems.append(f"{file.name} needs GLIBC_{version}")
        if ".so" in file.name:
            defined = (line.split() for line in symbols.splitlines() if " g " in line)
            shown = {w[-1] for w in defined if "*UND*" not in w and "*ABS*" not in w}
            problems += check_exports(file, shown)
    return problems


def check_macos(build: pathlib.Path) -> list[str]:
    """Mach-O files: load commands and symbol table."""
    sys.path[:0] = [str(SOURCES / "macholib"), str(SOURCES / "altgraph")]
    from macholib import mach_o
    from macholib.MachO import MachO
    from macholib.SymbolTable import SymbolTable

    problems = []
    for path in ("bin/blendwire-server", "bin/blendwire", "lib/libblendwire_client.1.dylib"):
        file = (build / path).resolve()
        (header,) = MachO(str(file)).headers
        if header.header.cputype != 0x0100000C:
            problems.append(f"{file.name} is not for arm64")
        needed, rpaths, commands = set(), set(), set()
        for command, detail, data in header.commands:
            commands.add(command.cmd)
            text = data.rstrip(b"\0").decode(errors="replace") if isinstance(data, bytes) else ""
            if command.cmd == mach_o.LC_LOAD_DYLIB:
                needed.add(text)
            elif command.cmd == mach_o.LC_RPATH:
                rpaths.add(text)
            elif command.cmd == mach_o.LC_BUILD_VERSION:
                oldest = (detail.minos >> 16, detail.minos >> 8 & 0xFF)
                if oldest != _OLDEST_MACOS:
                    problems.append(f"{file.name} is for macOS {oldest}")
            elif command.cmd == mach_o.LC_ID_DYLIB and text != f"@rpath/{pathlib.Path(path).name}":
                problems.append(f"{file.name} calls itself {text}")
        if mach_o.LC_BUILD_VERSION not in commands:
            problems.append(f"{file.name} does not say which macOS it is for")
        if mach_o.LC_CODE_SIGNATURE not in commands:
            problems.append(f"{file.name} has no signature, which arm64 demands")
        server = path == "bin/blendwire-server"
        more = "@rpath/libonnxruntime.1.dylib" if server else ""
        problems += check_needed(file, needed, re.compile(r"^/usr/lib/libSystem\.B\.dylib$"), more)
        if server and "@loader_path" not in rpaths:
            problems.append(f"{file.name} does not look for libraries beside itself")
        if path.endswith(".dylib"):
            table = SymbolTable(MachO(str(file)), header)
            shown = {name.decode().removeprefix("_") for _, name in table.extdefsyms}
            problems += check_exports(file, shown - _OF_ZIG)
    return problems


CHECKS = {"windows-x64": check_windows, "linux-x64": check_linux, "macos-arm64": check_macos}


def check(target: str, build: pathlib.Path) -> None:
    """Raises Problems."""
    problems = CHECKS[target](build)
    if problems:
        raise Problems("\n".join(problems))


def main() -> None:
    """Checks, and says how many functions the library shows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", choices=sorted(CHECKS))
    parser.add_argument("build", type=pathlib.Path, help="build/dist-TARGET")
    arguments = parser.parse_args()
    try:
        check(arguments.target, arguments.build)
    except Problems as problems:
        sys.exit(str(problems))
    print(f"{arguments.target}: {len(declared_functions())} functions shown, nothing else; all is well")


if __name__ == "__main__":
    main()
