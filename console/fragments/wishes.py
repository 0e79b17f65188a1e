"""What a reader asked of a fusion, in the words of its head."""

from __future__ import annotations

from ..engine.state import FusionState
from . import figures


def wished(fusion: FusionState | None) -> str:
    """`with 2 rulings and 1 fact`, or what else there was; "" where nothing was asked."""
    if fusion is None or not fusion.wish:
        return ""
    wish = fusion.wish
    counted = [
        figures.count_of(len(wish[many]), one)
        for many, one in (("rulings", "ruling"), ("facts", "fact"))
        if wish.get(many)
    ]
    counted += ["an instruction"] if wish.get("instruction") else []
    if not counted or fusion.way != "fuse":
        return ""
    *most, last = counted
    return f"with {', '.join(most)} and {last}" if most else f"with {last}"
