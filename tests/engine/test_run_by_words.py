"""A run of which no model can judge or write: who is asked, and what stands in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.findings.given import fused_answer
from console.engine.spec import Panelist, Policy
from console.engine.state import CallStatus, RunState
from console.engine.usage import Usage
from tests.engine.conftest import ANALYSIS, RunEngine
from tests.engine.test_by_words import CANBERRA, SYDNEY, TINY, consensus
from tests.engine.test_put_together import BLUE, MORE

# a whole run


async def test_who_cannot_judge_is_not_asked(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [CANBERRA], "tiny": []}, panel=["a", "b"], judge=TINY
    )
    fusion = ran.state.fusions[1]
    assert [r.model for r in ran.requests] == ["a", "b"]
    assert fusion.analysis_by == "words" and consensus(fusion.analysis) == [(CANBERRA, [0, 1])]
    assert fused_answer(ran.state) == CANBERRA
    by_words = [c for c in ran.state.calls.values() if c.is_by_words]
    assert [c.key for c in by_words] == ["analysis-f1-1", "synthesis-f1-1"]
    assert all((c.sent_at, c.cost, c.usage) == (None, None, Usage()) for c in by_words)
    assert not any(c.was_billable for c in by_words)
    deltas = [e for e in ran.events if e.call == "synthesis-f1-1" and e.type.is_delta]
    assert "".join(e.data["text"] for e in deltas) == f"{CANBERRA}[^A,B]"
    assert ran.state.status == "completed" and not ran.state.error


async def test_a_writer_that_can_write_is_asked_without_what_words_say(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "pen": ["Canberra it is."], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        writer="pen",
    )
    (asked,) = ran.requests_to("pen")
    assert "ANALYSIS" not in asked.messages[1]["content"]
    assert fused_answer(ran.state) == "Canberra it is."
    assert ran.state.fusions[1].analysis_by == "words"


async def test_a_judge_judges_for_a_writer_that_cannot_write(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []}, panel=["a", "b"], writer=TINY
    )
    assert [r.model for r in ran.requests] == ["a", "b", "judge"]
    assert ran.state.fusions[1].analysis_by == ""
    assert fused_answer(ran.state) == CANBERRA


def fails(reason: Reason) -> Any:
    def script(request: Any) -> Any:
        raise ProviderError(reason)

    return script


@pytest.mark.parametrize("fallback", [None, Panelist("spare", "fake"), TINY])
async def test_where_no_judge_is_left_words_are_compared_and_the_writer_writes(
    run_engine: RunEngine, fallback: Panelist | None
) -> None:
    ran = await run_engine(
        {
            "a": [CANBERRA],
            "b": [SYDNEY],
            "judge": fails(Reason.UNAUTHORIZED),
            "spare": fails(Reason.UNREACHABLE),
            "pen": ["Canberra it is."],
            "tiny": [],
        },
        panel=["a", "b"],
        judge=Panelist("judge", "fake", fallback=fallback),
        writer="pen",
    )
    fusion = ran.state.fusions[1]
    assert fusion.analysis_by == "words" and len(fusion.analysis["contradictions"]) == 1
    assert bool(fusion.analysis_reason) is (fallback is not TINY)
    assert fused_answer(ran.state) == "Canberra it is." and not fusion.best
    assert "tiny" not in [r.model for r in ran.requests]


@pytest.mark.parametrize("reason", [Reason.UPSTREAM_ERROR, Reason.UNAUTHORIZED, Reason.EMPTY])
async def test_where_nobody_judges_and_nobody_writes_the_best_answer_by_words_stands_in(
    run_engine: RunEngine, reason: Reason
) -> None:
    ran = await run_engine(
        {"a": [SYDNEY], "b": [CANBERRA], "c": [CANBERRA], "judge": fails(reason)},
        panel=["a", "b", "c"],
    )
    fusion = ran.state.fusions[1]
    assert (fusion.analysis_by, fusion.best) == ("words", "panel-1-1")
    assert fused_answer(ran.state) == CANBERRA
    assert "best single answer" in ran.state.error


async def test_an_unreadable_analysis_is_mended_first_and_compared_by_words_after(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {
            "a": [CANBERRA],
            "b": [SYDNEY],
            "judge": lambda r: ["No JSON."] if r.response_schema else ["Fused."],
        }
    )
    assert len(ran.requests_to("judge")) == 3
    assert ran.state.fusions[1].analysis_by == "words"
    assert ran.state.fusions[1].analysis_reason == "judge_not_valid_json"


BEGUN = (
    '{"consensus": [{"claim": "The capital is Canberra.", "seats": ["A", "B"], "evidence": '
    '[{"seat": "A", "quote": "Canberra"}]}, {"claim": "It'
)


async def test_what_a_judge_had_completed_is_kept_instead(run_engine: RunEngine) -> None:
    def breaks(request: Any) -> Any:
        return [BEGUN, ProviderError(Reason.DISCONNECTED)]

    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "judge": breaks, "pen": ["Canberra it is."]},
        panel=["a", "b"],
        writer="pen",
    )
    fusion = ran.state.fusions[1]
    assert fusion.analysis_by == "" and fusion.analysis["cut_off"] and fusion.analysis_reason
    (claim,) = fusion.analysis["consensus"]
    assert (claim["claim"], claim["standing"]) == ("The capital is Canberra.", "partly")
    assert "The capital is Canberra." in ran.requests_to("pen")[0].messages[1]["content"]


async def test_one_answer_alone_is_not_compared(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [f"{BLUE} And so"], "tiny": []}, panel=["a"], judge=TINY)
    fusion = ran.state.fusions[1]
    assert (fusion.analysis, fusion.analysis_by) == (None, "")
    assert fused_answer(ran.state) == f"{BLUE} And so"


async def test_a_form_that_only_a_model_can_keep_to_is_asked_of_the_model(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": ['{"city": "Canberra"}']},
        panel=["a", "b"],
        judge=TINY,
        request={"options": {"response_format": {"type": "json_object"}}},
    )
    assert [r.model for r in ran.requests] == ["a", "b", "tiny"]
    assert fused_answer(ran.state) == '{"city": "Canberra"}'


async def test_compare_first_ends_with_the_words(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        stop_after="analysis",
    )
    assert ran.state.fusions[1].analysis_by == "words" and not ran.state.fused
    assert ran.state.status == "completed"


async def test_who_takes_the_run_up_goes_on_from_what_was_told(run_engine: RunEngine) -> None:
    scripts = {"a": [BLUE], "b": [f"{MORE}\n\n{BLUE}"], "tiny": []}
    whole = await run_engine(scripts, panel=["a", "b"], judge=TINY)
    text = whole.state.calls["synthesis-f1-1"].text
    for said in ("", text[:30], "Something else"):
        state = RunState.from_dict(json.loads(json.dumps(whole.state.to_dict())))
        state.status, state.finished_at = state.status.RUNNING, None
        state.fusions[1].status = state.status.RUNNING
        call = state.calls["synthesis-f1-1"]
        call.status, call.text, call.finished_at = CallStatus.STREAMING, said, None
        again = await run_engine(scripts, panel=["a", "b"], judge=TINY, state=state)
        assert again.state.calls["synthesis-f1-1"].text == text
        assert again.requests == [] and "synthesis-f1-2" not in again.state.calls


async def test_limits_of_the_run_do_not_count_what_is_not_sent(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        policy=Policy(max_calls=2),
    )
    assert fused_answer(ran.state) == CANBERRA and ran.state.status == "completed"


async def test_a_judge_that_judges_is_told_as_before(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [CANBERRA], "b": [SYDNEY]})
    fusion = ran.state.fusions[1]
    assert (
        fusion.analysis_by == ""
        and fusion.analysis["consensus"][0]["claim"] == (ANALYSIS["consensus"][0]["claim"])
    )
    done = [e for e in ran.events if e.type is EventType.CALL_COMPLETED and e.fusion]
    assert all("analysis_by" not in e.data for e in done)
