"""What the scripted upstream does for one request, and the names it knows without being told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

LONG = " ".join(
    f"Sentence {n} of a long answer about nothing in particular." for n in range(1, 201)
)
HOSTILE = (
    '<script>alert(1)</script> <img src=x onerror="alert(1)"> [link](javascript:alert(1)) '
    '![image](https://example.com/x.png) <div hx-get="/admin/">text</div>'
)

Step = bytes | float | threading.Event  # written, a pause, waited for


@dataclass(frozen=True)
class Script:
    """One answer. Counts are of deltas sent, times are seconds."""

    text: str | None = None  # None: a short text that names the model
    deltas: Sequence[str] | None = None  # exact deltas; otherwise the text goes word by word
    reasoning: str = ""
    # time
    delay: float = 0  # before the status line
    first_token_after: float = 0
    tokens_per_second: float = 0  # 0: at once
    stall_after: int | None = None  # then silence, the socket stays open
    hold_after: int | None = None  # then wait for `release()`
    # how it ends
    finish_reason: str | None = "stop"
    done: bool = True
    usage: dict[str, Any] | None = None  # None: counted; {}: none sent
    cost: float | None = None
    cut_after: int | None = None
    cut: Literal["end", "truncate", "reset"] = "truncate"  # `end` ends the body properly
    error_after: int | None = None  # an error object within the stream
    error_message: str = "The scripted upstream was told to fail."
    # an answer that is no stream
    status: int = 200
    body: str | bytes | None = None
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    # full control
    chunk: dict[str, Any] = field(default_factory=dict)  # merged into every chunk
    raw: Sequence[Step] | None = None  # body bytes, each its own write
    wire: Sequence[Step] | None = None  # the same, status line included; then closed
    keep_alive: bool = False  # after `wire` too: more requests may come on the connection
    judge: Script | None = None  # instead of this one when JSON is asked for


BUILT_IN: dict[str, Script] = {
    "good": Script(),
    "good-slow": Script(first_token_after=0.3, tokens_per_second=10),
    "good-long": Script(text=LONG, tokens_per_second=100),
    "echo": Script(text="{prompt}"),
    "markdown": Script(text="# Title\n\n- one\n- **two**\n\n```python\nprint(1)\n```\n"),
    "hostile": Script(text=HOSTILE),
    "fault-stall": Script(stall_after=3),
    "fault-silent": Script(stall_after=0),
    "fault-hold": Script(hold_after=1),
    "fault-drip": Script(text=LONG, tokens_per_second=0.2),
    "fault-cut": Script(cut_after=3),
    "fault-eof": Script(cut_after=3, cut="end"),
    "fault-reset": Script(cut_after=3, cut="reset"),
    "fault-reset-at-once": Script(cut_after=0, cut="reset"),
    "fault-in-band": Script(error_after=3),
    "fault-in-band-at-once": Script(error_after=0),
    "fault-no-done": Script(done=False),
    "fault-no-finish": Script(finish_reason=None),
    "fault-no-usage": Script(usage={}),
    "fault-length": Script(finish_reason="length"),
    "fault-filter": Script(finish_reason="content_filter"),
    "fault-empty": Script(text=""),
    "fault-empty-body": Script(body=""),
    "fault-reasoning-only": Script(text="", reasoning="Only thoughts, no answer."),
    "fault-html": Script(status=502, body="<html><h1>Bad gateway</h1>", content_type="text/html"),
    "fault-html-200": Script(body="<html><h1>Welcome</h1></html>", content_type="text/html"),
    "fault-redirect": Script(status=307, headers={"Location": "http://169.254.169.254/"}, body=""),
    "fault-huge": Script(deltas=["x" * 65536] * 1600),
}


def by_name(model: str) -> Script | None:
    """The script a model name stands for by itself, options included."""
    base, *options = model.split("--")
    script = BUILT_IN.get(base)
    if status := re.fullmatch(r"fault-(\d{3})", base):
        script = Script(status=int(status[1]))
    if options and all("=" in option for option in options):
        script = replace(script or Script(), **dict(_option(option) for option in options))
    return script


def _option(option: str) -> tuple[str, Any]:
    name, _, value = option.partition("=")
    if name not in {f.name for f in fields(Script)}:
        raise ValueError(f"a script has no field {name!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
