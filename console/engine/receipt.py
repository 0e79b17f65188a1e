"""What the end of a call brings, as one value from the provider to the row.

A provider's `Finish` is a receipt, the event that ends the call carries it spread over
its data, and the fields of a call take it over: `state.CallState` has each under the same
name, which a test holds. So whoever stands between names none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Self

from .usage import Usage

# Who said what a call cost.
REPORTED = "reported"  # the provider
COMPUTED = "computed"  # we: usage times list price


@dataclass(frozen=True)
class Receipt:
    """`cost` is in US dollars, `cost_source` who said so; both say nothing where nobody knows.

    `model` is the concrete model that answered, `provider` who served it.
    `tool_calls` are what the model asks for, as chat APIs have them.
    `unreadable` pieces of the stream were passed over: their text is missing.
    `citations` are the web pages that the provider says the text rests on, each a `url` and
    a `title`, which may be empty; the `number` by which the text names one stands there where it
    is not its place.
    `attachments` are what came beside the text (`attachments.py`).
    `goes_on` is said of a call that ended in calls of our tools, and so leads to another: `back`
    has the fields of the message that its model wants to have back as they came (its thoughts,
    signed).
    """

    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    cost_source: str = ""
    model: str = ""
    provider: str = ""
    generation_id: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    unreadable: int = 0
    citations: tuple[dict[str, str], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    goes_on: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; lists without an entry and counts of nothing are left out."""
        said = ((f.name, _to_json(getattr(self, f.name))) for f in fields(Receipt))
        return {name: value for name, value in said if value not in ([], {}, 0)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """`data` may hold more than the receipt, or nothing of it."""
        said = {f.name: _from_json(f.name, data[f.name]) for f in fields(cls) if f.name in data}
        return cls(**said)


def _from_json(name: str, value: Any) -> Any:
    match name, value:
        case "usage", _:
            return Usage.from_dict(value)
        case "cost", str():
            return Decimal(value)
        case _, list():
            return tuple(value)
    return value


def _to_json(value: Any) -> Any:
    match value:
        case Usage():
            return value.to_dict()
        case Decimal():
            return str(value)
        case tuple():
            return list(value)
    return value
