"""The analysis step: the judge reads all answers and returns one JSON object.

One try, and one repair when what came back cannot be read. After that the run
goes on without an analysis and says so.
"""

from __future__ import annotations

from typing import Any

from .analysis import analysis_schema, read_analysis
from .call import Context, failure, receipt, request_for, stream_call
from .errors import SENTENCES, ProviderError, Reason
from .events import EventType
from .material import Material
from .prompts import fill
from .provider import Finish, Message
from .state import FusionState, Step, call_key

_TRIES = 2


async def analyse(context: Context, fusion: int, material: Material) -> dict[str, Any] | None:
    """The stored analysis, or None when there is none and the run says why."""
    known = context.state.fusions.get(fusion)
    if known and (known.analysis or known.analysis_reason):
        return known.analysis
    judged = [call.key for call in material.answers.values()]
    if len(judged) == 1:
        context.say(EventType.ANALYSIS_IN_PROGRESS, fusion=fusion, judged=judged)
        return None
    messages = _messages(context, material)
    for attempt in range(_TRIES):
        text, problem = await _ask(context, fusion, material, messages, judged, attempt)
        if problem is None:
            break
        if not problem.retryable:
            break
        messages = [*messages, *_repair(context, material, text, problem)]
    return _fusion(context, fusion).analysis


async def _ask(
    context: Context,
    fusion: int,
    material: Material,
    messages: list[Message],
    judged: list[str],
    attempt: int,
) -> tuple[str, ProviderError | None]:
    """(what the judge wrote, what is wrong with it); `retryable` means a repair is worth asking."""
    judge = context.spec.judge
    seats = sorted(material.answers)
    limit = context.spec.policy.analysis_max_output_tokens or judge.max_output_tokens
    earlier = context.state.calls_of(Step.ANALYSIS, fusion=fusion)
    number = len(earlier) + 1
    key = call_key(Step.ANALYSIS, fusion, number)
    context.say(
        EventType.ANALYSIS_IN_PROGRESS,
        key,
        fusion,
        number=number,
        cause="repair" if attempt else ("resume" if earlier else "first"),
        panelist=judge.to_dict(),
        judged=judged,
    )
    pieces: list[str] = []
    final = attempt == _TRIES - 1
    try:
        finish = await stream_call(
            context,
            key,
            judge,
            request_for(
                judge,
                messages,
                max_output_tokens=limit,
                temperature=0,
                response_schema=analysis_schema(seats, limit),
            ),
            on_text=pieces.append,
            on_reasoning=lambda text: None,
        )
    except ProviderError as error:
        text = "".join(pieces)
        context.say(
            EventType.ANALYSIS_FAILED,
            key,
            fusion,
            text=text,
            final=True,
            **failure(error)
            | {
                "reason": Reason.JUDGE_UPSTREAM_ERROR.value,
                "error": f"{SENTENCES[Reason.JUDGE_UPSTREAM_ERROR]} {error.message}",
            },
        )
        return text, error_of(error, repairable=False)
    text = "".join(pieces)
    try:
        analysis = read_analysis(text, seats)
    except ProviderError as error:
        context.say(
            EventType.ANALYSIS_FAILED,
            key,
            fusion,
            text=text,
            final=final,
            **receipt(finish),
            reason=error.reason.value,
            error=_for_readers(error, finish),
        )
        return text, error_of(error, repairable=True)
    context.say(
        EventType.ANALYSIS_COMPLETED, key, fusion, text=text, analysis=analysis, **receipt(finish)
    )
    return text, None


def _for_readers(error: ProviderError, finish: Finish) -> str:
    """The error itself tells the judge what to mend, in terms of its JSON."""
    cut = " It was cut off at its output limit." if finish.finish_reason == "length" else ""
    return SENTENCES[error.reason] + cut


def error_of(error: ProviderError, *, repairable: bool) -> ProviderError:
    return ProviderError(error.reason, error.message, retryable=repairable)


def _fusion(context: Context, fusion: int) -> FusionState:
    return context.state.fusions[fusion]


def _messages(context: Context, material: Material) -> list[Message]:
    system = fill(
        context.spec.prompts.analysis,
        fence=material.fence,
        letters=", ".join(material.letters),
    )
    return [
        {"role": "system", "content": system + material.note},
        {"role": "user", "content": material.text()},
    ]


def _repair(
    context: Context, material: Material, text: str, problem: ProviderError
) -> list[Message]:
    ask = fill(
        context.spec.prompts.repair,
        problem=problem.message,
        letters=", ".join(material.letters),
    )
    wrote: list[Message] = [{"role": "assistant", "content": text}] if text.strip() else []
    return [*wrote, {"role": "user", "content": ask}]
