"""An agent's turn: the results of tools that a run's own writer called for go to that writer.

The panel is asked once for what the user said last. A tool call's number, stored with the fusion
whose writer made it, finds the run again: of the same token alone, with the same panel, asked
the same. Whatever does not fit is a request like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.provider import Message
from ...engine.spec import Panelist, Spec
from ...engine.spec_versions import SpecTooNew, SpecUnreadable
from ...models import ApiToken, Fusion, Run
from ...models.runs import has_called
from ...record.asked import Forgotten, asked
from ...record.rows import state_from_rows

# Servers number calls as they like, some all of them alike: so many of a number are looked at.
LOOKED_AT = 20


@dataclass(frozen=True)
class Turn:
    """`messages` are what was said since the fusion `after`."""

    run: Run
    after: int
    messages: list[Message]


def find_turn(
    token: ApiToken, spec: Spec, conversation: list[Message], as_it_is: list[Message]
) -> Turn | None:
    """`conversation` is what a panel would be asked, of the head of which `as_it_is`, with its
    tool calls, is the whole."""
    tail = _since_the_user(as_it_is)
    head = conversation[: len(conversation) - len(tail)]
    number = _answered(tail)
    if not number:
        return None
    called = Fusion.objects.filter(has_called(), called=number)
    found = called.filter(run__token=token, run__owner=token.owner_id)
    for fusion in found.select_related("run").order_by("-pk")[:LOOKED_AT]:
        if turn := _turn(fusion, spec, head, tail):
            return turn
    return None


def _since_the_user(messages: list[Message]) -> list[Message]:
    last = max((n for n, m in enumerate(messages) if m["role"] == "user"), default=-1)
    return messages[last + 1 :]


def _answered(tail: list[Message]) -> str:
    """The number of the first of the calls that the last message answers; "": it answers none."""
    results: set[str] = set()
    for message in reversed(tail):
        if message["role"] == "tool":
            results.add(message.get("tool_call_id", ""))
            continue
        calls = [str(call.get("id", "")) for call in message.get("tool_calls", ())]
        return calls[0] if calls and results and results <= set(calls) else ""
    return ""


def _turn(fusion: Fusion, spec: Spec, head: list[Message], tail: list[Message]) -> Turn | None:
    try:
        run_spec, state = fusion.run.frozen_spec, state_from_rows(fusion.run)
        was_asked = asked(fusion.run).messages
    except (SpecTooNew, SpecUnreadable, Forgotten, Run.DoesNotExist):
        return None
    if _people(run_spec) != _people(spec) or _spoken(was_asked) != _spoken(head):
        return None
    before = state.said_since(state.fusions[fusion.number])
    if tail[: len(before)] == before:
        return Turn(fusion.run, fusion.number, tail[len(before) :])
    # The program has shortened what it sends: then its word is what was said.
    root = state.fusions[fusion.number].turn.get("root", fusion.number)
    return Turn(fusion.run, root, tail)


def _people(spec: Spec) -> list[Any]:
    def who(panelist: Panelist) -> tuple[str, str, str]:
        return panelist.model, panelist.credential, panelist.system_prompt

    return [*map(who, spec.panel), who(spec.judge), who(spec.writer)]


def _spoken(messages: list[Message]) -> list[tuple[Any, Any]]:
    """Without what the program's maker says: it may tell the time."""
    return [(m["role"], m["content"]) for m in messages if m["role"] != "system"]
