"""Claims that a writer is about to use and that are in doubt: the answers contradict each other, or
one of them says it alone. Where a run wishes it they are looked up before anything is written, and
what pages say of them is told to the writer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from .. import pool as pools
from ..pool import Pool
from ..text import ended
from .ruling import NamedClaim, find_claim

MOST = 4
_PARTS = ("contradictions", "unique_insights")
_NOT_SAID = "{count} read for it; nothing of it was found there."


def doubtful(analysis: Mapping[str, Any]) -> list[NamedClaim]:
    """What contradicts itself first, then what one says alone, each in the judge's order."""
    found = (
        find_claim(analysis, f"{part}-{place}")
        for part in _PARTS
        for place in range(1, len(analysis.get(part) or ()) + 1)
    )
    return [claim for claim in found if claim][:MOST]


def looked_up_before(pool: Pool, fusion: int) -> list[dict[str, Any]]:
    """For the writer of this fusion, not for a reader."""
    return [one for one in pools.lookups(pool) if one["fusion"] == fusion and one.get("before")]


def known_of(pool: Pool, claims: Sequence[NamedClaim]) -> list[dict[str, Any]]:
    """The last look at each of them that came to its end, whoever asked for it."""
    last = {one["text"]: one for one in pools.lookups(pool) if _is_done(one)}
    return [last[claim.text] for claim in claims if claim.text in last]


def told_to_writer(looks: Sequence[Mapping[str, Any]]) -> str:
    """Claims and quotes were written by models: each on one line. A quote that does not stand in
    its page is left out."""
    return "\n".join(chain.from_iterable(map(_told, looks)))


def note_of(pool: Pool, fusion: int) -> str:
    """Of the fused answer: what was looked up for it, and what could not be."""
    looks = looked_up_before(pool, fusion)
    if any(not one.get("is_over") for one in looks):
        return ""
    failed = [one for one in looks if one.get("note")]
    done = [one for one in looks if _is_done(one)]
    said = [f"Before the fused answer was written, {_claims(done)} looked up."] if done else []
    if failed:
        why = " ".join(dict.fromkeys(ended(one["note"]) for one in failed))
        others = "more " if done else ""
        said.append(
            f"Written without the look-up of {len(failed)} {others}"
            f"claim{'s' * (len(failed) > 1)}. {why}"
        )
    return " ".join(said)


def _is_done(one: Mapping[str, Any]) -> bool:
    return bool(one.get("is_over")) and not one.get("note")


def _claims(looks: Sequence[Any]) -> str:
    return "1 claim was" if len(looks) == 1 else f"{len(looks)} claims were"


def _told(one: Mapping[str, Any]) -> list[str]:
    lines = [f"- {'Question' if one['stances'] else 'Claim'}: “{_one_line(one['text'])}”"]
    lines += [f"  Position {n}: “{_one_line(s)}”" for n, s in enumerate(one["stances"], 1)]
    quotes = [quote for quote in one.get("quotes", ()) if quote["found"]]
    lines += [
        f"  Source {quote['source']}{_says(quote['says'])}: “{_one_line(quote['quote'])}”"
        for quote in quotes
    ]
    if not quotes:
        count = len(one.get("sources", ()))
        lines.append(f"  {_NOT_SAID.format(count='1 page' if count == 1 else f'{count} pages')}")
    return lines


def _says(says: str) -> str:
    if says.startswith("stance-"):
        return f", for position {says.removeprefix('stance-')}"
    return {"supports": ", for it", "contradicts": ", against it"}.get(says, "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
