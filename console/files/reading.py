"""A file read in a process of its own, which is killed where it takes too long or too much.

What it finds is kept beside the file: how many pages, how large, why it cannot be read stand in the
row; the text and the thumbnail in files of their own, made again where they are lost. A PDF's pages
are drawn by another process, so that what cannot be drawn can be read all the same.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from ..models import File
from .kinds import PDF
from .store import path_of

log = logging.getLogger(__name__)

# Isolated: nothing of the environment or of the folder it is started in is imported.
PROGRAM = f"""import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from console.files.foreign.main import main
main()
"""
MEGABYTES = 800
ANSWER = 40_000_000  # bytes of what it may answer with
# Of a process of ours, at a time: each may take a core and that much memory.
_at_a_time = threading.BoundedSemaphore(2)
# A page as models are sent it, of how many at most; and the first one, for people.
PAGE_EDGE, PAGES_DRAWN, SMALL_EDGE = 1568, 20, 320
_TOLD = (
    "pages",
    "sheets",
    "slides",
    "lines",
    "width",
    "height",
    "reduced_to",
    "is_cut",
    "unread",
    "wordless",
)


@dataclass(frozen=True)
class ReadPart:
    """A page, a sheet's rows, a slide, some lines."""

    name: str
    text: str


def read(file: File) -> File:
    """With what is known of it; read once, and again where a file of what was found is lost."""
    if file.read and (file.read.get("error") or path_of(file.hash, "text").exists()):
        return file
    found = _found(file)
    told, parts = _told(found, file.type), found.get("parts") or []
    try:
        _keep_pictures(file.hash, found)
        if file.type == PDF and not told.get("error") and (drawn := _drawn(file, SMALL_EDGE, 1)):
            _write(path_of(file.hash, "thumbnail"), base64.b64decode(drawn[0]))
            told["has_thumbnail"] = True
        _write(path_of(file.hash, "text"), json.dumps(parts).encode())
    except (OSError, binascii.Error) as error:
        log.warning("what was read of a file could not be kept: %s", error)
    file.read = told
    File.objects.filter(pk=file.pk).update(read=told)
    return file


def read_picture(type: str, data: bytes) -> dict[str, Any]:
    """What is found in bytes that are not kept yet; `error` where they are no whole picture."""
    return _answer(type, [], input=data)


def read_before(file: File, found: dict[str, Any]) -> None:
    """`read` of a picture that was looked at by its bytes."""
    try:
        _keep_pictures(file.hash, found)
        _write(path_of(file.hash, "text"), b"[]")
    except (OSError, binascii.Error) as error:
        log.warning("what was read of a picture could not be kept: %s", error)
    file.read = _told(found, file.type)
    File.objects.filter(pk=file.pk).update(read=file.read)


def _told(found: dict[str, Any], type: str) -> dict[str, Any]:
    """As its row has it."""
    told = {key: found[key] for key in _TOLD if found.get(key)}
    if error := found.get("error"):
        told["error"] = error
        if why := found.get("why"):
            log.info("a file of type %s could not be read: %s", type, why)
    told["characters"] = sum(len(part["text"]) for part in found.get("parts") or [])
    return told


def _keep_pictures(hash: str, found: dict[str, Any]) -> None:
    for kind in ("thumbnail", "reduced"):
        if picture := found.get(kind):
            _write(path_of(hash, kind), base64.b64decode(picture))


def parts_of(hash: str) -> list[ReadPart]:
    """What was read of it; nothing where that is lost."""
    try:
        parts = json.loads(path_of(hash, "text").read_bytes())
        return [ReadPart(part["name"], part["text"]) for part in parts]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def pages_of(hash: str) -> list[bytes]:
    """Pictures (JPEG) of the first pages of a PDF, drawn once; b"" where one cannot be drawn."""
    path = path_of(hash, "pages")
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        kept = _drawn(File(hash=hash, type=PDF), PAGE_EDGE, PAGES_DRAWN)
        try:
            _write(path, json.dumps(kept).encode())
        except OSError as error:
            log.warning("pages of a file could not be kept: %s", error)
    return [base64.b64decode(page) for page in kept]


def _drawn(file: File, edge: int, count: int) -> list[str]:
    """In base64; nothing where not even the first one can be drawn."""
    drawn = _found(file, str(edge), str(count)).get("pictures") or []
    return drawn if any(drawn[:1]) or count > 1 else []


def _found(file: File, *drawn: str) -> dict[str, Any]:
    try:
        with path_of(file.hash).open("rb") as data:
            return _answer(file.type, drawn, stdin=data)
    except OSError:
        return {"error": "is not there any more"}


def _answer(type: str, drawn: Sequence[str], **given: Any) -> dict[str, Any]:
    limits = [str(MEGABYTES), str(settings.FILE_SECONDS)]
    command = [sys.executable, "-I", "-B", "-c", PROGRAM, type, *limits, *drawn]
    try:
        with _at_a_time:
            done = subprocess.run(
                command,
                **given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=settings.FILE_SECONDS * 1.5,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
                check=False,
            )
    except subprocess.TimeoutExpired:
        return {"error": "takes too long to be read"}
    if done.returncode < 0:
        return {"error": "takes more time or memory to be read than there is for a file"}
    try:
        found = json.loads(done.stdout) if len(done.stdout) <= ANSWER else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"error": "is broken and cannot be read"}


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    draft.write_bytes(data)
    draft.replace(path)
