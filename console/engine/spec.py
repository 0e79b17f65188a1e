"""The full, frozen configuration of a run.

A panelist is a model plus its options. Its seat, 0-based, is the key of its
column, its calls and its events, so the same model may sit twice. A seat's
letter (A for 0) is how people and the judge name it; model names never reach
the judge.

A run stores its own spec as JSON, so editing a preset never changes history.
`VERSION` counts the shapes that this JSON has had; spec_versions.py brings what
was stored in an older one up to date. Nothing in it is passed over: a field may
promise something, so one that is not known, or not there, is an error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Set
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any, Literal, get_args

from .spec_versions import (
    USUAL_LIMITS_OF_THE_FIRST,
    VERSION,
    SpecTooNew,
    SpecUnreadable,
    up_to_date,
)
from .terms import NONE, Terms
from .usage import Price
from .wait_for import EVERYONE, WaitFor

LETTERS = "ABCDEFGH"
MAX_SEATS = len(LETTERS)
# Where a run ends by itself: with the panel, or with the analysis; "": with the fused answer.
StopAfter = Literal["", "panel", "analysis"]
Way = Literal["shared", "files", "own", "provider"]
# Of a writer that was chosen for one fusion, in its row: the second says that the fusion carries
# a reader's wish (`FusionState.wish`). Versions that do not know it cannot read that writer, and
# leave the fusion to one that can.
PANELIST_VERSIONS = (1, 2)
HEEDS_WISHES = {"v": 2}


def letter(seat: int) -> str:
    return LETTERS[seat]


def short_name(model: str) -> str:
    """Without the author, as columns show it."""
    return model.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Panelist:
    """`credential` is the slug of the credential the model is called with.

    `brought_by` makes the seat hold an answer from elsewhere, named by `label`: nobody is asked
    there, `model` is who is said to have written it ("": nobody knows), and there is no
    credential. `fallback` is asked when this model fails for good, shown as such.
    `context_length` is in tokens, None where it is not known. `response_schema`
    asks for JSON of that schema instead of text. `terms` are what every call to it is
    made on, those of its run included.
    """

    model: str
    credential: str
    label: str = ""
    temperature: float | None = None
    max_output_tokens: int | None = None
    # Whether somebody chose that limit, or it is the usual one; None: stored before this was.
    limit_is_chosen: bool | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    system_prompt: str = ""
    price: Price | None = None
    context_length: int | None = None
    response_schema: dict[str, Any] | None = None
    # Whether its server's list says that it thinks before it answers, and how many seconds it
    # usually took here until its first word; None: nothing is known.
    reasons: bool | None = None
    # Whether it can be given tools, and whether its provider searches the web for it.
    takes_tools: bool | None = None
    searches: bool | None = None
    usual_first_token: float | None = None
    fallback: Panelist | None = None
    terms: Terms = NONE
    # False: it is too small to compare answers and to write from them; what it would have done
    # is done by words. `is_small`: it can, and is told so in few words. None: nothing is known.
    judges: bool | None = None
    is_small: bool | None = None
    # Whose name is on it, "" where nobody in particular brought it; None: it is a model's seat.
    brought_by: str | None = None

    @property
    def is_brought(self) -> bool:
        return self.brought_by is not None

    @property
    def known_as(self) -> str:
        """To programs: its model, or the name that an answer from elsewhere was given."""
        return self.model or self.label

    @property
    def can_judge(self) -> bool:
        return self.judges is not False

    @property
    def thinks(self) -> bool:
        """Before its first word, so that its silence says nothing."""
        if self.reasoning_effort:
            return self.reasoning_effort != "none"
        return bool(self.reasons)

    @property
    def short_name(self) -> str:
        return self.label if self.is_brought else short_name(self.model)

    @property
    def has_own_limit(self) -> bool:
        """A limit chosen for the seat stays with it, whoever sits there."""
        if self.max_output_tokens is None or self.limit_is_chosen is not None:
            return bool(self.limit_is_chosen)
        return self.max_output_tokens not in USUAL_LIMITS_OF_THE_FIRST

    def to_dict(self) -> dict[str, Any]:
        said = ((f.name, getattr(self, f.name)) for f in fields(self))
        data = {name: value for name, value in said if value not in (None, "")}
        data |= {"model": self.model, "credential": self.credential}
        if self.is_brought:
            data["brought_by"] = self.brought_by
        if self.price:
            data["price"] = self.price.to_dict()
        if self.fallback:
            data["fallback"] = self.fallback.to_dict()
        if self.terms == NONE:
            del data["terms"]
        else:
            data["terms"] = self.terms.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Panelist:
        """Raises SpecUnreadable. What is empty is left out when it is stored."""
        if data.get("v", 1) not in PANELIST_VERSIONS:
            raise SpecTooNew
        data = {name: value for name, value in data.items() if name != "v"}
        _must_hold(cls, data, required={"model", "credential"})
        fallback = data.get("fallback")
        terms = _terms(data["terms"]) if "terms" in data else NONE
        return cls(
            **(
                data
                | {
                    "price": Price.from_dict(data.get("price")),
                    "fallback": cls.from_dict(fallback) if fallback else None,
                    "terms": terms,
                }
            )
        )


# In the place of a judge where there is none: nobody compares the answers, nor writes from them.
NOBODY = Panelist("", "", judges=False)


@dataclass(frozen=True)
class Policy:
    """How long a run waits, how often it tries, and what it may use up.

    Times are seconds. None means no limit of ours. Once as many answers are in as
    `wait_for` asks for, who is silent has `grace` seconds left to begin, or
    `grace_factor` times what those answers took, whichever is longer: slow panels get
    more. Who writes or thinks is waited for `writing_factor` times that, at least
    `writing_seconds` (None: up to `panel_timeout`), and then writes on beside the
    fusion. Nobody counts as silent before `silent_factor` times the usual time to its
    first word, or before `silent_seconds` where that is not known (None: whoever has
    not begun is silent, whatever is known of it). A call is retried only before its
    first token and when nothing can have been billed; one that vanished after it was
    sent only with `repeat_unconfirmed`.
    """

    # of the panel
    wait_for: WaitFor = EVERYONE
    grace: float = 8
    grace_factor: float = 0.5
    writing_factor: float | None = 2
    writing_seconds: float = 60
    silent_factor: float | None = 2
    silent_seconds: float = 60
    panel_timeout: float = 300
    # of every call
    first_token_timeout: float = 180
    stall_timeout: float = 30
    # Without a word, as long as the server sends signs of life; they count where that is
    # longer than the limits above.
    alive_timeout: float = 300
    total_timeout: float = 900
    retries: int = 2
    max_retry_wait: float = 30
    repeat_unconfirmed: bool = False
    analysis_max_output_tokens: int | None = 8000
    synthesis_max_output_tokens: int | None = None
    # of the run
    max_calls: int | None = None
    max_tokens: int | None = None

    @property
    def heeds_signs_of_life(self) -> bool:
        return self.alive_timeout > self.stall_timeout

    def silence_of(self, who: Panelist) -> float:
        """Seconds after it was asked from which on its silence counts."""
        if self.silent_factor is None:
            return 0
        if who.thinks:
            return math.inf
        usual = who.usual_first_token
        return self.silent_seconds if usual is None else self.silent_factor * usual

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"wait_for": self.wait_for.to_json()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Policy:
        """Raises SpecUnreadable."""
        _must_hold(cls, data)
        try:
            return cls(**(data | {"wait_for": WaitFor.from_json(data["wait_for"])}))
        except ValueError as error:
            raise SpecUnreadable(str(error)) from None


@dataclass(frozen=True)
class Prompts:
    """Texts of `engine/prompts/`, copied so that a run can be read as it was asked."""

    analysis: str
    repair: str
    synthesis: str
    marks: str = ""
    condense: str = ""
    poll: str = ""
    # For whom `Panelist.is_small` is said of.
    small_analysis: str = ""
    small_synthesis: str = ""
    # Who searches the web for the run, and what is told of its sources.
    queries: str = ""
    sources: str = ""
    # What a seat is told that has tools to search and read with.
    tools: str = ""


@dataclass(frozen=True)
class Research:
    """What is looked up: on the web and in the files of the run's project before the panel is
    asked, the same for every seat (`shared`), or in those files alone (`files`); by each seat, with
    tools of ours (`own`: the limits are a seat's, `turns` is how often it is asked with tools,
    `seconds` is for the tools of one turn); or by the seats' providers (`provider`). Who has no
    such way gets what is looked up for all. `claims`: before the fused answer is written, what is
    doubtful in the analysis is looked up as well (findings/doubtful.py)."""

    queries: int = 3
    pages: int = 6
    seconds: float = 45
    way: Way = "shared"
    turns: int = 6
    claims: bool = False

    @property
    def is_for_all(self) -> bool:
        """What is looked up, is before the panel is asked."""
        return self.way in ("shared", "files")

    def __post_init__(self) -> None:
        if self.way not in get_args(Way):
            raise ValueError(f"There is no research “{self.way}”.")


@dataclass(frozen=True)
class Spec:
    panel: tuple[Panelist, ...]
    judge: Panelist
    prompts: Prompts
    synthesizer: Panelist | None = None
    policy: Policy = field(default_factory=Policy)
    preset: str = "custom"
    preset_name: str = "Custom"
    # Orders the answers for judge and synthesizer and makes the fence around them.
    shuffle_seed: int = 0
    # What the judge weighs beyond the usual, in the words of whoever made the preset.
    criteria: str = ""
    # Compare first: the run ends there, and is fused when the reader wishes.
    stop_after: StopAfter = ""
    # What an API request asks of the call that answers it, the synthesizer's: temperature,
    # max_output_tokens, seed, reasoning_effort, and `options` handed on as they are (tools,
    # response_format, stop …).
    request: dict[str, Any] = field(default_factory=dict)
    # What every call of the run is made on, also of those that are asked later.
    terms: Terms = NONE
    # None: nothing is looked up.
    research: Research | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.panel) <= MAX_SEATS:
            raise ValueError(f"A panel has 1 to {MAX_SEATS} seats, not {len(self.panel)}.")
        if self.stop_after not in get_args(StopAfter):
            raise ValueError(f"A run does not stop after “{self.stop_after}”.")

    @property
    def writer(self) -> Panelist:
        return self.synthesizer or self.judge

    @property
    def has_judge(self) -> bool:
        """A run of answers from elsewhere can do without: it ends with them side by side."""
        return self.judge != NOBODY

    @property
    def asked(self) -> list[int]:
        """Seats of models: an answer from elsewhere is there already."""
        return [seat for seat, panelist in enumerate(self.panel) if not panelist.is_brought]

    @property
    def brought(self) -> list[int]:
        return [seat for seat, panelist in enumerate(self.panel) if panelist.is_brought]

    def seat_names(self) -> list[str]:
        """Short model names, with the label or a number where a model sits twice."""
        return [*self._seat_names]

    @cached_property
    def _seat_names(self) -> list[str]:
        names = [p.short_name for p in self.panel]
        twice = {n for n, count in Counter(names).items() if count > 1}
        seen: Counter[str] = Counter()
        result = []
        for panelist, name in zip(self.panel, names, strict=True):
            seen[name] += 1
            if panelist.label and not panelist.is_brought:
                name = f"{name} · {panelist.label}"
            elif name in twice:
                name = f"{name} ({seen[name]})"
            result.append(name)
        return result

    def name_of(self, seat: int, panelist: Panelist) -> str:
        """A fallback, or a model a reader has put there, goes by its own name."""
        meant = self.panel[seat]
        is_meant = (panelist.model, panelist.is_brought) == (meant.model, meant.is_brought)
        return self._seat_names[seat] if is_meant else panelist.short_name

    def to_dict(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "preset": self.preset,
            "preset_name": self.preset_name,
            "panel": [p.to_dict() for p in self.panel],
            "judge": self.judge.to_dict(),
            "synthesizer": self.synthesizer.to_dict() if self.synthesizer else None,
            "policy": self.policy.to_dict(),
            "prompts": asdict(self.prompts),
            "shuffle_seed": self.shuffle_seed,
            "criteria": self.criteria,
            "stop_after": self.stop_after,
            "request": self.request,
            "terms": self.terms.to_dict(),
            "research": asdict(self.research) if self.research else None,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Spec:
        """Of any version back to the first. Raises SpecTooNew and SpecUnreadable."""
        data = up_to_date(data)
        _must_hold(cls, data)
        _must_hold(Prompts, data["prompts"])
        if data["stop_after"] not in get_args(StopAfter):
            raise SpecTooNew
        return cls(
            **(
                data
                | {
                    "panel": tuple(Panelist.from_dict(p) for p in data["panel"]),
                    "judge": Panelist.from_dict(data["judge"]),
                    "synthesizer": Panelist.from_dict(data["synthesizer"])
                    if data["synthesizer"]
                    else None,
                    "policy": Policy.from_dict(data["policy"]),
                    "prompts": _prompts(data["prompts"]),
                    "terms": _terms(data["terms"]),
                    "research": _research(data["research"]) if data["research"] else None,
                }
            )
        )


def _prompts(data: dict[str, Any]) -> Prompts:
    """Nearly always those of this version, 9 KB: once for all the runs that are at hand."""
    if not all(isinstance(text, str) for text in data.values()):
        raise SpecUnreadable("A text of Prompts is none.")
    return _kept_prompts(**data)


_kept_prompts = lru_cache(maxsize=16)(Prompts)


def _research(data: dict[str, Any]) -> Research:
    _must_hold(Research, data)
    if data["way"] not in get_args(Way):
        raise SpecTooNew
    return Research(**data)


def _terms(data: dict[str, Any]) -> Terms:
    _must_hold(Terms, data)
    return Terms.from_dict(data)


def _must_hold(kind: type[Any], data: dict[str, Any], required: Set[str] | None = None) -> None:
    """No field that is not known, and every one that is `required` (None: all of them)."""
    known = {f.name for f in fields(kind)}
    if unknown := data.keys() - known:
        raise SpecUnreadable(f"A {kind.__name__} has no {', '.join(sorted(unknown))}.")
    if missing := (known if required is None else required) - data.keys():
        raise SpecUnreadable(f"A {kind.__name__} lacks {', '.join(sorted(missing))}.")
