"""The files that a run was asked about, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from ..files.attached import described
from ..files.delivery import has_files
from ..files.kinds import is_picture
from ..models import File, Run


@dataclass(frozen=True)
class FileShown:
    number: int
    name: str
    in_words: str
    has_thumbnail: bool
    is_earlier: bool


def has_thumbnail(file: File) -> bool:
    return is_picture(file.type) or bool(file.read.get("has_thumbnail"))


def files_of(run: Run) -> list[FileShown]:
    """Asks the database only where there may be some."""
    if not getattr(run, "holds_files", run.follows_id or has_files(run.messages)):
        return []
    return [
        FileShown(
            number=row.number,
            name=row.name,
            in_words=described(row.file.type, row.file.read),
            has_thumbnail=has_thumbnail(row.file),
            is_earlier=row.is_earlier,
        )
        for row in run.files.select_related("file")
    ]
