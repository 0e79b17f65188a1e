"""All scenarios of one seat, and the transports they run on."""

from __future__ import annotations

import os
from typing import Any

import pytest

from . import answers, bodies, connection, pictures, refusals, streams, thoughts
from .scenario import Scenario

LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
DEFAULT, STOCK = "aiohttp", "httpx"

TABLE = [
    *connection.TABLE,
    *refusals.TABLE,
    *bodies.TABLE,
    *streams.TABLE,
    *answers.TABLE,
    *thoughts.TABLE,
    *pictures.TABLE,
]


def on_both_transports(table: list[Scenario]) -> list[Any]:
    """All on the transport in use; on the stock one the usual, or all with FUSION_LONG_TESTS=1."""
    wanted = [(s, DEFAULT) for s in table if LONG or not s.long]
    wanted += [(s, STOCK) for s in table if LONG or s.usual]
    return [
        pytest.param(scenario, transport, scenario.uses, id=f"{scenario}-{transport}")
        for scenario, transport in wanted
    ]
