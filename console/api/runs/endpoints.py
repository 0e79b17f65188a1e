"""`/v1/runs`: for programs that cannot keep a connection open while a panel works."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import get_args

from django.db.models import QuerySet
from django.http import HttpResponseBase, JsonResponse

from ... import access
from ...engine.content import text_of
from ...engine.provider import Message
from ...models import Fusion, Run
from ...models.tokens import Scope
from ...record.newest import Bookmark, beginning, newest, with_beginning
from ...record.order import OrderAsked, in_order, orders_of
from ...record.rows import state_from_rows
from ...search.facets import project_named
from ...services.attaching import ToAttach, tokens_of
from ...services.errors import Refused, RunUnderWay
from ...services.fusion_wish import begins_from, fusion_wish
from ...services.habits import history
from ...services.project_files import looked_into
from ...services.quote import quote_of
from ...services.reopening import must_be_of_here
from ...services.rulings import ReaderWish, Ruled
from ...services.runs import run_cancel
from ...services.site import reference
from ...services.tokens import token_look_up, token_run_fuse
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from ..http.wishes import refuse_wishes
from ..openai.chat_run import planned
from ..planning.attached import must_be_seen
from ..planning.conversation import conversation
from ..planning.idempotency import earlier, start
from ..planning.plan import Plan
from ..planning.project import project_of
from ..planning.refusals import built
from ..planning.schemas import ChatMessage, Seat
from ..planning.terms import asked_terms, places, together
from . import replies
from .found import UNREAD, search_reply
from .object import PROMPT_SHOWN, run_reply, run_row
from .order import own_run
from .quoted import quote_reply
from .requests import FuseRequest, LookUpRequest, RunFilters, RunRequest


@endpoint(
    Scope.RUN,
    body=RunRequest,
    spending=True,
    reply=replies.StartedRun,
    status=202,
    example={"model": "fusion", "prompt": "Name one prime number."},
)
async def run_create(call: ApiCall[RunRequest]) -> HttpResponseBase:
    """Start a run and go on without waiting for it."""
    return _accepted(await db(_create, call))


@endpoint(
    Scope.RUN,
    body=RunRequest,
    reply=replies.QuoteReply,
    example={"model": "fusion", "prompt": "Name one prime number."},
    fails=(404,),
)
async def run_quote(call: ApiCall[RunRequest]) -> HttpResponseBase:
    """What a run would probably cost and take. Nothing is started and no model is asked."""
    return JsonResponse((await db(_quote, call)).model_dump(mode="json"))


@endpoint(Scope.READ, query=RunFilters, reply=replies.RunList)
async def run_list(call: ApiCall[NoBody]) -> HttpResponseBase:
    """Runs of the token's owner and the team's, the newest first; searched and narrowed."""
    filters = call.query(RunFilters)
    return JsonResponse((await db(_list, call, filters)).model_dump(mode="json"))


@endpoint(Scope.READ, reply=replies.Run)
async def run(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """A run as it stands: its answer, its analysis, every call and what it cost."""
    return JsonResponse((await db(_read, call, run_id)).model_dump(mode="json"))


@endpoint(Scope.RUN, reply=replies.Run)
async def cancel(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """Stop a run. One that has ended stays as it is."""
    return JsonResponse((await db(_cancel, call, run_id)).model_dump(mode="json"))


@endpoint(
    Scope.RUN,
    body=FuseRequest,
    spending=True,
    reply=replies.Run,
    status=202,
    fails=(409,),
    example={"criteria": "Brevity above all."},
)
async def fuse(call: ApiCall[FuseRequest], run_id: uuid.UUID) -> HttpResponseBase:
    """Fuse a finished run's answers again; its panel is not asked again."""
    return _accepted(await db(_fuse, call, run_id))


@endpoint(
    Scope.RUN,
    body=LookUpRequest,
    spending=True,
    reply=replies.Run,
    status=202,
    fails=(409,),
    example={"claim": "contradictions-1"},
)
async def look_up(call: ApiCall[LookUpRequest], run_id: uuid.UUID) -> HttpResponseBase:
    """Look a claim of an analysis up on the web: pages are read, what they say of it is quoted."""
    return _accepted(await db(_look_up, call, run_id))


def _accepted(reply: replies.Run) -> HttpResponseBase:
    return JsonResponse(
        reply.model_dump(mode="json"), status=202, headers={"Location": reply.urls.run}
    )


def _create(call: ApiCall[RunRequest]) -> replies.StartedRun:
    asked = _asked(call)
    estimate = _quoted(asked)
    started = start(
        call,
        asked.plan.spec,
        prompt=asked.prompt,
        messages=asked.messages,
        visibility=call.body.fusion.visibility,
        answers=asked.plan.answers,
        files=asked.files,
    )
    run = run_reply(call.request, call.token, started.run)
    return replies.StartedRun(**dict(run), estimate=estimate)


def _quote(call: ApiCall[RunRequest]) -> replies.QuoteReply:
    refuse_wishes(call.data, RunRequest.model_fields)  # as the run itself would be
    return _quoted(_asked(call))


@dataclass(frozen=True)
class _Asked:
    plan: Plan
    messages: list[Message]
    prompt: str
    files: list[ToAttach]
    context: str


def _asked(call: ApiCall[RunRequest]) -> _Asked:
    body = call.body
    if (body.prompt is None) == (body.messages is None):
        raise ApiError("invalid_request", "Give either a prompt or messages.", param="prompt")
    plan = planned(call, body)
    # Whoever starts a run has decided already: the tool form asks its panel, too.
    plan = replace(plan, decide=None)
    chat_messages = body.messages or [ChatMessage(role="user", content=body.prompt)]
    asked = conversation(
        chat_messages,
        with_tools=plan.keeps_tools,
        owner=call.token.owner,
        files_as_text=body.fusion.files_as_text,
    )
    without = must_be_seen(plan.spec, asked.files)
    plan = replace(plan, warnings=(*plan.warnings, *asked.warnings, *without))
    project = project_of(body, call.token.owner, plan.spec.preset)
    context = project.context if project else ""
    plan = replace(plan, spec=looked_into(plan.spec, project))
    return _Asked(plan, asked.messages, asked.prompt, asked.files, context)


def _quoted(asked: _Asked) -> replies.QuoteReply:
    texts = [text_of(message.get("content")) for message in asked.messages]
    texts = [asked.context, *texts] if asked.context else texts
    answers = [answer.text for answer in asked.plan.answers]
    files = tokens_of(asked.files)
    said = quote_of(asked.plan.spec, texts, history(), answers, reference(), files)
    return quote_reply(said)


def _read(call: ApiCall[NoBody], run_id: uuid.UUID) -> replies.Run:
    run = access.run_visible_to(call.token.owner, run_id)
    return run_reply(call.request, call.token, run)


def _cancel(call: ApiCall[NoBody], run_id: uuid.UUID) -> replies.Run:
    run = own_run(call, run_id)
    run_cancel(run=run)
    run.refresh_from_db()
    return run_reply(call.request, call.token, run)


def _look_up(call: ApiCall[LookUpRequest], run_id: uuid.UUID) -> replies.Run:
    run = own_run(call, run_id)
    if call.depth > 0:
        raise ApiError("recursion_refused")
    if not run.is_final:
        raise _under_way()
    latest = max(run.fusions.values_list("number", flat=True), default=0)
    try:
        token_look_up(
            token=call.token,
            run=run,
            fusion=call.body.fusion or latest,
            claim=call.body.claim,
        )
    except RunUnderWay:
        raise _under_way() from None
    except Refused as refused:
        if type(refused) is not Refused:
            raise  # a limit of the token's
        raise ApiError("invalid_request", str(refused)) from None
    return run_reply(call.request, call.token, own_run(call, run_id))


def _fuse(call: ApiCall[FuseRequest], run_id: uuid.UUID) -> replies.Run:
    body = call.body
    run = own_run(call, run_id)
    if call.depth > 0:
        raise ApiError("recursion_refused")
    key = call.idempotency_key
    if first := earlier(call, Fusion.objects.all(), call.hash, key):
        call.started.append(first)
        return run_reply(call.request, call.token, run)
    if not run.is_final:
        raise _under_way()
    must_be_of_here(run)
    asks = _asks(body)
    wish = fusion_wish(
        run.frozen_spec,
        judge=body.judge or "",
        synthesizer=body.synthesizer or "",
        criteria=body.criteria,
        preset=asks.preset,
        person=run.owner,
        base=begins_from(state_from_rows(run), asks),
    )
    terms = together(wish.terms, call.token.terms, asked_terms(body, body.provider))
    named = {"judge": "judge", "synthesizer": "synthesizer", "panel": "judge"}
    named |= {"judge_fallback": "preset", "synthesizer_fallback": "preset"}
    named |= places(body, body.provider, "terms.", ours="")
    # Servers are asked for their lists here, before the token is locked.
    asked = built(replace(wish, listed_only=True, terms=terms), named)
    try:
        fusion = token_run_fuse(
            token=call.token,
            run=run,
            judge=asked.judge,
            synthesizer=asked.writer,
            criteria=body.criteria,
            seats=[get_args(Seat).index(seat) for seat in body.seats] or None,
            wish=asks,
            request_hash=call.hash,
            idempotency_key=key,
            max_cost=body.max_cost,
        )
    except RunUnderWay:
        # Two of the same at once: it is the other's that is under way.
        if not earlier(call, Fusion.objects.all(), call.hash, key):
            raise _under_way() from None
    else:
        if fusion.request_hash != call.hash:
            raise ApiError("idempotency_mismatch")
        call.started.append(fusion)
    run.refresh_from_db()
    return run_reply(call.request, call.token, run)


def _asks(body: FuseRequest) -> ReaderWish:
    rulings = body.rulings
    return ReaderWish(
        rulings=None
        if rulings is None
        else [Ruled(r.claim, r.verdict or "", r.note, r.on) for r in rulings],
        facts=body.facts,
        on=body.on,
        way=body.way,
        preset=body.preset or "",
        instruction=body.instruction,
        analysis_only=body.analysis_only,
    )


def _under_way() -> ApiError:
    return ApiError("run_under_way", headers={"x-should-retry": "false"})


# the list


def _list(call: ApiCall[NoBody], filters: RunFilters) -> replies.RunList:
    if filters.is_search:
        return search_reply(call.request, call.token.owner, filters)
    user = call.token.owner
    is_sample = filters.origin == "sample"
    # A sample is nobody's own.
    samples = Run.objects.none() if filters.own else access.runs_visible_to(user)
    visible = [samples] if is_sample else access.visible(user)
    project = project_named(filters.project) if filters.project else None
    kept = OrderAsked(filters.tag or "", filters.starred, filters.archived, project)
    ordered = [in_order(runs, user.pk, kept) for runs in visible]
    branches = [_shown(_filtered(runs, filters)) for runs in ordered]
    # The first are one's own.
    page = newest(branches[:1] if filters.own else branches, filters.limit, before=_before(filters))
    orders = orders_of([run.pk for run in page.runs], user.pk)
    rows = [
        replies.ListedRun(
            **run_row(call.request, user.pk, run, orders[run.pk]) | {"prompt": beginning(run)}
        )
        for run in page.runs
    ]
    more = page.older
    return replies.RunList(
        data=rows, has_more=more is not None, next_cursor=str(more) if more else None
    )


def _shown(runs: QuerySet[Run]) -> QuerySet[Run]:
    return with_beginning(runs.defer(*UNREAD), PROMPT_SHOWN).select_related("project")


def _filtered(runs: QuerySet[Run], filters: RunFilters) -> QuerySet[Run]:
    given = {"status": filters.status, "preset": filters.preset, "origin": filters.origin}
    runs = runs.filter(**{name: value for name, value in given.items() if value is not None})
    if filters.since:
        runs = runs.filter(created_at__gte=filters.since)
    if filters.until:
        runs = runs.filter(created_at__lt=filters.until)
    return runs


def _before(filters: RunFilters) -> Bookmark | None:
    if filters.cursor is None:
        return None
    try:
        return Bookmark.read(filters.cursor)
    except ValueError:
        raise ApiError(
            "invalid_request", "This cursor was not made here.", param="cursor"
        ) from None
