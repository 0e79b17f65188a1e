"""`POST /v1/responses`."""

from __future__ import annotations

from django.http import HttpResponseBase, JsonResponse

from ...models.tokens import Scope
from ..http.base import ApiCall, endpoint
from ..http.disconnect import begun
from ..http.errors import ApiError
from ..http.patience import patient
from .chat_run import answered, begin
from .replies import Item, OtherEvent, Response, ResponseEvent
from .requests import ResponseRequest
from .response_object import (
    PendingResponse,
    call_item,
    fusion_item,
    message_item,
    picture_item,
    reasoning_item,
    status_of,
)
from .responses_input import as_chat, in_our_words
from .responses_stream import stream_response


@endpoint(
    Scope.RUN,
    body=ResponseRequest,
    spending=True,
    reply=Response,
    streams="asked",
    events=(ResponseEvent, OtherEvent),
    fails=(424,),
    example={"model": "fusion", "input": "Name one prime number."},
)
async def responses(call: ApiCall[ResponseRequest]) -> HttpResponseBase:
    """Ask a panel, or one model, in the words of OpenAI's Responses."""
    asked = await begun(call, _begin)
    call.has_asked = True
    if call.body.stream:
        return stream_response(asked)
    return await patient(call, _whole(asked))


async def _whole(asked: PendingResponse) -> JsonResponse:
    chat, state, answer = await answered(asked.first)
    output: list[Item] = []
    if chat.shows_panel:
        output.append(fusion_item(chat, state))
    if chat.shows_reasoning and answer.reasoning:
        output.append(reasoning_item(chat, answer.reasoning, "completed"))
    if answer.text:
        output.append(message_item(chat, answer.text, status_of(answer)))
    for number, called in enumerate(answer.tool_calls):
        output.append(call_item(chat, number, called, status_of(answer)))
    for number, address in enumerate(await chat.pictures(answer)):
        output.append(picture_item(chat, number, address))
    return JsonResponse(asked.finished(chat, state, answer, output).payload())


def _begin(call: ApiCall[ResponseRequest]) -> PendingResponse:
    try:
        return PendingResponse(call, begin(as_chat(call)))
    except ApiError as error:
        raise in_our_words(error) from None
