"""One call to one model, with its deadlines.

They count from the moment a call goes out, so one that queues for a free
place does not time out while it waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ..attachments import listed, marked, not_kept
from ..content import refuse_unknown
from ..errors import LeaseLost, ProviderError, Reason
from ..events import EventType
from ..provider import (
    Alive,
    Complete,
    Finish,
    Message,
    Provider,
    ReasoningDelta,
    Recast,
    Request,
    TextDelta,
    Unstreamed,
)
from ..receipt import COMPUTED, REPORTED
from ..spec import Panelist, Policy
from ..state import Step
from ..terms import NobodyLeft, Terms
from ..usage import cost_of
from .context import Context
from .limits import reserve
from .silence import Silence
from .unread import with_sent

log = logging.getLogger(__name__)

AT_A_TIME = 16_000  # characters of one call, between which other runs have their turn


async def stream_call(
    context: Context,
    key: str,
    panelist: Panelist,
    request: Request,
    *,
    on_text: Callable[[str], None],
    on_reasoning: Callable[[str], None],
    on_recast: Callable[[str, str], None],
    on_alive: Callable[[], None] = lambda: None,
    may_go_on: bool = False,
) -> Finish:
    """Carry the call out, handing deltas on as they come; `on_recast` is given text and
    reasoning in place of all that was handed on before, `on_alive` told of signs of life before
    the first word. `may_go_on`: it is given tools of ours, and what has to go back with its next
    turn is kept.

    Raises ProviderError; what `on_text` was given until then stands.
    """
    policy = context.spec.policy
    try:
        refuse_unknown(request.messages)
        # The one door of every call: none goes out without what the run asks of it.
        panelist = replace(panelist, terms=_terms_of(context, key, panelist))
        request = replace(request, terms=panelist.terms)
        provider = await context.provider_for(panelist)
        async with context.admission.place(key, panelist):
            calls = context.state.calls
            reserve(context.reserved, policy, calls.values(), key, request)
            files: dict[str, Any] = {"files": list(request.given)} if request.given else {}
            context.say(EventType.CALL_SENT, key, **files)
            try:
                paid = await context.admission.record(key, panelist, request)
            except BaseException:
                context.say(EventType.CALL_QUEUED, key)  # it never went out
                raise
            if paid:
                request = replace(request, max_output_tokens=paid)
                context.say(EventType.CALL_SENT, key, output_limit=paid)
            finish = await _within_deadlines(
                provider, request, policy, on_text, on_reasoning, on_recast, on_alive
            )
    except (ProviderError, LeaseLost, asyncio.CancelledError):
        raise
    except Exception as error:
        log.exception("call %s failed in an unforeseen way", key)
        raise ProviderError(Reason.INTERNAL) from error
    finally:
        context.settle()
        context.reserved.free(key)
    finish = await _with_pictures(context, key, finish)
    cost, source = finish.cost, REPORTED
    if cost is None:
        cost, source = cost_of(finish.usage, panelist.price), COMPUTED
    return replace(
        finish,
        usage=with_sent(finish.usage, request.messages),
        cost=None if cost is None else round(cost, 8),
        cost_source="" if cost is None else source,
        # Asked for by a model that was given none, they are no answer.
        tool_calls=finish.tool_calls if request.options.get("tools") else (),
        goes_on=finish.goes_on if may_go_on else {},
    )


async def _with_pictures(context: Context, key: str, finish: Finish) -> Finish:
    """Those of answers are kept; what else may be drawn, nobody is shown."""
    is_answer = context.state.calls[key].step in (Step.PANEL, Step.SYNTHESIS)
    if not (finish.pictures and context.album and is_answer):
        return finish
    found = [*finish.attachments]
    for picture in finish.pictures:
        found[picture.place] = found[picture.place] | await context.album.keep(picture)
    return replace(finish, attachments=tuple(found), pictures=())


def words_for(text: str, finish: Finish) -> str:
    """What an answer says that is pictures and nothing else."""
    return "" if text.strip() or finish.tool_calls else marked(finish.attachments)


def _terms_of(context: Context, key: str, panelist: Panelist) -> Terms:
    try:
        terms = context.spec.terms.and_also(panelist.terms)
    except NobodyLeft as nobody:
        raise ProviderError(Reason.CONFIGURATION, str(nobody)) from None
    is_asked_the_prompt = context.state.calls[key].step is Step.PANEL
    return terms if is_asked_the_prompt else terms.without_beside()


async def _within_deadlines(
    provider: Provider,
    request: Request,
    policy: Policy,
    on_text: Callable[[str], None],
    on_reasoning: Callable[[str], None],
    on_recast: Callable[[str, str], None],
    on_alive: Callable[[], None],
) -> Finish:
    handled = 0
    try:
        async with asyncio.timeout(None) as deadline:
            silence = Silence(policy, deadline)
            try:
                async with aclosing(provider.stream(request)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        match chunk:
                            case TextDelta(text):
                                on_text(text)
                                handled += len(text)
                            case ReasoningDelta(text):
                                on_reasoning(text)
                                handled += len(text)
                            case Recast(text, reasoning):
                                on_recast(text, reasoning)
                            case Alive():
                                if silence.is_borne_longer() and not silence.has_words:
                                    on_alive()
                                continue
                            case Complete():
                                silence.is_whole()
                                continue
                            case Unstreamed():
                                silence.comes_whole()
                                if policy.heeds_signs_of_life:
                                    on_alive()  # for all that can be known, it writes
                                continue
                            case Finish():
                                return chunk
                        silence.broken()
                        if handled > AT_A_TIME:
                            # What has come already comes without a pause, and others have runs,
                            # too.
                            handled = 0
                            await asyncio.sleep(0)
            finally:
                silence.close()
    except TimeoutError:
        if not deadline.expired():
            raise ProviderError(Reason.TIMEOUT) from None
        raise silence.out_of_time() from None
    raise ProviderError(Reason.TRUNCATED)


def least(*limits: int | None) -> int | None:
    """The smallest of the limits there are."""
    return min((limit for limit in limits if limit), default=None)


def receipt(finish: Finish) -> dict[str, Any]:
    """What the end of a call puts on record."""
    return finish.to_dict()


def failure(error: ProviderError) -> dict[str, Any]:
    data: dict[str, Any] = {"reason": error.reason.value, "error": error.message}
    if error.status_code:
        data["status_code"] = error.status_code
    return data


def request_for(
    panelist: Panelist,
    messages: list[Message],
    *,
    max_output_tokens: int | None,
    temperature: float | None,
    response_schema: dict[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Request:
    """`asked` is `Spec.request` for the call that answers it: what a program wants wins."""
    asked = asked or {}
    return Request(
        model=panelist.model,
        messages=messages,
        temperature=asked.get("temperature", temperature),
        max_output_tokens=asked.get("max_output_tokens", max_output_tokens),
        seed=asked.get("seed", panelist.seed),
        reasoning_effort=asked.get("reasoning_effort", panelist.reasoning_effort),
        response_schema=response_schema,
        options=asked.get("options", {}),
    )


def unusable(text: str, reasoning: str, finish: Finish) -> ProviderError | None:
    """Why a stream that ended well is still no answer; None when it is one."""
    if finish.finish_reason == "content_filter":
        return ProviderError(Reason.CONTENT_FILTER)
    if text.strip() or finish.tool_calls:
        return None
    if finish.attachments:
        beside = listed(finish.attachments)
        lost = not_kept(finish.attachments).removeprefix(f"{beside}, ")
        why = f" It was {lost}." if ": " in lost else ""
        return ProviderError(Reason.EMPTY, f"The model answered with {beside} and no text.{why}")
    if finish.finish_reason == "tool_calls":
        return ProviderError(Reason.EMPTY, "The model asked for tools, which it was not given.")
    if finish.finish_reason == "length" and reasoning.strip():
        return ProviderError(
            Reason.EMPTY, "The model thought until its output limit and gave no answer."
        )
    if finish.finish_reason == "length":
        return ProviderError(
            Reason.EMPTY, "The output limit was used up before the answer had begun."
        )
    if reasoning.strip():
        return ProviderError(Reason.EMPTY, "The model returned only its reasoning, no answer.")
    return ProviderError(Reason.EMPTY)
