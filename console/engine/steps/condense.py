"""Answers too long to be read together are condensed first, by the judge.

Only as many and as far as it takes: what is shorter than its even share stays
as it is. Each condensing is a call of its own, on record, so a run that is
taken up does not buy it again. Whoever has room for the whole answers is given
them whole, and quotes are always looked up in the whole ones. An answer that
cannot be condensed is left out of what is read, and the run says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..calls.aside import aside
from ..calls.call import receipt, request_for, stream_call, unusable
from ..calls.context import Context
from ..calls.together import together
from ..calls.tries import Ended, carry_out
from ..calls.watched import Watched
from ..calls.window import excess, shares, tokens_in, window_of
from ..errors import ProviderError, Reason
from ..findings.degenerate import Detector, without_mark
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, CallStatus, RunState, Step
from . import judge as judging
from . import synthesis
from .material import Material
from .prompts import fill

# Words asked for, to a token there is room for: a margin, and a word is more than a token.
WORDS_PER_TOKEN = 0.6
LEAST_SHARE = 40  # tokens; an answer in less says nothing
# For the analysis, which the synthesizer reads too, but which is not written yet.
ANALYSIS_SHARE = 8


@dataclass(frozen=True)
class Condensing:
    """What was condensed for a fusion (seats), and what was left out (seat -> why)."""

    condensed: list[int]
    left_out: dict[int, str]


def condensing_of(state: RunState, fusion: int) -> Condensing:
    done, lost = [], {}
    for call in _last_calls(state, fusion):
        assert call.seat is not None
        if call.status is CallStatus.COMPLETED:
            done.append(call.seat)
        elif call.status.is_final and call.retry_at is None and not call.was_interrupted:
            lost[call.seat] = call.error
    return Condensing(sorted(done), dict(sorted(lost.items())))


async def condense(
    context: Context, fusion: int, whole: Material, *, for_judge_alone: bool = False
) -> tuple[Material, Material]:
    """(what the judge reads, what the synthesizer reads). What was condensed for the fusion whose
    analysis this one has is not bought again."""
    root = context.state.fusions[fusion].root
    for_judge, for_writer, sizes = await aside(whole.size, _sizes, context, fusion, whole)
    if for_judge_alone:
        for_writer = 0
    worst = max(for_judge, for_writer)
    if worst <= 0:
        return whole, whole
    given = shares(sizes, sum(sizes.values()) - worst)
    if min(given.values()) < min(LEAST_SHARE, *sizes.values()):
        return whole, whole  # not even condensed: judge and synthesizer say so themselves
    await _condense_all(
        context, root, whole, {s: share for s, share in given.items() if share < sizes[s]}
    )
    found = condensing_of(context.state, root)
    calls = {c.seat: c for c in _last_calls(context.state, root)}
    short = await aside(
        whole.size,
        whole.condensed_to,
        {seat: calls[seat].text for seat in found.condensed},
        cut={s for s in found.condensed if calls[s].finish_reason == "length"},
        left_out=set(found.left_out),
    )
    return short if for_judge > 0 else whole, short if for_writer > 0 else whole


def _sizes(context: Context, fusion: int, whole: Material) -> tuple[int, int, dict[int, int]]:
    """Tokens too many for the judge, for the synthesizer, and those of each answer."""
    return (
        _judge_excess(context, fusion, whole),
        _writer_excess(context, fusion, whole),
        {seat: tokens_in(call.text) for seat, call in whole.answers.items()},
    )


def _judge_excess(context: Context, fusion: int, material: Material) -> int:
    if len(material.answers) == 1:
        return 0  # nothing is compared
    if context.state.fusions[fusion].analysis:
        return 0  # it has read them
    judge = Panelist.from_dict(context.state.fusions[fusion].judge)
    if not judge.can_judge:
        return 0  # words are compared in the whole answers
    messages = judging.messages_for(context, fusion, material, judge)
    return excess(judge, messages, judging.output_limit(context, judge))


def _writer_excess(context: Context, fusion: int, material: Material) -> int:
    known = context.state.fusions[fusion]
    writer = Panelist.from_dict(known.synthesizer)
    if synthesis.is_put_together(writer, known, context.spec.request):
        return 0
    messages = synthesis.messages_for(context, material, None, known, context.spec.request, writer)
    window = window_of(writer) or 0
    judge = Panelist.from_dict(known.judge)
    analysis = judging.output_limit(context, judge) if len(material.answers) > 1 else 0
    reserved = min(analysis or window, window // ANALYSIS_SHARE)
    return excess(writer, messages, (synthesis.room_kept(context, writer) or 0) + reserved)


async def _condense_all(
    context: Context, fusion: int, material: Material, given: dict[int, int]
) -> None:
    # What comes out of one ends the run (a lost lease).
    await together(
        _condense(context, fusion, material, seat, share) for seat, share in given.items()
    )


async def _condense(
    context: Context, fusion: int, material: Material, seat: int, share: int
) -> None:
    async def perform(key: str, judge: Panelist) -> Ended:
        pieces: list[str] = []
        messages = _messages(context, material, seat, share)
        limit = judging.output_limit(context, judge)
        if excess(judge, messages, min(limit or share, share)) > 0:
            return Ended({}, ProviderError(Reason.CONTEXT_LENGTH, _ALONE))
        watched = Watched(pieces.append, Detector(asked=material.prompt))

        def recast(text: str, _: str) -> None:
            pieces[:] = [text]
            watched.begin_with(text)

        try:
            finish = await stream_call(
                context,
                key,
                judge,
                request_for(judge, messages, max_output_tokens=limit, temperature=0),
                on_text=watched,
                on_reasoning=lambda text: None,
                on_recast=recast,
            )
        except ProviderError as error:
            return Ended({"text": "".join(pieces)}, error)
        text = without_mark("".join(pieces), material.fence).strip()
        wrong = unusable(text, "", finish)
        if wrong is None and tokens_in(text) > share:
            wrong = ProviderError(Reason.TOO_LARGE, "The condensed answer is still too long.")
        return Ended({"text": text, **receipt(finish)}, wrong)

    judge = Panelist.from_dict(context.state.fusions[fusion].judge)
    await carry_out(context, Step.CONDENSE, fusion, judge, perform, seat=seat)


_ALONE = "This answer alone does not fit the judge's context."


def _messages(context: Context, material: Material, seat: int, share: int) -> list[Message]:
    words = f"{max(20, int(share * WORDS_PER_TOKEN)):,}"
    system = fill(context.spec.prompts.condense, fence=material.fence, words=words)
    parts = [
        material.fenced("PROMPT", material.prompt),
        material.fenced("TEXT", material.answers[seat].text),
    ]
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(parts)},
    ]


def _last_calls(state: RunState, fusion: int) -> Iterator[CallState]:
    last: dict[int | None, CallState] = {}
    for call in state.calls.values():
        if call.step is Step.CONDENSE and call.fusion == fusion:
            known = last.get(call.seat)
            last[call.seat] = call if known is None or call.number > known.number else known
    return iter(last.values())
