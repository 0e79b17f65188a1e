"""What a call that has ended is settled at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..engine.calls.window import tokens_in
from ..engine.errors import Reason
from ..engine.state import CallState, CallStatus
from ..models.money import Hold
from .amounts import cost, nano

# Refused before a model read anything, and so by nobody charged for.
_NOBODY_CHARGES = {
    *(Reason.UNREACHABLE, Reason.DNS, Reason.TLS, Reason.CONFIGURATION, Reason.UNAUTHORIZED),
    *(Reason.INSUFFICIENT_CREDITS, Reason.FORBIDDEN, Reason.INVALID_MODEL, Reason.BAD_REQUEST),
    *(Reason.CONTEXT_LENGTH, Reason.RATE_LIMITED, Reason.REDIRECT, Reason.BUDGET_EXCEEDED),
}


@dataclass(frozen=True)
class End:
    """`cost` is None where nobody said it; then it is estimated from what arrived."""

    key: str
    cost: Decimal | None
    input_tokens: int | None
    output_tokens: int | None
    text: str = ""
    reasoning: str = ""

    def settles(self, hold: Hold) -> tuple[int, bool]:
        """Nano-dollars, and whether they are an estimate, which never exceeds what was held."""
        if self.cost is not None:
            return nano(self.cost), False
        given, made = self.input_tokens, self.output_tokens
        if given is None:
            given = hold.input_tokens
        if made is None:
            made = tokens_in(self.text) + tokens_in(self.reasoning)
        whole = cost(given, hold.input_price_nano, made, hold.output_price_nano)
        return min(whole, hold.amount_nano), True


def end_of(call: CallState) -> End:
    known = call.cost
    if known is None and _nobody_charges(call):
        known = Decimal(0)
    usage = call.usage
    return End(call.key, known, usage.input_tokens, usage.output_tokens, call.text, call.reasoning)


def _nobody_charges(call: CallState) -> bool:
    if call.sent_at is None:
        return True
    came_back = call.was_billable or call.status is not CallStatus.FAILED
    refused = call.reason in _NOBODY_CHARGES or call.status_code is not None
    return refused and not came_back
