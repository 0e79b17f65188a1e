"""Limits of a run in calls and tokens, checked before each call; those in money are held by whoever
admits it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ..content import text_of
from ..errors import ProviderError, Reason
from ..provider import Message, Request
from ..spec import Policy
from ..state import CallState

CHARACTERS_PER_TOKEN = 4


@dataclass
class Reserved:
    """Tokens that calls under way may come to, and the size of every request, for those of
    which no usage is reported."""

    tokens: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def free(self, key: str) -> None:
        self.tokens.pop(key, None)


def reserve(
    reserved: Reserved, policy: Policy, calls: Collection[CallState], key: str, request: Request
) -> None:
    """Sets aside what the call may use up. Raises ProviderError (`budget_exceeded`)."""
    sent = sum(1 for call in calls if call.sent_at is not None)
    if policy.max_calls is not None and sent >= policy.max_calls:
        raise ProviderError(
            Reason.BUDGET_EXCEEDED, f"This run may make at most {policy.max_calls:,} calls."
        )
    size = _size(request.messages) + sum(file.tokens for file in request.files.values())
    need = size + (request.max_output_tokens or 0)
    used = sum(_used(reserved, call) for call in calls if call.key not in reserved.tokens)
    left = (policy.max_tokens or 0) - used - sum(reserved.tokens.values())
    if policy.max_tokens is not None and need > left:
        raise ProviderError(
            Reason.BUDGET_EXCEEDED,
            f"This run may use at most {policy.max_tokens:,} tokens; {max(left, 0):,} are left, "
            f"and this call could need {need:,}.",
        )
    reserved.tokens[key], reserved.sizes[key] = need, size


def _used(reserved: Reserved, call: CallState) -> int:
    """As reported; where nothing is, an estimate from the request, if it was answered, and the
    text. Requests of a worker before this one are not known any more; nobody was asked for an
    answer from elsewhere or from another run."""
    if call.is_brought or call.is_taken:
        return 0
    given, made = call.usage.input_tokens, call.usage.output_tokens
    if given is None:
        given = reserved.sizes.get(call.key, 0) if call.was_billable else 0
    if made is None:
        made = (len(call.text) + len(call.reasoning)) // CHARACTERS_PER_TOKEN
    return given + made


def _size(messages: list[Message]) -> int:
    return sum(len(text_of(message.get("content"))) for message in messages) // CHARACTERS_PER_TOKEN
