# SPDX-License-Identifier: GPL-3.0-or-later
"""How operators tell what happened: in the panel, and to scripts."""

from __future__ import annotations

from typing import Any

import bpy

from ..core.messages import ERROR, Message
from ..host.session import session


def tr(text: str) -> str:
    """The text in the language of Blender's interface."""
    return bpy.app.translations.pgettext_iface(text)


def show(operator: Any, message: Message) -> set[str]:
    """In the panel, and for scripts as the operator's report.

    An ERROR raises RuntimeError in scripts, which must notice. Where a button was pressed it would
    open a popup over the panel that says the same.
    """
    session().messages.append(message)
    pressed = operator.options.is_invoke
    kind = "ERROR" if message.severity == ERROR and not pressed else "WARNING"
    operator.report({kind}, f"{message.text(tr)}. {message.cure(tr)}")
    return {"CANCELLED"}
