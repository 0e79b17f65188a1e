"""`POST /v1/chat/completions`."""

from __future__ import annotations

from django.http import HttpResponseBase, JsonResponse

from ...engine.state import RunState
from ...models.tokens import Scope
from ..http.base import ApiCall, endpoint
from ..http.disconnect import begun
from ..http.patience import patient
from ..http.replies import ErrorReply
from . import shapes
from .chat_run import Chat, answered, begin
from .chat_stream import stream_response
from .replies import (
    Called,
    ChatChunk,
    ChatCompletion,
    Choice,
    Image,
    ImageAddress,
    Message,
    ReasoningDetail,
)
from .requests import ChatRequest


@endpoint(
    Scope.RUN,
    body=ChatRequest,
    spending=True,
    reply=ChatCompletion,
    streams="asked",
    events=(ChatChunk, ErrorReply),
    fails=(424,),
    example={
        "model": "fusion",
        "messages": [{"role": "user", "content": "Name one prime number."}],
    },
)
async def chat_completions(call: ApiCall[ChatRequest]) -> HttpResponseBase:
    """Ask a panel, or one model, in OpenAI's words."""
    chat = await begun(call, begin)
    call.has_asked = True
    if call.body.stream:
        return stream_response(chat)
    return await patient(call, _whole(chat))


async def _whole(chat: Chat) -> JsonResponse:
    chat, state, answer = await answered(chat)
    pictures = await chat.pictures(answer)
    return JsonResponse(_completion(chat, state, answer, pictures).payload())


def _completion(
    chat: Chat, state: RunState, answer: shapes.FinalAnswer, pictures: list[str]
) -> ChatCompletion:
    message = Message(role="assistant", content=answer.text or None, refusal=None)
    if chat.shows_reasoning and answer.reasoning:
        message.reasoning = answer.reasoning
        message.reasoning_details = [
            ReasoningDetail(type="reasoning.text", text=answer.reasoning, index=0)
        ]
    if answer.tool_calls:
        message.tool_calls = [Called(**call) for call in answer.tool_calls]
    if pictures:
        message.images = [Image(type="image_url", image_url=ImageAddress(url=p)) for p in pictures]
    choice = Choice(index=0, message=message, finish_reason=answer.finish_reason, logprobs=None)
    completion = ChatCompletion(
        id=f"chatcmpl-{chat.run.pk}{chat.of_turn}",
        object="chat.completion",
        created=int(chat.run.created_at.timestamp()),
        model=chat.model(state),
        provider=chat.provider,
        system_fingerprint=None,
        choices=[choice],
        usage=chat.usage(state),
    )
    if chat.shows_fusion:
        completion.fusion = chat.fusion(state)
    return completion
