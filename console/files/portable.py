"""Pictures of answers in a document that is taken along, as base64, and out of one that is brought
in: there they are looked at like any that comes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ..engine.attachments import Attachment
from ..models import Call, Run
from .answered import Looked, look_at, picture_keep
from .store import read_bytes

MOST_BASE64 = 7_000_000  # characters in a document: who brings one in by a page has 10 MB
MOST = 40  # that are looked at of one that is brought in
NOT_IN_IT = "it is not in the file that was imported"


def put_in(document: Any) -> None:
    """Each once, as far as there is room."""
    left, there = MOST_BASE64, set[str]()
    for one in _pictures(document):
        data = None if one["hash"] in there else read_bytes(one["hash"])
        if data is None or (size := 4 * len(data) // 3) > left:
            continue
        left -= size
        there.add(one["hash"])
        one["data"] = base64.b64encode(data).decode()


def take_out(document: Any) -> dict[str, Looked]:
    """Hash -> what was looked at. Who is not among them is not there."""
    found: dict[str, Looked] = {}
    for one in _pictures(document):
        data = one.pop("data", None)
        if data and one["hash"] not in found and len(found) < MOST:
            found[one["hash"]] = look_at(data)
    return found


def keep_with(run: Run, looked: dict[str, Looked]) -> None:
    """What is noted of each picture is what was found here."""
    changed = []
    for call in Call.objects.filter(run=run).exclude(attachments=[]):
        call.attachments = [_noted(run, one, looked) for one in call.attachments]
        changed.append(call)
    Call.objects.bulk_update(changed, ["attachments"])


def _noted(run: Run, one: Attachment, looked: dict[str, Looked]) -> Attachment:
    if not one.get("hash"):
        return one
    known = {k: v for k, v in one.items() if k not in ("hash", "width", "height")}
    found = looked.get(one["hash"])
    return known | (picture_keep(run.pk, found) if found else {"why": NOT_IN_IT})


def _pictures(document: Any) -> Iterator[Attachment]:
    for run in document.runs:
        for call in run.calls:
            yield from (one for one in call.attachments if one.get("hash"))
