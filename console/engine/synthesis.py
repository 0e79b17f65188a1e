"""The synthesis step: the fused answer, streamed, from answers and analysis."""

from __future__ import annotations

from typing import Any

from .analysis import analysis_text
from .call import Context, failure, receipt, request_for, stream_call, unusable
from .errors import ProviderError, Reason
from .events import EventType
from .material import Material
from .prompts import fill
from .provider import Message
from .state import CallState, Step, call_key


async def synthesise(
    context: Context, fusion: int, material: Material, analysis: dict[str, Any] | None
) -> CallState:
    """The call that wrote the fused answer, or failed to."""
    last = context.state.latest(Step.SYNTHESIS, fusion=fusion)
    if last and last.reason != Reason.WORKER_LOST:
        return last
    writer = context.spec.writer
    number = last.number + 1 if last else 1
    key = call_key(Step.SYNTHESIS, fusion, number)
    context.say(
        EventType.SYNTHESIS_IN_PROGRESS,
        key,
        fusion,
        number=number,
        cause="resume" if last else "first",
        panelist=writer.to_dict(),
    )
    try:
        finish = await stream_call(
            context,
            key,
            writer,
            request_for(
                writer,
                _messages(context, material, analysis),
                max_output_tokens=context.spec.policy.synthesis_max_output_tokens
                or writer.max_output_tokens,
                temperature=writer.temperature,
            ),
            on_text=lambda text: context.say(EventType.SYNTHESIS_DELTA, key, fusion, text=text),
            on_reasoning=lambda text: context.say(
                EventType.SYNTHESIS_REASONING_DELTA, key, fusion, text=text
            ),
        )
    except ProviderError as error:
        context.say(EventType.SYNTHESIS_FAILED, key, fusion, **failure(error))
        return context.state.calls[key]
    call = context.state.calls[key]
    if problem := unusable(call.text, call.reasoning, finish):
        context.say(EventType.SYNTHESIS_FAILED, key, fusion, **receipt(finish), **failure(problem))
    else:
        context.say(EventType.SYNTHESIS_COMPLETED, key, fusion, **receipt(finish))
    return call


def _messages(
    context: Context, material: Material, analysis: dict[str, Any] | None
) -> list[Message]:
    system = fill(
        context.spec.prompts.synthesis,
        fence=material.fence,
        and_analysis=" and an analysis that compares them" if analysis else "",
    )
    parts = [material.text()]
    if analysis:
        parts.append(material.fenced("ANALYSIS", analysis_text(analysis)))
    return [
        {"role": "system", "content": system + material.note},
        {"role": "user", "content": "\n\n".join(parts)},
    ]
