"""The files that went with a run, and how each seat was given them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import models
from ..engine.given_files import Told, of_files
from ..engine.state import RunState, Step


@dataclass(frozen=True)
class FileWithRun:
    """`given`: what is told of it by each seat that was asked, the last time."""

    row: models.RunFile
    given: dict[int, Told]


def holds_files(run: models.Run) -> bool:
    """Whether files may go with it, without asking the database."""
    known = getattr(run, "holds_files", None)
    if known is not None:
        return bool(known)
    parts = (m.get("content") for m in run.messages)
    named = (one.get("type") == "file" for p in parts if isinstance(p, list) for one in p)
    return run.follows_id is not None or any(named)


def files_with(run: models.Run, state: RunState) -> list[FileWithRun]:
    if not holds_files(run):
        return []
    return with_told(list(run.files.select_related("file")), state)


def with_told(rows: Sequence[models.RunFile], state: RunState) -> list[FileWithRun]:
    files = [(row.name, row.file.type) for row in rows]
    return [*map(FileWithRun, rows, of_files(files, _told(state)))]


def _told(state: RunState) -> dict[int, list[Told]]:
    """By the last call of each seat that tells of any."""
    calls = (c for c in state.calls.values() if c.step is Step.PANEL)
    return {c.seat: c.files for c in calls if c.seat is not None and c.files}
