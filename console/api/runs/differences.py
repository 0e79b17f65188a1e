"""`GET /v1/runs/{id}/differences`: two texts of a run side by side, as `/fusion/…/compare` shows
them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from django.http import HttpResponseBase, JsonResponse

from ... import access
from ...engine.findings.differences import State, StatementPair
from ...engine.findings.passages import Span, Statement
from ...engine.state import RunState
from ...models.tokens import Scope
from ...record.compared import ComparableText, NoSuchText, comparable, compare, named
from ...record.rows import state_from_rows
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from . import replies
from .requests import TwoTexts


@endpoint(Scope.READ, query=TwoTexts, reply=replies.DifferencesReply)
async def differences(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """Two texts of a run side by side: what both say, what only one says, what is opposed."""
    asked = call.query(TwoTexts)
    state, left, right = await db(_texts, call, run_id, asked)
    # Long texts take a processor's time.
    reply = await asyncio.to_thread(_reply, str(run_id), state, left, right)
    return JsonResponse(reply.model_dump(mode="json"))


def _texts(
    call: ApiCall[NoBody], run_id: uuid.UUID, asked: TwoTexts
) -> tuple[RunState, ComparableText, ComparableText]:
    run = access.run_visible_to(call.token.owner, run_id)
    state = state_from_rows(run)
    texts = comparable(run.frozen_spec, state)
    return state, _named(texts, "left", asked.left), _named(texts, "right", asked.right)


def _named(texts: Sequence[ComparableText], param: str, name: str) -> ComparableText:
    try:
        return named(texts, name)
    except NoSuchText as why:
        raise ApiError("invalid_request", str(why), param=param) from None


def _reply(
    run: str, state: RunState, left: ComparableText, right: ComparableText
) -> replies.DifferencesReply:
    found = compare(state, left, right).differences
    return replies.DifferencesReply(
        run=run,
        left=_side(left, found.left, found.left_states),
        right=_side(right, found.right, found.right_states),
        pairs=[_pair(pair, found.left[pair.left], found.right[pair.right]) for pair in found.pairs],
        is_whole=found.is_whole,
    )


def _side(
    text: ComparableText, statements: Sequence[Statement], states: Sequence[State]
) -> replies.SideReply:
    both = zip(statements, states, strict=True)
    return replies.SideReply(
        name=text.name,
        label=text.label,
        statements=[
            replies.StatementReply(text=one.text, kind=one.kind, state=state) for one, state in both
        ],
        only=states.count("only"),
    )


def _pair(pair: StatementPair, left: Statement, right: Statement) -> replies.PairReply:
    return replies.PairReply(
        kind=pair.kind,
        left=pair.left,
        right=pair.right,
        left_words=_words(left, pair.left_words),
        right_words=_words(right, pair.right_words),
        figures=pair.figures,
        denial=pair.denial,
        claim=pair.claim or None,
    )


def _words(statement: Statement, spans: Sequence[Span]) -> list[replies.WordsReply]:
    return [
        replies.WordsReply(start=a - statement.start, end=b - statement.start) for a, b in spans
    ]
