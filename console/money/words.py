"""Which budget said no, to what, and who may raise it, in a sentence."""

from __future__ import annotations

from ..models.money import DAY, MONTH, PERSON, PROJECT, RUN, SITE, TOKEN, USUAL, Purse
from .amounts import about, plain
from .asking import Ask

OF_THIS_RUN = "This run's "
_OWNERS = {
    RUN: f"{OF_THIS_RUN}budget",
    USUAL: f"{OF_THIS_RUN}usual budget",
    PERSON: "The budget of the person who asked",
    TOKEN: "This token's budget",
    PROJECT: "The project's budget",
    SITE: "This site's budget",
}
_PERIODS = {DAY: " a day", MONTH: " a month"}
_GOES_ON = "Whoever started it can let it go on for more."
_RAISED = {
    RUN: _GOES_ON,
    USUAL: _GOES_ON,
    TOKEN: "Its owner or an admin can raise it.",
    PROJECT: "Whoever made the project or an admin can raise it.",
}
WARNED_AT = 80  # percent
BY_AN_ADMIN = "An admin can raise it."


def named(purse: Purse) -> str:
    owner = _OWNERS.get(purse.kind, "A budget")
    if purse.kind == USUAL:  # computed: nobody set it to the last figure
        made_of = "three times what was expected or a whole attempt of each call"
        return f"{owner} of {about(purse.limit_nano)}, {made_of},"
    return f"{owner} of {plain(purse.limit_nano)}{_PERIODS.get(purse.period, '')}"


def who_may_raise(purse: Purse) -> str:
    return _RAISED.get(purse.kind, BY_AN_ADMIN)


def denied(purse: Purse, ask: Ask, left: int) -> str:
    most, what = about(ask.amount()), "search of the web" if ask.engine else "call"
    how = "costs" if ask.engine else "may cost"
    return (
        f"{named(purse)} does not pay for this {what}: it {how} {most}, and {about(left)} is left."
        f" {who_may_raise(purse)}"
    )


def unpriced(purse: Purse, ask: Ask) -> str:
    return (
        f"{named(purse)} cannot be kept with {ask.model}: nobody knows what it costs. "
        "An admin can set what such models are counted with (FUSION_WORST_PRICE)."
    )


def used_up(purse: Purse) -> str:
    return f"{named(purse)} is used up. {who_may_raise(purse)}"


def state(limit: int, spent: int) -> str:
    """What an admin should know of a budget, once most of it is spent: it changes when that is."""
    if spent > limit:
        return "overspent: a provider billed more than its list says, or the limit was lowered"
    if spent == limit:
        return "used up"
    return f"{WARNED_AT} % are spent" if spent * 100 >= limit * WARNED_AT else ""
