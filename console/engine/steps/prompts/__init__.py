"""The prompts of judge and synthesizer: files, filled in one pass.

Only the names given are replaced, each once through, so braces inside a
model's answer stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from ...spec import Prompts

_HERE = Path(__file__).parent
# Of the fused answer, beside the full one that is usual: what the writer is told of it.
SHAPES = ("short", "memo")


@cache
def load() -> Prompts:
    return Prompts(
        **{n: (_HERE / f"{n}.md").read_text().strip() for n in Prompts.__dataclass_fields__}
    )


def shaped(prompts: Prompts, shape: str) -> Prompts:
    """For whoever writes alone: judges are told nothing of it."""
    if not shape:
        return prompts
    told = f"\n\n{_text(f'shape_{shape}')}"
    return replace(
        prompts,
        synthesis=prompts.synthesis + told,
        small_synthesis=prompts.small_synthesis + told,
    )


def shape_of(prompts: Prompts) -> str:
    """ "" where it is the usual one, or told in words that are not today's."""
    return next((s for s in SHAPES if prompts.synthesis.endswith(_text(f"shape_{s}"))), "")


def fill(template: str, **values: str) -> str:
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda m: values[m.group(1)], template)


def own_criteria(text: str) -> str:
    """What the preset or the reader adds to the prompt, as a sentence of it."""
    return f"\n\nBesides, and before all else, weigh this: {text.strip()}" if text.strip() else ""


def callers_instructions(text: str) -> str:
    """What a program's own system messages ask of the answer, after all that is ours."""
    return "\n\n" + fill(_text("instructions"), instructions=text) if text else ""


def readers_rulings(*, is_marked: bool) -> str:
    """How what a reader ruled and added is to be taken."""
    marks = f"\n\n{_text('reader_marks')}" if is_marked else ""
    return f"\n\n{_text('reader')}{marks}"


def wished_form(instruction: str) -> str:
    """What a reader wishes of the form."""
    return "\n\n" + fill(_text("wished_form"), instruction=instruction) if instruction else ""


def small_sources() -> str:
    """What a small model is told of pages that were read."""
    return _text("small_sources")


def looked_up_prompt() -> str:
    """What a writer is told of what was looked up for it."""
    return f"\n\n{_text('looked_up')}"


def lookup_prompt(**values: str) -> str:
    """What a judge is told that looks a claim up."""
    return fill(_text("lookup"), **values)


@cache
def _text(name: str) -> str:
    """Of those that no run stores."""
    return (_HERE / f"{name}.md").read_text().strip()
