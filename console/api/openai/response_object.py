"""A response and the items of its output, in OpenAI's shape; a fusion is OpenRouter's item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...engine.state import RunState
from ...record.parts import Usage
from ..http.base import ApiCall
from ..http.errors import ApiError
from ..http.openrouter import openrouters_body
from ..planning.tools import SERVED, SERVER_TOOL, type_of
from . import shapes
from .chat_run import Chat
from .replies import (
    CallItem,
    FusionItem,
    FusionItemBegun,
    FusionOfResponse,
    Incomplete,
    Item,
    ItemStatus,
    MessageItem,
    OutputText,
    PictureItem,
    ReasoningItem,
    Response,
    ResponseError,
    ResponseSoFar,
    ResponseUsage,
    SummaryText,
)
from .requests import ResponseRequest
from .responses_input import PREFIX

# Why an answer was broken off -> OpenAI's word for it.
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def status_of(answer: shapes.FinalAnswer) -> Literal["completed", "incomplete"]:
    """Of a response that has ended, and of what its end is the end of."""
    return "incomplete" if answer.finish_reason in INCOMPLETE else "completed"


@dataclass(frozen=True)
class PendingResponse:
    """What was asked, and the run that is its first answer: the response bears its number."""

    call: ApiCall[ResponseRequest]
    first: Chat

    @property
    def number(self) -> str:
        return self.first.id

    def begun(self) -> ResponseSoFar:
        fields = self._fields([], self.first.model())
        return ResponseSoFar(**fields, status="in_progress", error=None, usage=None)

    def failed(self, error: ApiError, output: list[Item]) -> ResponseSoFar:
        why = ResponseError(code=error.code, message=error.message, **error.extra)
        if self.call.in_openrouters_words:
            why.metadata = openrouters_body(error)["error"]["metadata"]
        fields = self._fields(output, self.first.model())
        return ResponseSoFar(**fields, status="failed", error=why, usage=None)

    def finished(
        self, chat: Chat, state: RunState, answer: shapes.FinalAnswer, output: list[Item]
    ) -> Response:
        why = INCOMPLETE.get(answer.finish_reason)
        fields = self._fields(output, chat.model(state))
        if why:
            fields["incomplete_details"] = Incomplete(reason=why)
        elif state.finished_at:
            fields["completed_at"] = int(state.finished_at)
        if chat.shows_fusion:
            shared = set(FusionOfResponse.model_fields)
            shown = chat.fusion(state).model_dump(include=shared, exclude_unset=True)
            fields["fusion"] = FusionOfResponse(**shown)
        return Response(
            **fields,
            status=status_of(answer),
            error=None,
            usage=usage(chat.usage(state)),
        )

    def _fields(self, output: list[Item], model: str) -> dict[str, Any]:
        """Of a response, however it stands with it."""
        body, data = self.call.body, self.call.data
        return {
            "id": f"{PREFIX}{self.number}",
            "object": "response",
            "created_at": int(self.first.run.created_at.timestamp()),
            "completed_at": None,
            "frequency_penalty": None,
            "presence_penalty": None,
            "incomplete_details": None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": data.get("metadata") or {},
            "model": model,
            "output": output,
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": body.reasoning.effort if body.reasoning else None},
            "temperature": body.temperature,
            "text": {"format": (body.text and body.text.format) or {"type": "text"}},
            "tool_choice": body.tool_choice or "auto",
            "tools": [tool for tool in body.tools or () if type_of(tool) in SERVED],
            "top_p": body.top_p,
        }


def fusion_item(chat: Chat, state: RunState) -> FusionItem:
    shown = {name: value for name, value in chat.fusion(state) if value is not None}
    # OpenRouter leaves out what it does not know, and its clients take no null for that.
    return FusionItem(**shown | _begun(chat) | {"status": "completed"})


def fusion_item_begun(chat: Chat) -> FusionItemBegun:
    return FusionItemBegun(**_begun(chat), status="in_progress")


def _begun(chat: Chat) -> dict[str, Any]:
    # OpenAI's Python client takes an item that it does not know for a message: an empty one.
    return {"type": SERVER_TOOL, "id": fusion_id(chat), "content": []}


def fusion_id(chat: Chat) -> str:
    return f"fus_{chat.id}"


def message_id(chat: Chat) -> str:
    return f"msg_{chat.id}"


def reasoning_id(chat: Chat) -> str:
    return f"rs_{chat.id}"


def reasoning_item(chat: Chat, text: str, status: ItemStatus) -> ReasoningItem:
    """Its text stands as the summary, which every client reads: of the other place for it, that
    of raw thoughts, some know nothing."""
    return ReasoningItem(
        type="reasoning",
        id=reasoning_id(chat),
        status=status,
        summary=[summary(text)] if text else [],
    )


def summary(text: str) -> SummaryText:
    return SummaryText(type="summary_text", text=text)


def message_item(chat: Chat, text: str, status: ItemStatus) -> MessageItem:
    return MessageItem(
        type="message",
        id=message_id(chat),
        role="assistant",
        status=status,
        content=[part(text)] if text else [],
    )


def part(text: str) -> OutputText:
    return OutputText(type="output_text", text=text, annotations=[], logprobs=[])


def call_item(chat: Chat, number: int, called: dict[str, Any], status: ItemStatus) -> CallItem:
    function = called["function"]
    return CallItem(
        type="function_call",
        id=f"fc_{chat.id}_{number}",
        call_id=called["id"],
        name=function["name"],
        arguments="" if status == "in_progress" else function["arguments"],
        status=status,
    )


def picture_item(chat: Chat, number: int, address: str) -> PictureItem:
    return PictureItem(
        type="image_generation_call",
        id=f"ig_{chat.id}_{number}",
        status="completed",
        result=address.partition(",")[2],
    )


def usage(used: Usage) -> ResponseUsage:
    usage = ResponseUsage(
        input_tokens=used.prompt_tokens,
        input_tokens_details=used.prompt_tokens_details,
        output_tokens=used.completion_tokens,
        output_tokens_details=used.completion_tokens_details,
        total_tokens=used.total_tokens,
        cost=used.cost,
        cost_is_partial=used.cost_is_partial,
    )
    if used.cost is None:
        usage.model_fields_set.discard("cost")
    return usage
