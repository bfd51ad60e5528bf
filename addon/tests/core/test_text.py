# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines fit, and nothing is lost."""

from __future__ import annotations

import pytest
from core.text import width_of, wrap


@pytest.mark.parametrize(
    "text",
    [
        "The server stopped: it ended with signal 9; start it again",
        "サーバーが停止しました: the server ended with signal 9。もう一度起動してください",
        "서버가 멈췄습니다: the server ended with signal 9",
        "服务器已停止：/home/somebody/a/very/long/path/without/any/space/in/it.blend",
        "",
    ],
)
def test_lines_fit_and_nothing_is_lost(text: str) -> None:
    lines = wrap(text, 20)
    assert all(width_of(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line[0] in "、。:" for line in lines)


def test_words_stay_whole() -> None:
    assert wrap("one two three four", 9) == ["one two", "three", "four"]


def test_width_is_measured_as_told() -> None:
    assert wrap("iiii mm iii", 4, lambda line: 2 * line.count("m") + line.count("i")) == [
        "iiii",
        "mm",
        "iii",
    ]
    assert wrap("mmmmm", 5, lambda line: 2 * len(line)) == ["mm", "mm", "m"]


def test_wide_characters_count_twice() -> None:
    assert wrap("あいうえお", 6) == ["あいう", "えお"]
