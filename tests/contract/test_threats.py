# SPDX-License-Identifier: Apache-2.0
"""Every test that docs/security.md and docs/reliability.md name is there."""

from __future__ import annotations

import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("", "tests/integration/", "tests/fuzz/")


def sources() -> str:
    """The text of all tests."""
    files = [*REPOSITORY.glob("tests/**/test_*.py"), *REPOSITORY.glob("src/**/*_test.cc")]
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize("document", ["security.md", "reliability.md"])
def test_what_is_named_exists(document: str) -> None:
    text = (REPOSITORY / "docs" / document).read_text()
    files = set(re.findall(r"`((?:[\w/]+/)?(?:test_\w+\.py|fuzz_\w+\.cc|\w+_test\.cc))`", text))
    assert files
    for name in files:
        assert any((REPOSITORY / folder / name).is_file() for folder in FOLDERS), name
    tests = set(re.findall(r"`(test_\w+|[A-Z]\w+[a-z][A-Z]\w+)`", text))
    assert tests
    code = sources()
    for name in tests:
        assert re.search(rf"(def |, ){name}[(,)]", code), name
    rows = [line for line in text.splitlines() if line.startswith("| a")]
    if document == "security.md":
        assert len(rows) > 15
        for row in rows:
            assert re.search(r"test|fuzz", row.split("|")[4]), row
