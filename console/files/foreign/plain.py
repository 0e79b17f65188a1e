from __future__ import annotations

from typing import Any

from .limits import Parts, blocks


def read(data: bytes) -> dict[str, Any]:
    parts = Parts()
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    blocks(parts, text)
    return parts.found(lines=text.count("\n") + 1)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
