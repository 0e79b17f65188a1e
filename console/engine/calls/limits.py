"""Limits of a run, checked before each call: the place where spending limits sit too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from ..content import text_of
from ..errors import ProviderError, Reason
from ..provider import Message, Request
from ..spec import Policy
from ..state import CallState
from ..usage import money, total_cost

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


def keep_within(most: Decimal | None, calls: Collection[CallState], fusion: int | None) -> None:
    """What the calls up to the first fusion may come to, of a run of which nobody said how much it
    may cost: another one is made as long as what has ended cost less. Whatever is asked later is
    asked for by somebody who has seen the price. Raises ProviderError (`budget_exceeded`)."""
    if most is None or (fusion or 1) > 1:
        return
    spent, _ = total_cost(call.charged for call in calls if call.was_billable)
    if spent is not None and spent >= most:
        raise ProviderError(
            Reason.BUDGET_EXCEEDED,
            f"This run has cost {money(spent)} so far, and about {money(most / 3)} at most was "
            "expected of all of it. Whoever started it can let it go on for more.",
        )


def _used(reserved: Reserved, call: CallState) -> int:
    """As reported; where nothing is, an estimate from the request, if it was answered, and the
    text. Requests of a worker before this one are not known any more; nobody was asked for an
    answer from elsewhere."""
    if call.is_brought:
        return 0
    given, made = call.usage.input_tokens, call.usage.output_tokens
    if given is None:
        given = reserved.sizes.get(call.key, 0) if call.was_billable else 0
    if made is None:
        made = (len(call.text) + len(call.reasoning)) // CHARACTERS_PER_TOKEN
    return given + made


def _size(messages: list[Message]) -> int:
    return sum(len(text_of(message.get("content"))) for message in messages) // CHARACTERS_PER_TOKEN
