"""Files that go with a question: brought, read, and bound to its run.

What somebody has brought is named by a signed ticket: who knows a file's hash has not brought
it, and gets at nothing by naming it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing

from ..engine.calls.limits import CHARACTERS_PER_TOKEN
from ..engine.content import Content, FilePart
from ..engine.spec import Spec, letter
from ..engine.text import storable
from ..files.attached import described
from ..files.delivery import A_PICTURE
from ..files.inputs import Inputs, can_see, can_take_some, inputs_of
from ..files.kinds import has_to_be_seen, is_picture
from ..files.reading import PAGES_DRAWN, parts_of, read
from ..files.refused import FileRefused
from ..files.store import keep, too_large
from ..files.unasked import brought_by, must_have_room
from ..models import File, Run, RunFile
from ..record.asked import about
from .errors import Refused

SALT = "console.files"
TICKET_SECONDS = 24 * 3600
MAX_NAME = 200
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, eq=False)
class ToAttach:
    """`hash` is a file that is kept and has been read."""

    hash: str
    name: str
    type: str
    size: int
    read: dict[str, Any]
    # Seats that are given its text, whatever they take.
    as_text: frozenset[int] = frozenset()

    @property
    def in_words(self) -> str:
        return described(self.type, self.read)

    @property
    def has_thumbnail(self) -> bool:
        return is_picture(self.type) or bool(self.read.get("has_thumbnail"))

    @property
    def has_to_be_seen(self) -> bool:
        return has_to_be_seen(self.type, self.read)

    def can_be_taken(self, inputs: Inputs) -> bool:
        """In whatever way, by whom takes these."""
        return can_take_some(self.type, self.read, inputs)

    @property
    def part(self) -> FilePart:
        return {"type": "file", "hash": self.hash}


def file_bring(*, name: str, data: bytes | Iterable[bytes], by: User | None = None) -> ToAttach:
    """Kept and read. Raises Refused, with a sentence that names the file. `by` nobody in
    particular: who has the shell."""
    name = clean_name(name)
    try:
        must_have_room(by)
        file = keep(data, name)
        brought_by(by, file)
        file = read(file)
    except FileRefused as refused:
        raise Refused(str(refused)) from None
    if error := file.read.get("error"):
        raise Refused(f"“{name}” {error}.")
    return _of(file, name)


def _of(file: File, name: str) -> ToAttach:
    return ToAttach(file.hash, name, file.type, file.size, file.read)


def refuse_size(name: str) -> Refused:
    return Refused(too_large(clean_name(name)))


def clean_name(name: str) -> str:
    """One line, without what turns it round, or the folders it was in."""
    line = " ".join(_TURNS.sub("", storable(re.split(r"[/\\]", name)[-1])).split())
    if len(line) > MAX_NAME:
        begin, dot, ending = line.rpartition(".")
        keep_ending = f"{dot}{ending}" if begin and len(ending) < 10 else ""
        line = line[: MAX_NAME - len(keep_ending) - 1] + "…" + keep_ending
    return line or "file"


def ticket_of(file: ToAttach, owner: User) -> str:
    return signing.dumps([file.hash, file.name, owner.pk], salt=SALT, compress=True)


def tickets_of(*, run: Run, owner: User) -> dict[str, str]:
    """Hash -> a ticket of `owner`'s, for the files of a run of theirs."""
    return {
        row.file_id: ticket_of(_of(row.file, row.name), owner)
        for row in RunFile.objects.filter(run=run).select_related("file")
    }


def files_of(run: Run) -> list[ToAttach]:
    """Those that went with its own question, to go with it again."""
    rows = RunFile.objects.filter(run=run, is_earlier=False).select_related("file")
    return [
        replace(_of(row.file, row.name), as_text=frozenset(row.as_text))
        for row in rows.order_by("number")
    ]


def files_of_tickets(*, tickets: Sequence[str], owner: User) -> list[ToAttach]:
    """Each once, in their order. Raises Refused."""
    named: dict[str, str] = {}
    for ticket in tickets[: settings.RUN_FILES + 1]:
        try:
            hash, name, pk = signing.loads(ticket, salt=SALT, max_age=TICKET_SECONDS)
        except (signing.BadSignature, ValueError, TypeError):
            raise Refused("A file was attached too long ago. Attach it again.") from None
        if pk == owner.pk:
            named.setdefault(hash, name)
    found = File.objects.in_bulk(list(named))
    if missing := [name for hash, name in named.items() if hash not in found]:
        raise Refused(f"“{missing[0]}” is not there any more. Attach it again.")
    return [_of(found[hash], name) for hash, name in named.items()]


def must_be_few(files: Sequence[ToAttach]) -> None:
    """Raises Refused."""
    if len(files) > settings.RUN_FILES:
        raise Refused(f"At most {settings.RUN_FILES} files go with a question.")
    size = sum(file.size for file in files)
    if size > settings.RUN_FILES_BYTES:
        raise Refused(
            f"The files have {size / 1e6:,.1f} MB together; at most "
            f"{settings.RUN_FILES_BYTES / 1e6:,.0f} MB go with a question."
        )


def content_of(prompt: str, files: Sequence[ToAttach]) -> Content:
    return about(prompt, (file.hash for file in files))


def files_bind(*, run: Run, files: Sequence[ToAttach], follows: Run | None = None) -> None:
    """In the transaction that begins the run: from here on they stay as long as it does. One that
    goes on from another has the other's, too."""
    rows: dict[str, RunFile] = {}
    if follows is not None:
        for row in RunFile.objects.filter(run=follows):
            rows[row.file_id] = RunFile(
                run=run,
                file_id=row.file_id,
                name=row.name,
                is_earlier=True,
                as_text=row.as_text,
            )
    for file in files:
        rows[file.hash] = RunFile(
            run=run, file_id=file.hash, name=file.name, as_text=sorted(file.as_text)
        )
    for number, one in enumerate(rows.values(), 1):
        one.number = number
    RunFile.objects.bulk_create(rows.values())


def tokens_of(files: Sequence[ToAttach]) -> int:
    """What they add to a prompt, roughly; a picture as much as most make of it."""
    return sum(map(_tokens, files))


def _tokens(file: ToAttach) -> int:
    if is_picture(file.type):
        return A_PICTURE // 2
    pages = min(file.read.get("pages", 0), PAGES_DRAWN) if file.has_to_be_seen else 0
    text: int = file.read.get("characters", 0) // CHARACTERS_PER_TOKEN
    return pages * A_PICTURE // 2 + min(text, int(settings.FILE_TOKENS))


def without(spec: Spec, files: Sequence[ToAttach]) -> list[str]:
    """Which seats will be asked without which files, as sentences."""
    lacking: dict[tuple[ToAttach, ...], list[int]] = {}
    for seat, lacks in _lacking(spec, files).items():
        lacking.setdefault(lacks, []).append(seat)
    names = spec.seat_names()
    return [
        _asked_without(lacks, [f"{letter(seat)} ({names[seat]})" for seat in blind])
        for lacks, blind in lacking.items()
    ]


def blind(spec: Spec, files: Sequence[ToAttach]) -> list[tuple[int, str]]:
    """The same at each seat, as it stands beside its name."""
    return [
        (seat, f"takes no pictures: not {_which_of(lacks)}")
        for seat, lacks in _lacking(spec, files).items()
    ]


def text_instead(files: Sequence[ToAttach], seats: Iterable[int]) -> list[ToAttach]:
    """These seats are given the text of each, as somebody chose."""
    chosen = frozenset(seats)
    return [replace(file, as_text=file.as_text | chosen) for file in files] if chosen else [*files]


def textual(spec: Spec, files: Sequence[ToAttach]) -> list[tuple[int, str]]:
    """At each seat that somebody chose it for, where it is asked without the picture for that."""
    nothing = [replace(file, as_text=frozenset[int]()) for file in files]
    return [
        (seat, f"gets text instead of {_which_of(lacks)}")
        for seat, lacks in _lacking(spec, nothing).items()
        if any(seat in file.as_text for file in files)
    ]


def _lacking(spec: Spec, files: Sequence[ToAttach]) -> dict[int, tuple[ToAttach, ...]]:
    """Of each seat the files that it can take in no way."""
    pictures = [file for file in files if file.has_to_be_seen]
    if not pictures:
        return {}
    seats = {seat: (spec.panel[seat].credential, spec.panel[seat].model) for seat in spec.asked}
    known = inputs_of(seats.values())
    found = {
        seat: tuple(
            file
            for file in pictures
            if seat not in file.as_text and not file.can_be_taken(known[at])
        )
        for seat, at in seats.items()
    }
    return {seat: lacks for seat, lacks in found.items() if lacks}


def _which_of(files: Sequence[ToAttach]) -> str:
    return f"“{files[0].name}”" if len(files) == 1 else f"the {len(files)} pictures"


def _asked_without(files: Sequence[ToAttach], told: Sequence[str]) -> str:
    which = _which_of(files)
    who = ", ".join(told[:-1]) + f" and {told[-1]}" if len(told) > 1 else told[0]
    takes, asked = ("takes", "is") if len(told) == 1 else ("take", "are")
    return f"{who} {takes} no pictures and {asked} asked without {which}."


def nobody_sees(spec: Spec, files: Sequence[ToAttach]) -> bool:
    """Whether pictures are asked about, and it is known of everybody that they take none, and
    nobody has chosen text for any of them."""
    pictures = [file for file in files if file.has_to_be_seen]
    seats = [(spec.panel[seat].credential, spec.panel[seat].model) for seat in spec.asked]
    is_chosen = any(file.as_text & {*spec.asked} for file in pictures)
    if not pictures or not seats or is_chosen:
        return False
    known = inputs_of(seats)
    return not any(file.can_be_taken(known[at]) for at in seats for file in pictures)


def who_could_see() -> list[str]:
    return can_see()


def text_of_document(*, name: str, data: bytes | Iterable[bytes], by: User | None = None) -> str:
    """Of a PDF or an Office document that is an answer itself. Raises Refused."""
    file = file_bring(name=name, data=data, by=by)
    text = "\n\n".join(part.text for part in parts_of(file.hash))
    if not text:
        raise Refused(f"“{file.name}” has no text that can be read. Paste what it says.")
    return text
