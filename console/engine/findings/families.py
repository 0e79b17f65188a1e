"""Who made a model, as far as its name tells, and what that says about its judgement.

Models favour answers of their own kind, and do not notice. Names are hidden
from the judge, but style is not: where judge or writer are related to a seat,
the reader is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..spec import Panelist, letter

# The author in front of a slash, where it is not what people call the family.
_AUTHORS = {
    "meta-llama": "meta",
    "meta": "meta",
    "mistral": "mistral",
    "mistralai": "mistral",
    "x-ai": "xai",
    "xai": "xai",
    "moonshotai": "moonshot",
    "z-ai": "zhipu",
    "thudm": "zhipu",
    "zai-org": "zhipu",
    "alibaba": "qwen",
    "deepseek-ai": "deepseek",
    "huggingfacetb": "huggingface",
    "google-vertex": "google",
}
# Names by which models of a maker begin, at whatever host they are asked.
_NAMES = {
    "openai": r"gpt|chatgpt|codex|o[134](?=$|[-:])|davinci",
    "anthropic": r"claude",
    "google": r"gemini|gemma|palm(?!yra)|codegemma|medgemma",
    "meta": r"(?:meta-)?llama|codellama",
    "mistral": r"(?:open-)?mi[sx]tral|codestral|ministral|magistral|devstral|pixtral|voxtral",
    "qwen": r"qwen|qwq|qvq",
    "deepseek": r"deepseek",
    "xai": r"grok",
    "moonshot": r"kimi|moonshot",
    "zhipu": r"glm|chatglm|zai-glm",
    "cohere": r"command|c4ai|aya",
    "microsoft": r"phi|wizardlm|orca",
    "nvidia": r"nemotron|nvidia",
    "amazon": r"nova|titan",
    "minimax": r"minimax",
    "huggingface": r"smollm|zephyr",
    "ibm": r"granite",
    "allenai": r"olmo|tulu",
}
_STEMS = [(family, re.compile(rf"(?:{names})")) for family, names in _NAMES.items()]
# Bedrock's names begin with a region and the maker: us.anthropic.claude-…, us.deepseek.r1-…
_IN_FRONT = re.compile(r"[a-z]+\.")
# Hosts and rooms of one's own, which made nothing.
_HOSTS = {"openrouter", "azure", "bedrock", "groq", "together", "fireworks", "ollama", "library"}


def family(model: str) -> str:
    """The maker's name in small letters, or "" where the name does not tell."""
    *authors, name = model.strip().lower().lstrip("~").split("/")
    # A name of a well-known kind says more than the account it is published by.
    for at in _beginnings(name):
        for kind, pattern in _STEMS:
            if pattern.match(name, at):
                return kind
    author = authors[-1] if authors else ""
    return "" if author in _HOSTS else _AUTHORS.get(author, author)


def _beginnings(name: str) -> Iterator[int]:
    at = 0
    yield at
    while in_front := _IN_FRONT.match(name, at):
        at = in_front.end()
        yield at


@dataclass(frozen=True)
class Kin:
    """`badge` says in few words what `sentence` says in full."""

    badge: str
    sentence: str


def kin(panel: Sequence[Panelist], judge: Panelist, writer: Panelist) -> list[Kin]:
    """Where judge and writer sit on the panel, or are related to it. Who cannot judge favours
    nobody."""
    if not (judge.can_judge or writer.can_judge):
        found = []
    elif not judge.can_judge:
        found = [_kin("Writer", "The writer", writer, panel)]
    elif not writer.can_judge:
        found = [_kin("Judge", "The judge", judge, panel)]
    elif judge.model == writer.model:
        found = [_kin("Judge", "The judge, who also writes,", judge, panel)]
    else:
        found = [
            _kin("Judge", "The judge", judge, panel),
            _kin("Writer", "The writer", writer, panel),
        ]
    return [kin for kin in found if kin]


def kinship(panel: Sequence[Panelist], judge: Panelist, writer: Panelist) -> list[str]:
    return [found.sentence for found in kin(panel, judge, writer)]


def one_family(panel: Sequence[Panelist]) -> Kin | None:
    """Where all seats are of one maker."""
    families = {family(p.model) for p in panel}
    if len(panel) < 2 or len(families) > 1 or families == {""}:
        return None
    sentence = (
        f"All seats are of one family ({families.pop()}): "
        "where it errs as a whole, none of them notices."
    )
    return Kin("One family", sentence)


def _kin(short: str, who: str, model: Panelist, panel: Sequence[Panelist]) -> Kin | None:
    if itself := [seat for seat, p in enumerate(panel) if p.model == model.model]:
        at = _letters(itself)
        sentence = f"{who} also sits on the panel ({at}) and may favour its own answer."
        return Kin(f"{short} on the panel", sentence)
    kind = family(model.model)
    if related := [seat for seat, p in enumerate(panel) if kind and family(p.model) == kind]:
        at = _letters(related)
        sentence = f"{who} is of one family with {at} ({kind}) and may favour its own kind."
        return Kin(f"{short} related to {at}", sentence)
    return None


def _letters(seats: Sequence[int]) -> str:
    *first, last = map(letter, seats)
    return f"{', '.join(first)} and {last}" if first else last
