"""What one scenario says: what an upstream does, and all that must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from console.engine.errors import Reason
from console.engine.usage import Price
from tests.upstream import Script
from tests.upstream.places import Place

# Dear, so that a call of a few words costs cents that can be read.
PRICE = Price(Decimal(1000), Decimal(2000))
PROMPT = "What is the answer?"
PROMPT_TOKENS = 4

Role = Literal["panel", "judge", "synthesizer"]
Does = Script | Sequence[Script] | Callable[[], AbstractContextManager[Place]]


def cost(output_tokens: int, prompt_tokens: int = PROMPT_TOKENS) -> Decimal:
    return (prompt_tokens * PRICE.input + output_tokens * PRICE.output) / 1_000_000


@dataclass(frozen=True)
class Scenario:
    """One row of the catalogue, or one variant of it.

    Beside the seat that misbehaves two good siblings answer, and a good judge compares
    what there is. `text` is what is saved, to the letter; `sent` what the upstream had
    said, where that is more. `waits` is how many seconds the whole step takes at least,
    tries included.
    """

    id: str
    title: str
    does: Does
    sees: tuple[str, ...]  # words in the column
    reason: Reason | None = None  # None: the answer is complete
    text: str | None = ""  # None: too long to spell out, see `sent`
    sent: str = ""
    reasoning: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    cost: Decimal | None = None
    calls: int = 1
    waits: float = 0
    role: Role = "panel"
    policy: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = PROMPT
    kind: str = "openai_compatible"
    peak_mib: float | None = None  # memory the process may take on top
    usual: bool = False  # runs on every transport, not only with FUSION_LONG_TESTS
    long: bool = False  # runs only with FUSION_LONG_TESTS
    uses: str = ""  # "hanging_dns" or "trusted_authority": what the test sets up

    def __str__(self) -> str:
        return f"{self.id} {self.title}"


def good(text: str = "One two three.", **script: Any) -> Script:
    return Script(text=text, **script)


def completed(id: str, title: str, does: Does, text: str, **more: Any) -> Scenario:
    """The fault does no harm: the whole text is there. Usage is the upstream's own count."""
    words = len(text.split())
    usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": words}
    said: dict[str, Any] = {"usage": usage, "cost": cost(words), "sees": ("done",)}
    return Scenario(id, title, does, text=text, **said | more)
