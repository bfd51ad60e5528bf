# SPDX-License-Identifier: Apache-2.0
"""Calls a server from Python and prints one line of JSON:

python bench/callers/main.py blendwire|reference|kserve --address ... --mesh ...
"""

from __future__ import annotations

import importlib
import json

import settings
from measure import measure


def main() -> None:
    told = settings.parse(__doc__ or "")
    caller = importlib.import_module(f"call_{told.caller}")
    call = caller.make(told, settings.Meshes(told))
    print(
        json.dumps(
            measure(
                call,
                threads=told.clients,
                seconds=told.seconds,
                at_least=told.at_least,
                warm_up=told.warm_up,
            )
        )
    )


if __name__ == "__main__":
    main()
