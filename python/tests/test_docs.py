# SPDX-License-Identifier: Apache-2.0
"""The documentation's code: Python is run; C and C++ must stand in an example, which is run."""

from __future__ import annotations

import pathlib
import re
import textwrap

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.S | re.M)


def test_python_blocks_run(
    monkeypatch: pytest.MonkeyPatch, fake_program: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In order, as one program."""
    monkeypatch.setenv("BLENDWIRE_SERVER", str(fake_program))
    found = blocks("client-python.md", "python")
    assert len(found) >= 10
    names: dict[str, object] = {"__name__": "docs"}
    header = "from __future__ import annotations\n"
    for block in found:
        exec(compile(header + block, "docs/client-python.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "100% Batch prediction complete" in printed
    assert "INVALID_ARGUMENT - triangles has index -5" in printed


@pytest.mark.parametrize(
    ("page", "language", "folder"), [("client-cpp.md", "cpp", "cpp"), ("c-api.md", "c", "c")]
)
def test_other_blocks_are_in_an_example(page: str, language: str, folder: str) -> None:
    def lines(text: str) -> str:
        return "\n".join(line.strip() for line in textwrap.dedent(text).strip().splitlines())

    examples = [lines(p.read_text()) for p in sorted((REPOSITORY / "examples" / folder).iterdir())]
    found = blocks(page, language)
    assert len(found) >= 4
    for block in found:
        assert any(lines(block) in example for example in examples), block
