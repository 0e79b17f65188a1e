"""What looking things up on the web adds to what a run will cost: the judge's queries, and what
everybody then reads beside the question; or the turns of a seat that looks up by itself, which
reads with each of them all that was said before; or what its provider asks for a search."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from ..engine.findings.doubtful import MOST
from ..engine.spec import Panelist, Spec, Way, letter
from ..engine.steps.given_sources import room
from ..engine.steps.look_up import OUTPUT as OF_FINDINGS
from ..engine.steps.look_up import PAGES
from ..engine.steps.own_tools import PAGE
from ..engine.steps.research import OUTPUT
from ..research.researcher import price_of_a_search

QUERIES = (20, 120)  # tokens: a few of some words
FINDINGS = (60, 400)  # tokens: what pages say of a claim
_CLAIMS = 2  # that are in doubt at least as often as not
_QUERIES_OF_A_CLAIM = 3  # a contradiction's: its own words and those of two positions
_TOLD = 200  # tokens: what is asked for
_OF_A_PAGE = 1_500  # tokens that a page has at least as often as not
_TURNS = 3  # of a seat with tools: it searches, opens what it found, and answers
_TOOLS = 450  # tokens: the tools, and what is said of them
_ASKS = 60  # tokens that a turn writes to ask for them
_OF_A_RESULT = 500  # tokens of what a provider's search gives its model of a page


def writes_queries(spec: Spec) -> bool:
    """Else they are the question's own words, which nobody is asked for; where each seat looks up
    by itself, for those that cannot."""
    is_for_any = any(way_of(spec, spec.panel[seat]) == "shared" for seat in spec.asked)
    return bool(spec.research and is_for_any and spec.judge.can_judge and spec.prompts.queries)


def reads_for_queries(asked: int) -> int:
    return asked + _TOLD


def most_queries(judge: Panelist) -> int | None:
    return None if judge.thinks else OUTPUT


def looks_claims_up(spec: Spec) -> bool:
    """Before the fused answer is written."""
    is_wished = bool(spec.research and spec.research.claims)
    return is_wished and spec.judge.can_judge and spec.writer.can_judge


def claims_looked_up(spec: Spec, factor: float) -> tuple[float, float]:
    """(how many, tokens that the judge reads for each)."""
    pages = min(room(spec.judge, 0), PAGES * _OF_A_PAGE * factor)
    return min(MOST, _CLAIMS * factor), _TOLD + pages


def most_findings(judge: Panelist) -> int | None:
    return None if judge.thinks else OF_FINDINGS


def way_of(spec: Spec, seat: Panelist) -> Way:
    research = spec.research
    if research and research.way == "own":
        is_able = seat.takes_tools is not False and seat.can_judge and not seat.is_small
        return "own" if is_able else "shared"
    if research and research.way == "provider" and seat.searches:
        return "provider"
    return "shared"


def told_of(spec: Spec) -> list[str]:
    """What the price does not say by itself, in sentences."""
    research = spec.research
    if research is None or research.way == "shared":
        return []
    others = [letter(seat) for seat in spec.asked if way_of(spec, spec.panel[seat]) == "shared"]
    is_own = research.way == "own"
    said = []
    if len(others) < len(spec.asked):
        own = f"Seats look things up by themselves, in some {_TURNS} calls each."
        said.append(own if is_own else "Providers search for their seats, for a fee.")
    if others:
        why = "no tools can be used" if is_own else "no search is offered"
        said.append(f"For {', '.join(others)} pages are looked up beforehand: {why} there.")
    return said


def of_a_seat(
    spec: Spec, seat: Panelist, asked: int, factor: float
) -> tuple[float, float, Decimal]:
    """(tokens that it reads more, that it writes more, fees in US dollars)."""
    research = spec.research
    if research is None:
        return 0.0, 0.0, Decimal(0)
    match way_of(spec, seat):
        case "own":
            told = min(research.pages * PAGE, research.pages / 2 * _OF_A_PAGE * factor)
            again = _TURNS * _TOOLS + (_TURNS - 1) * asked
            return again + told * 1.5, (_TURNS - 1) * _ASKS, Decimal(0)
        case "provider":
            return (
                research.pages * _OF_A_RESULT * factor,
                0.0,
                settings.SEARCH_PRICES["result"] * research.pages,
            )
    return extracts(spec, seat, asked, factor), 0.0, Decimal(0)


def searching(spec: Spec) -> tuple[Decimal, Decimal] | None:
    """US dollars: of one search, and of as many as there may be."""
    price = price_of_a_search() if spec.research else Decimal(0)
    if not (spec.research and price):
        return None
    claims = MOST * _QUERIES_OF_A_CLAIM if looks_claims_up(spec) else 0
    return price, price * (spec.research.queries + claims)


def extracts(spec: Spec, reader: Panelist, asked: int, factor: float) -> float:
    """Tokens of pages that are as many times as long as usual, as far as they have room."""
    if spec.research is None:
        return 0.0
    return min(room(reader, asked), spec.research.pages * _OF_A_PAGE * factor)
