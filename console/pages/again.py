"""The form of another fusion (`run/_again.html`), and the rulings of the map that belong to it:
from what was posted to what is wished."""

from __future__ import annotations

import re
from typing import Any

from django.http import QueryDict

from ..engine.findings.ruling import find_claim
from ..models import Run
from ..services.rulings import PLAIN, ReaderWish, Ruled

_FIELD = re.compile(r"(?:verdict|note)-([a-z_]{1,30}-[0-9]{1,4})")
# What the forms to choose from ask of the writer.
_FORMS = {
    "table": "Write it as a table: a row for each of the choices there are, a column for each of "
    "the criteria. Below it say in two sentences what follows.",
    "short": "Be short: at most five sentences, the answer itself in the first.",
    "memo": "Write it as a decision memo: the decision, why, what was weighed against it, what it "
    "costs and risks, and what would change it.",
}
ANALYSIS_ONLY = "analysis"


def wish_of(post: QueryDict, run: Run) -> ReaderWish:
    """Of a form that only fuses, nothing."""
    if "again" not in post:
        return PLAIN
    way = post.get("way", "fuse")
    is_analysis = way == ANALYSIS_ONLY
    return ReaderWish(
        rulings=[*_in_the_map(post), *_kept(post, run)],
        facts=post.getlist("fact"),
        on=_number(post.get("on", "")),
        way="fuse" if is_analysis else way,
        preset=post.get("preset", ""),
        instruction="\n\n".join(filter(None, (_form(post), post.get("instruction", "").strip()))),
        analysis_only=is_analysis,
    )


def written(post: QueryDict) -> str:
    """All that somebody wrote at some length, for whom it is refused: it stays with them."""
    texts: list[Any] = [post.get("criteria"), post.get("instruction"), *post.getlist("fact")]
    texts += [post[name] for name in post if name.startswith("note-")]
    return "\n\n".join(text.strip() for text in texts if text and text.strip())


def _in_the_map(post: QueryDict) -> list[Ruled]:
    claims = dict.fromkeys(m[1] for name in post if (m := _FIELD.fullmatch(name)))
    ruled = (Ruled(c, post.get(f"verdict-{c}", ""), post.get(f"note-{c}", "")) for c in claims)
    return [ruling for ruling in ruled if not ruling.is_empty]


def _kept(post: QueryDict, run: Run) -> list[Ruled]:
    """Earlier ones that were not taken back; what the map has, too, is said there."""
    latest = run.fusions.order_by("-number").first()
    mapped = _mapped(post, run)
    kept, ruled = {*post.getlist("kept")}, latest.wish.get("rulings", []) if latest else []
    return [
        Ruled(one["claim"], one.get("verdict", ""), one.get("note", ""), one["on"])
        for one in ruled
        if f"{one['on']}:{one['claim']}" in kept and one["text"] not in mapped
    ]


def _mapped(post: QueryDict, run: Run) -> set[str]:
    """Words of the claims that the form's map has."""
    shown = run.fusions.filter(number=_number(post.get("on", "")) or 0).first()
    analysis = (shown.analysis if shown else None) or {}
    claims = (find_claim(analysis, m[1]) for name in post if (m := _FIELD.fullmatch(name)))
    return {claim.text for claim in claims if claim}


def _form(post: QueryDict) -> str:
    return _FORMS.get(post.get("form_of", ""), "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
