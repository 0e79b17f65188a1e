"""The files that a run was asked about, as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..engine.attachments import amount
from ..engine.given_files import by_how
from ..engine.state import RunState
from ..files.attached import described
from ..files.kinds import is_picture
from ..models import File, Run
from ..record.with_run import files_with
from .seats import SeatView


@dataclass(frozen=True)
class GivenHow:
    """ "as it is", and to whom."""

    how: str
    seats: Sequence[SeatView]


@dataclass(frozen=True)
class FileShown:
    number: int
    name: str
    in_words: str
    size: str
    has_thumbnail: bool
    is_earlier: bool
    given: Sequence[GivenHow]


def has_thumbnail(file: File) -> bool:
    return is_picture(file.type) or bool(file.read.get("has_thumbnail"))


def files_of(run: Run, state: RunState, columns: Sequence[SeatView]) -> list[FileShown]:
    """Asks the database only where there may be some."""
    return [
        FileShown(
            number=one.row.number,
            name=one.row.name,
            in_words=described(one.row.file.type, one.row.file.read),
            size=amount(one.row.file.size),
            has_thumbnail=has_thumbnail(one.row.file),
            is_earlier=one.row.is_earlier,
            given=[
                GivenHow(how, [columns[seat] for seat in seats])
                for how, seats in by_how(one.given).items()
            ],
        )
        for one in files_with(run, state)
    ]
