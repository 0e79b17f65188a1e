"""A file as a run has it, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..models import RunFile
from .kinds import WORDS

LOST = "it is not there any more"


@dataclass(frozen=True)
class Attached:
    hash: str
    name: str
    type: str
    read: dict[str, Any]
    as_text: frozenset[int] = frozenset()  # seats that are given its text by choice

    @property
    def described(self) -> str:
        """ "PDF, 12 pages" """
        return described(self.type, self.read)

    @property
    def in_words(self) -> str:
        """ "“report.pdf” (PDF, 12 pages)" """
        return f"“{self.name}” ({self.described})"


def described(type: str, read: Mapping[str, Any]) -> str:
    words = [WORDS.get(type, "file")]
    if read.get("width"):
        words.append(f"{read['width']} × {read['height']}")
    for what in ("page", "sheet", "slide"):
        if count := read.get(f"{what}s"):
            words.append(f"{count:,} {what}{'' if count == 1 else 's'}")
    return ", ".join(words)


def attached_to(run_id: UUID) -> dict[str, Attached]:
    """Hash -> file, also those of the conversation before."""
    rows = RunFile.objects.filter(run=run_id).select_related("file")
    return {
        row.file_id: Attached(
            row.file_id, row.name, row.file.type, row.file.read, frozenset(row.as_text)
        )
        for row in rows
    }
