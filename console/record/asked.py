"""What a run asks: the messages, built when they are needed.

A run that begins a conversation has its messages stored. One that goes on from another stores
only what it follows: the keys of the calls whose texts it goes on from. Those texts never
change once given, so whatever is fused or asked later, this was what was asked. A run that is
deleted leaves the runs that follow it their messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from ..engine.content import Content, Part, text_of
from ..engine.findings.provenance import plain
from ..engine.findings.ruling import OF_MINE, told
from ..engine.provider import Message
from ..engine.spec import letter
from ..engine.state import Step
from ..models import Call, Fusion, Run

# Of a chain of runs one may be deleted while it is read; then it is read again.
TRIES = 5
_HELD = "Of what has been answered so far I hold this:"


class Forgotten(LookupError):
    """What a run goes on from is not there: nobody knows what it was to ask."""


@dataclass(frozen=True)
class Asked:
    """`histories`: seat -> messages of its own, where they are other than everybody's."""

    messages: list[Message]
    histories: dict[int, list[Message]] = field(default_factory=dict)


@dataclass(frozen=True)
class Followed:
    """Keys of calls of the run before.

    `said` is read as said by everybody: one answer, or the answers of several seats, each under
    its letter. `seats`: seat -> the answer of its own that it goes on from. `fusion` is the
    number of that which gave the answer, 0 if none did. `ruled`: of that with what the reader
    had ruled by then, which goes along as said by them.
    """

    said: tuple[str, ...]
    lettered: bool = False
    fusion: int = 0
    seats: Mapping[int, str] = field(default_factory=dict)
    ruled: int = 0
    # Hashes of the files that the one who goes on asks about.
    files: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "said": list(self.said),
            "lettered": self.lettered,
            "fusion": self.fusion,
            "seats": {str(seat): key for seat, key in self.seats.items()},
            **({"ruled": self.ruled} if self.ruled else {}),
            **({"files": list(self.files)} if self.files else {}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Followed:
        seats = {int(seat): key for seat, key in data["seats"].items()}
        said = tuple(data["said"])
        ruled, files = data.get("ruled", 0), tuple(data.get("files", ()))
        return cls(said, data["lettered"], data["fusion"], seats, ruled, files)


def asked(run: Run) -> Asked:
    """Raises Forgotten, and Run.DoesNotExist where it has been deleted meanwhile."""
    for _ in range(TRIES):
        try:
            return _built(_chain(run))
        except Forgotten as forgotten:
            missing = forgotten
            run = _LINKS.get(pk=run.pk)
    raise missing


def in_context(asked: Asked, context: str) -> Asked:
    """With what its project says to every run in it, before everything else: as whoever answers,
    judges or writes reads it."""
    if not context:
        return asked

    def told(messages: list[Message]) -> list[Message]:
        first = messages[0] if messages else {}
        if first.get("role") != "system":
            return [{"role": "system", "content": context}, *messages]
        content = f"{context}\n\n{text_of(first.get('content'))}"  # some servers take one alone
        return [first | {"content": content}, *messages[1:]]

    return Asked(told(asked.messages), {seat: told(own) for seat, own in asked.histories.items()})


def hand_down(run: Run) -> None:
    """Before a run is deleted, within the same transaction: those that follow it keep what
    they asked."""
    with transaction.atomic():
        # Nobody begins to follow it from here on.
        Run.objects.select_for_update().filter(pk=run.pk).first()
        for after in _LINKS.filter(follows=run, follows_calls__isnull=False):
            try:
                conversation = asked(after)
            except Forgotten:
                continue  # nor would it be known later
            Run.objects.filter(pk=after.pk).update(
                messages=conversation.messages,
                histories={str(seat): own for seat, own in conversation.histories.items()},
                follows_calls=None,
            )


_LINKS = Run.objects.only("prompt", "messages", "histories", "follows_id", "follows_calls")


def _chain(run: Run) -> list[Run]:
    """From the run back to the one whose messages are stored."""
    chain = [run]
    while chain[-1].follows_calls is not None:
        before = _LINKS.filter(followed_by=chain[-1].pk).first()
        if before is None:
            raise Forgotten(f"run {run.pk} goes on from a run that is not there")
        chain.append(before)
    return chain


def _built(chain: list[Run]) -> Asked:
    *later, first = chain
    conversation = Asked(first.messages, {int(seat): own for seat, own in first.histories.items()})
    texts, rulings = _texts(later), _rulings(later)
    for run in reversed(later):
        followed = Followed.from_dict(run.follows_calls or {})

        # Within the prompt: some servers take no two messages of a user in a row.
        held = rulings.get((run.follows_id, followed.ruled), "")
        asks = f"{_HELD}\n\n{held}\n\n{run.prompt}" if held else run.prompt

        content = about(asks, followed.files)

        def on(before: list[Message], answer: str, prompt: Content = content) -> list[Message]:
            spoken: Message = {"role": "assistant", "content": answer}
            return [*before, spoken, {"role": "user", "content": prompt}]

        try:
            answers = [texts[run.follows_id, key] for key in followed.said]
            own = {seat: texts[run.follows_id, key][1] for seat, key in followed.seats.items()}
        except KeyError as missing:
            raise Forgotten(f"call {missing} of the run before {run.pk} is not there") from None
        conversation = Asked(
            on(conversation.messages, _together(answers, followed.lettered)),
            {
                seat: on(conversation.histories.get(seat) or conversation.messages, text)
                for seat, text in own.items()
            },
        )
    return conversation


def about(prompt: str, files: Iterable[str]) -> Content:
    """What is asked about goes before the question; `files` are hashes."""
    parts: list[Part] = [{"type": "file", "hash": hash} for hash in files]
    return [*parts, {"type": "text", "text": prompt}] if parts else prompt


def _texts(later: list[Run]) -> dict[tuple[Any, str], tuple[int, str]]:
    """(run, call) -> the seat and the text, without marks of provenance, in one query."""
    if not later:
        return {}
    followed = [Followed.from_dict(run.follows_calls or {}) for run in later]
    keys = {key for f in followed for key in (*f.said, *f.seats.values())}
    calls = Call.objects.filter(run__in=[run.follows_id for run in later], key__in=keys)
    return {
        (run_id, key): (seat or 0, plain(text) if step == Step.SYNTHESIS else text)
        for run_id, key, step, seat, text in calls.values_list(
            "run_id", "key", "step", "seat", "text"
        )
    }


def _rulings(later: list[Run]) -> dict[tuple[Any, int], str]:
    """(run, fusion) -> what its reader ruled and added, as they say it."""
    ruled = [(run.follows_id, Followed.from_dict(run.follows_calls or {}).ruled) for run in later]
    wanted = [(run_id, number) for run_id, number in ruled if number]
    if not wanted:
        return {}
    fusions = Fusion.objects.filter(run__in={run_id for run_id, _ in wanted})
    found = fusions.values_list("run_id", "number", "wish")
    return {(run_id, number): told(wish, OF_MINE) for run_id, number, wish in found}


def _together(answers: list[tuple[int, str]], lettered: bool) -> str:
    if not lettered:
        return "\n\n".join(text for _, text in answers)
    return "\n\n".join(f"{letter(seat)}: {text}" for seat, text in answers)
