"""What came beside an answer's text, in words: pictures, sound, files.

An *attachment* is a dict: `type` (`image/png`; of some only `image` is known), `bytes`
where they are known, and `url` where it was sent by its address. What it holds is kept
nowhere: it is said that it was there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Attachment = dict[str, Any]

KINDS = {"image": "picture", "audio": "recording", "video": "video"}
_SHORT = {"jpeg": "JPEG", "svg+xml": "SVG", "x-icon": "ICO", "mpeg": "MP3"}


def described(type: str, size: int | None) -> str:
    """ "picture: PNG, 180 kB" """
    kind, details = _kind(type), _details(type, size)
    return f"{kind}: {details}" if details else kind


def listed(attachments: Iterable[Attachment]) -> str:
    """ "2 pictures (PNG, 180 kB; JPEG, 1.2 MB) and a recording (WAV)" """
    by_kind: dict[str, list[str]] = {}
    for one in attachments:
        type = one.get("type", "")
        by_kind.setdefault(_kind(type), []).append(_details(type, one.get("bytes")))
    groups = []
    for kind, all_details in by_kind.items():
        count = f"a {kind}" if len(all_details) == 1 else f"{len(all_details)} {kind}s"
        details = "; ".join(filter(None, all_details))
        groups.append(f"{count} ({details})" if details else count)
    return " and ".join(groups)


def amount(size: int) -> str:
    """ "180 kB" """
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    return f"{size / 1000:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"


def _kind(type: str) -> str:
    return KINDS.get(type.partition("/")[0], "file")


def _details(type: str, size: int | None) -> str:
    name = type.partition("/")[2]
    short = _SHORT.get(name, name.removeprefix("x-").upper())
    return ", ".join(filter(None, [short, "" if size is None else amount(size)]))
