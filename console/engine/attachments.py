"""What came beside an answer's text, in words: pictures, sound, files.

An *attachment* is a dict: `type` (`image/png`; of some only `image` is known), `bytes`
where they are known, and `url` where it was sent by its address. A picture that is kept has the
`hash` of what is in it, its `width` and `height`, and `alt` where it was called something. Of
all else it is said that it was there, and `why` a picture is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Attachment = dict[str, Any]

# Of pictures that come with an answer: what one may have, all of them together, and how many.
PICTURE_BYTES, PICTURES_BYTES, PICTURES = 5_000_000, 12_000_000, 8
TOO_LARGE = "larger than 5 MB"
TOO_MANY = "more came than is kept of an answer"


@dataclass(frozen=True)
class Picture:
    """What a provider sent in the place of the attachment that stands at `place`."""

    place: int
    base64: str = field(repr=False)


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


def kept(attachments: Iterable[Attachment]) -> list[Attachment]:
    return [one for one in attachments if one.get("hash")]


def alt_of(attachment: Attachment) -> str:
    """What is said of a picture to who does not see it: its model's words, or what it is."""
    return attachment.get("alt") or described(attachment["type"], attachment.get("bytes"))


def not_kept(attachments: Iterable[Attachment]) -> str:
    """ "a picture (SVG, 2 kB), not kept: it is of another kind than PNG …"; "" of none."""
    lost = [one for one in attachments if not one.get("hash")]
    if not lost:
        return ""
    why = "; ".join(dict.fromkeys(one["why"] for one in lost if one.get("why")))
    return f"{listed(lost)}, not kept" + (f": {why}" if why else "")


def marked(attachments: Iterable[Attachment]) -> str:
    """The text of an answer that is pictures and nothing else."""
    return "\n\n".join(f"[{described(one['type'], one.get('bytes'))}]" for one in kept(attachments))


def beside(text: str, attachments: Iterable[Attachment]) -> str:
    """The text for who sees no pictures: that there were some."""
    found = kept(attachments)
    if not found or text.strip() == marked(found):
        return text
    return f"{text.rstrip()}\n\n[With it came {listed(found)}.]"


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
