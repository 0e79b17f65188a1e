"""Where files are: under `FUSION_FILES_DIR`, each once, by the hash of what is in it.

Web and worker see one folder. A file is written beside its place and moved there whole, so
nobody finds half of one. Its text and its thumbnail stand beside it, made from it and as good
as lost: they are made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from ..models import File
from .kinds import type_of
from .refused import FileRefused

log = logging.getLogger(__name__)

# What no run and no project uses is taken away after so long: somebody may still be writing the
# prompt.
UNUSED_FOR = timedelta(hours=24)
AT_A_TIME = 200


def path_of(hash: str, kind: str = "bytes") -> Path:
    """`kind`: `bytes`, `text` (of what was read, as JSON), `thumbnail`, or `reduced`, which
    is a large picture as models are sent it, or `pages`, pictures of a PDF's (as JSON)."""
    return Path(settings.FILES_DIR) / hash[:2] / f"{hash}.{kind}"


def keep(data: bytes | Iterable[bytes], name: str) -> File:
    """The file of these bytes, there once however often it is brought. Raises FileRefused."""
    pieces = [data] if isinstance(data, bytes) else data
    try:
        hash, type, size = _place(pieces, name)
    except OSError as error:
        log.error("a file could not be kept in %s: %s", settings.FILES_DIR, error)
        raise FileRefused(
            f"“{name}” cannot be kept: files have no room here at present. Tell an admin."
        ) from None
    # As one that is there already, it is not taken away for a while.
    File.objects.filter(pk=hash).update(touched_at=timezone.now())
    file, _ = File.objects.get_or_create(hash=hash, defaults={"type": type, "size": size})
    return file


def _place(pieces: Iterable[bytes], name: str) -> tuple[str, str, int]:
    folder = Path(settings.FILES_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{secrets.token_hex(12)}"
    try:
        hash, size = _write(draft, pieces, name)
        type = type_of(draft, name)
        place = path_of(hash)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        draft.replace(place)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return hash, type, size


def _write(draft: Path, pieces: Iterable[bytes], name: str) -> tuple[str, int]:
    digest, size, most = hashlib.sha256(), 0, settings.FILE_BYTES
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for piece in pieces:
            size += len(piece)
            if size > most:
                raise FileRefused(too_large(name))
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest(), size


def too_large(name: str) -> str:
    return f"“{name}” is too large: a file may have {settings.FILE_BYTES / 1e6:,.0f} MB."


def read_bytes(hash: str, kind: str = "bytes") -> bytes | None:
    """None where it is not there: the folder was lost, or is another one."""
    try:
        return path_of(hash, kind).read_bytes()
    except OSError:
        return None


def remove_unused(*, now: bool = False) -> int:
    """Takes away the files that no run and no project uses; `now`: also those that came
    lately. How many. Bytes go once their row is gone, so that no run is left with a row alone."""
    unused = File.objects.filter(uses=None, project_uses=None, answers=None)
    if not now:
        unused = unused.filter(touched_at__lt=timezone.now() - UNUSED_FOR)
    removed = 0
    for hash in unused.values_list("pk", flat=True)[:AT_A_TIME]:
        try:
            with transaction.atomic():
                gone, _ = unused.filter(pk=hash).delete()
        except ProtectedError:
            continue  # a run began to use it meanwhile
        if gone and not File.objects.filter(pk=hash).exists():  # or it was brought again
            _unlink(hash)
            removed += 1
    return removed


def _unlink(hash: str) -> None:
    for kind in ("text", "thumbnail", "reduced", "pages", "bytes"):
        with contextlib.suppress(OSError):
            path_of(hash, kind).unlink(missing_ok=True)
