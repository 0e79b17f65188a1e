"""What is stored of a run's configuration is read for ever, whole or not at all."""

import json
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.engine.spec import Panelist, Policy, Prompts, Research, Spec
from console.engine.spec_versions import VERSION, SpecTooNew, SpecUnreadable
from console.engine.terms import NONE, Terms
from console.engine.usage import Price
from console.engine.wait_for import ALL_BUT_ONE, WaitFor, at_least

STORED = Path(__file__).parents[1] / "data" / "specs"


def stored(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return data


def test_a_spec_of_the_first_runs_means_what_it_meant() -> None:
    spec = Spec.from_dict(stored("1-first"))
    assert [p.model for p in spec.panel] == ["maker/alpha", "tiny"]
    assert spec.panel[0].price == Price(Decimal("1.5"), Decimal(6))
    assert (spec.panel[1].label, spec.panel[1].seed, spec.panel[1].temperature) == ("bold", 33, 0.9)
    assert spec.writer == spec.judge and (spec.preset, spec.shuffle_seed) == ("quality", 7)
    assert spec.prompts == Prompts("Compare.", "Mend it.", "Write.")
    assert (spec.policy.stall_timeout, spec.policy.analysis_max_output_tokens) == (20, 600)
    assert (spec.policy.grace, spec.policy.panel_timeout) == (8, 900)
    assert waits_as_before(spec, ALL_BUT_ONE)
    assert (spec.criteria, spec.stop_after, spec.request) == ("", "", {})


def test_a_spec_without_a_version_that_stops_after_its_panel_still_does() -> None:
    spec = Spec.from_dict(stored("1"))
    assert spec.stop_after == "panel"
    assert waits_as_before(spec, at_least(2))
    policy = (spec.policy.grace, spec.policy.max_calls, spec.policy.repeat_unconfirmed)
    assert policy == (3, 9, True)
    assert spec.panel[0].fallback == Panelist("spare", "test", max_output_tokens=300)
    assert spec.writer.model == "pen" and spec.judge.fallback
    assert (spec.criteria, spec.prompts.poll) == ("Weigh legal risk.", "Prefer?")
    assert spec.request == {"temperature": 0.5, "options": {"stop": ["\n"]}}
    assert Spec.from_dict(spec.to_dict()) == spec


def test_a_spec_of_the_third_version_keeps_what_was_asked_of_data_and_money() -> None:
    spec = Spec.from_dict(stored("3"))
    assert spec.terms.promises == ["zero_retention", "only_providers"]
    assert spec.terms.words == ["zero retention", "only azure, openai"]
    assert spec.panel[1].terms.ignored_providers == ("deepinfra",)
    # Whoever was to judge was asked, all in the same words.
    assert all(p.can_judge and not p.is_small for p in (*spec.panel, spec.judge, spec.writer))
    assert spec.prompts.small_analysis == spec.prompts.small_synthesis == ""


def test_a_spec_of_the_fourth_version_says_who_is_too_small_to_judge() -> None:
    data = stored("4")
    spec = Spec.from_dict(data)
    assert [p.can_judge for p in spec.panel] == [True, False, True]
    assert spec.writer.is_small and spec.prompts.small_synthesis == "Write briefly."
    new = {"queries": "", "sources": "", "tools": ""}
    told = {"v": VERSION, "research": None, "prompts": data["prompts"] | new}
    assert spec.to_dict() == data | told


def test_a_spec_of_the_fifth_version_has_an_answer_from_elsewhere_in_a_seat() -> None:
    data = stored("5")
    spec = Spec.from_dict(data)
    assert (spec.brought, spec.asked) == ([3], [0, 1, 2])
    assert (spec.panel[3].label, spec.panel[3].brought_by) == ("ChatGPT, on Tuesday", "alice")
    # Before, a model sat in every seat.
    assert all(not Spec.from_dict(stored(v)).brought for v in ("1-first", "1", "2", "3", "4"))


def test_a_spec_of_the_sixth_version_says_what_is_looked_up() -> None:
    data = stored("6")
    spec = Spec.from_dict(data)
    assert spec.research == Research(queries=3, pages=6, seconds=45)
    # Until then it was the same for every seat.
    since = {"turns": 6, "claims": False}
    new = {"research": data["research"] | since, "prompts": data["prompts"] | {"tools": ""}}
    assert spec.to_dict() == data | new | {"v": VERSION}
    assert Spec.from_dict(stored("5")).research is None


def test_a_spec_of_the_seventh_version_says_who_looks_up_what() -> None:
    data = stored("7")
    spec = Spec.from_dict(data)
    assert spec.research == Research(2, 4, 30, "own", 5)
    assert [(p.takes_tools, p.searches) for p in spec.panel] == [
        (True, None),
        (False, None),
        (None, True),
        (None, None),
    ]
    # Until then claims were looked up for readers alone.
    new = {"research": data["research"] | {"claims": False}}
    assert spec.to_dict() == data | new | {"v": VERSION}


def test_a_spec_of_the_eighth_version_says_whether_doubtful_claims_are_looked_up() -> None:
    data = stored("8")
    spec = Spec.from_dict(data)
    assert spec.research == Research(2, 4, 30, "own", 5, claims=True)
    assert spec.to_dict() == data


@pytest.mark.parametrize("field", ["way", "stop_after"])
def test_a_word_that_is_not_known_is_left_to_a_newer_version(field: str) -> None:
    data = stored("8")
    if field == "way":
        data["research"]["way"] = "guessed"
    else:
        data["stop_after"] = "dream"
    with pytest.raises(SpecTooNew):
        Spec.from_dict(data)


@pytest.mark.parametrize("wrong", [{"pages": 6}, {"way": "guessed"}, {"domains": []}])
def test_research_that_is_not_known_is_never_passed_over(wrong: dict[str, Any]) -> None:
    data = stored("6")
    data["research"] = wrong if "pages" in wrong else data["research"] | wrong
    with pytest.raises(SpecUnreadable):
        Spec.from_dict(data)


def test_a_prompt_that_is_no_text_is_none_that_can_be_read() -> None:
    data = stored("6")
    data["prompts"] = {**data["prompts"], "repair": ["Say it", "again"]}
    with pytest.raises(SpecUnreadable, match="Prompts"):
        Spec.from_dict(data)


@pytest.mark.parametrize("where", ["run", "seat"])
@pytest.mark.parametrize("field", [f.name for f in fields(Terms)])
def test_a_term_is_never_optional_to_whoever_reads_it(where: str, field: str) -> None:
    data = stored("3")
    terms = data["terms"] if where == "run" else data["panel"][1]["terms"]
    del terms[field]
    with pytest.raises(SpecUnreadable, match=field):
        Spec.from_dict(data)
    terms |= {field: True, "no_logging": True}
    with pytest.raises(SpecUnreadable, match="no_logging"):
        Spec.from_dict(data)


def waits_as_before(spec: Spec, wait_for: WaitFor) -> bool:
    """For a quorum, then for whoever had begun when the grace was over, up to the panel's limit;
    signs of life, thoughts that do not show and what was usual were not heeded."""
    policy = spec.policy
    is_grace_for_the_silent = (policy.writing_factor, policy.silent_factor) == (None, None)
    return (
        policy.wait_for == wait_for and is_grace_for_the_silent and not policy.heeds_signs_of_life
    )


def test_a_spec_of_the_second_version_waits_for_whom_it_waited() -> None:
    spec = Spec.from_dict(stored("2"))
    assert spec.stop_after == "analysis" and spec.panel[1].seed == 5
    assert waits_as_before(spec, at_least(2)) and spec.policy.panel_timeout == 900
    assert spec.terms == NONE and all(p.terms == NONE for p in spec.panel)
    assert Spec.from_dict(spec.to_dict()) == spec


def test_a_spec_of_the_third_version_waits_for_whom_it_says() -> None:
    spec = Spec.from_dict(stored("3"))
    assert spec.policy.wait_for == at_least(2) and spec.policy.alive_timeout == 300
    assert [p.thinks for p in spec.panel] == [False, False, True]
    assert Spec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    "wait_for", ["", "nobody", "at_least", {"at_least": 0}, {"first": True}, {}, None, 2]
)
def test_whom_to_wait_for_is_said_in_words_that_there_are(wait_for: Any) -> None:
    data = stored("3")
    data["policy"]["wait_for"] = wait_for
    with pytest.raises(SpecUnreadable, match="wait"):
        Spec.from_dict(data)


def test_whoever_adds_a_field_raises_the_version_and_leaves_a_file_of_it() -> None:
    data = stored(str(VERSION))
    assert data["v"] == VERSION
    assert set(data) == {"v", *(f.name for f in fields(Spec))}
    assert set(data["policy"]) == {f.name for f in fields(Policy)}
    assert set(data["prompts"]) == {f.name for f in fields(Prompts)}
    assert set().union(*data["panel"]) == {f.name for f in fields(Panelist)}


def test_a_spec_newer_than_the_code_says_so() -> None:
    data = stored(str(VERSION)) | {"v": VERSION + 1, "never_heard_of": True}
    with pytest.raises(SpecTooNew, match="newer version"):
        Spec.from_dict(data)


@pytest.mark.parametrize("version", ["2", 0, -1, None, True, 1.0])
def test_what_is_no_version_is_refused(version: Any) -> None:
    with pytest.raises(SpecUnreadable):
        Spec.from_dict(stored("2") | {"v": version})


@pytest.mark.parametrize("name", ["1", "2", "3", "4", "5", "6"])
@pytest.mark.parametrize("within", ["", "policy", "prompts", "judge"])
def test_a_field_that_is_not_known_is_never_passed_over(name: str, within: str) -> None:
    data = stored(name)
    (data[within] if within else data)["max_cost"] = 1
    with pytest.raises(SpecUnreadable, match="max_cost") as refused:
        Spec.from_dict(data)
    assert not isinstance(refused.value, SpecTooNew)


def test_an_unknown_field_of_a_seat_or_of_who_stands_in_is_not_passed_over_either() -> None:
    for seat in (lambda data: data["panel"][2], lambda data: data["panel"][0]["fallback"]):
        data = stored("1")
        seat(data)["zdr"] = True
        with pytest.raises(SpecUnreadable, match="zdr"):
            Spec.from_dict(data)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("2", ("criteria",)),
        ("2", ("policy",)),
        ("2", ("policy", "grace")),
        ("2", ("prompts", "poll")),
        ("2", ("judge", "model")),
        ("1", ("judge",)),
        ("1", ("policy",)),
    ],
)
def test_a_field_that_is_missing_is_not_made_up(name: str, where: tuple[str, ...]) -> None:
    data = stored(name)
    part = data
    for step in where[:-1]:
        part = part[step]
    del part[where[-1]]
    with pytest.raises(SpecUnreadable):
        Spec.from_dict(data)


def test_what_was_stored_before_a_choice_was_tells_by_the_number_whether_it_was_one() -> None:
    usual, small, own = Spec.from_dict(stored("1")).panel
    assert [p.has_own_limit for p in (usual, small, own)] == [False, False, True]
    assert Spec.from_dict(stored("2")).panel[0].has_own_limit
    assert not replace(own, limit_is_chosen=False).has_own_limit
    assert not Panelist("m", "test").has_own_limit


def test_a_run_stops_after_a_step_that_there_is() -> None:
    with pytest.raises(ValueError, match="lunch"):
        replace(Spec.from_dict(stored("2")), stop_after="lunch")  # type: ignore[arg-type]
