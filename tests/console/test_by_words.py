"""What is said of answers that no judge compared, and of a text that nobody wrote: on the page,
live and after a reload, and to programs."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.api.openai.models import _presets
from console.api.openai.public_events import public
from console.api.openai.shapes import fusion_object
from console.catalog.judging import can_judge, is_small, size_of
from console.engine.errors import SENTENCES, Reason
from console.engine.events import Event, EventType
from console.engine.findings.by_words import compare
from console.engine.findings.put_together import put_together
from console.engine.spec import Panelist, Spec
from console.engine.state import Step
from console.fragments import run_context, run_fragments, run_texts
from console.fragments.again import again
from console.fragments.fusions import fuse_again
from console.fragments.poll import poll
from console.fragments.seats import columns
from console.fragments.worth import worth
from console.management.commands.evaluate import Command as Evaluate
from console.management.commands.fuse import as_object
from console.mcp.asking import presets
from console.mcp.results import as_text, fusion_run
from console.models import CatalogModel, Credential, Run
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.build_spec import build
from console.services.errors import Refused
from console.services.fusion_wish import fusion_wish
from console.services.fusions import run_fuse, run_poll
from console.services.token_defaults import NOTHING_SAID
from console.services.wish import Wish

from .story import ANALYSIS, Story

BUILT_IN = Panelist("smollm2-135m-instruct", "local", judges=False)
TOGETHER = (
    "Put together from the answers' own sentences: the built-in model is too small to judge and "
    "to write."
)
ANSWERS = (
    "The capital of Australia is Canberra. It lies between two larger cities of the country.",
    "The capital of Australia is Sydney.",
    "The capital of Australia is Canberra. Its parliament has met there since 1927.",
)
NO_RECEIPT: dict[str, Any] = {"usage": {}, "cost": None}


def a_spec(who: Panelist = BUILT_IN, **options: Any) -> Spec:
    story = Story().spec
    return replace(story, panel=(who, who, who), judge=who, **options)


def told(spec: Spec | None = None, *, criteria: str = "") -> Story:
    """A run of the built-in model, as the engine tells it."""
    story = Story(spec or a_spec()).begin().wait(1)
    for seat, text in enumerate(ANSWERS):
        story.answer(seat, text)
    answers = {c.seat: c for c in story.state.calls.values() if c.seat is not None}
    story.judge()
    story.state.fusions[1].criteria = criteria
    analysis = compare(answers, "What is the capital?")
    story.analyse(analysis, analysis_by="words", **NO_RECEIPT)
    story.synthesise(put_together(answers, "What is the capital?", analysis["best"]))
    return story.complete(**NO_RECEIPT)


def page(story: Story) -> dict[str, str]:
    made = run_fragments(run_context(story.spec, story.state, show_costs=True))
    return {name: unescape(html) for name, html in made.items()}


def failed_judge(
    *,
    writes: bool,
    reason: Reason = Reason.JUDGE_UPSTREAM_ERROR,
    why: Reason = Reason.UNREACHABLE,
) -> Story:
    """Judge and fallback fail; the writer writes, or fails too, and `why`."""
    story = Story().begin().wait(1)
    for seat, text in enumerate(ANSWERS):
        story.answer(seat, text)
    answers = {c.seat: c for c in story.state.calls.values() if c.seat is not None}
    story.judge()
    data = {"reason": reason.value, "error": SENTENCES[reason], "final": True}
    data |= {"analysis": compare(answers, "What?"), "analysis_by": "words"}
    story.tell(EventType.CALL_FAILED, "analysis-f1-1", 1, **data)
    story.synthesise("Canberra it is." if writes else "")
    if writes:
        return story.complete()
    data = {"reason": why.value, "error": SENTENCES[why], "final": True, "best": "panel-0-1"}
    story.tell(EventType.CALL_FAILED, "synthesis-f1-1", 1, **data)
    return story.tell(EventType.RUN_COMPLETED, reason="synthesis_failed", error="A stands in.")


# the page


def test_the_page_says_in_one_sentence_what_was_done_without_a_model() -> None:
    parts = page(told())
    assert TOGETHER in parts["fused-note"]
    assert "put together from the answers" in parts["fused-head"]
    assert "written by" not in parts["fused-head"]
    assert "by words</span>" in parts["analysis"] and "too small to judge" in parts["analysis"]
    assert "The capital of Australia is …." in parts["analysis"]
    assert "quotes found" in parts["analysis"] and "no quote found" not in parts["analysis"]
    assert "Compared by words" in parts["run-badges"]
    assert "Judge on the panel" not in parts["run-badges"]
    shown = columns(told().spec, told().state)
    seen = worth(told().state, shown)
    assert seen and seen.lacking == []
    assert "receipt-step" not in parts["receipt"]


def test_the_text_shows_whose_sentences_it_is_made_of() -> None:
    story = told()
    html = run_texts(story.spec, story.state)["fused"]
    assert 'data-seat="0"' in html and 'data-seat="2"' in html and "[^" not in html


def test_a_page_loaded_from_rows_says_the_same(client: Client, alice: User, bob: User) -> None:
    client.force_login(bob)  # who rules nothing
    for story in (told(), failed_judge(writes=True), failed_judge(writes=False)):
        run = story.save(alice, visibility="team")
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        made = run_fragments(run_context(story.spec, story.state, show_costs=True))
        for name, fragment in made.items():
            assert fragment in html, name


def test_criteria_that_nobody_weighed_are_said_to_be() -> None:
    assert "Criteria need a judge" in page(told(criteria="Weigh risk."))["analysis"]
    assert "Criteria" not in page(told())["analysis"]


@pytest.mark.parametrize(
    ("writes", "sentence"),
    [
        (True, "The fused answer was written from the answers alone."),
        (False, "The one that has most in common with the others stands in."),
    ],
)
def test_where_the_judge_failed_one_story_is_told(writes: bool, sentence: str) -> None:
    parts = page(failed_judge(writes=writes))
    said = "The answers were compared by their words alone"
    assert f"{SENTENCES[Reason.JUDGE_UPSTREAM_ERROR]} {said}" in parts["analysis"]
    assert sentence in parts["analysis"] and "The capital of Australia is …." in parts["analysis"]
    assert "too small" not in parts["analysis"] + parts["fused-note"]
    assert "Compared by words" in parts["run-badges"] and "No analysis" not in parts["run-badges"]


def test_what_no_budget_paid_for_is_said_once_by_the_notice_above() -> None:
    no = Reason.BUDGET_EXCEEDED
    parts = page(failed_judge(writes=False, reason=no, why=no))
    assert SENTENCES[no] not in parts["analysis"] and "by their words alone" in parts["analysis"]
    assert SENTENCES[no] in page(failed_judge(writes=True, reason=no))["analysis"]


def test_of_a_judge_that_failed_what_was_complete_is_said_to_stand_there() -> None:
    story = Story().begin().answer(0, "Yes.").answer(1, "No.").answer(2, "Yes.").judge()
    reason = Reason.JUDGE_UPSTREAM_ERROR
    data = {"reason": reason.value, "error": SENTENCES[reason], "final": True}
    story.tell(
        EventType.CALL_FAILED, "analysis-f1-1", 1, **data, analysis=ANALYSIS | {"cut_off": True}
    )
    parts = page(story.synthesise("Yes.").complete())
    said = f"{SENTENCES[reason]} What was complete of it stands below."
    assert said in parts["analysis"] and "broke off" in parts["analysis"]
    assert ANALYSIS["consensus"][0]["claim"] in parts["analysis"]
    assert "by words" not in parts["analysis"] + parts["run-badges"]


def test_another_small_model_goes_by_its_name() -> None:
    parts = page(told(a_spec(Panelist("maker/tiny-0.5b", "mine", judges=False))))
    assert "sentences: tiny-0.5b is too small to judge and to write." in parts["fused-note"]


def test_what_another_fusion_asks_of_whom_is_said_before_it() -> None:
    story = told()
    assert fuse_again(story.spec, story.state).asks.startswith("No model is called")
    pen = replace(story.spec, synthesizer=Panelist("maker/pen", "openrouter"))
    assert fuse_again(pen, story.state).asks == "Only the writer is called: pen."
    usual = Story().whole()
    assert fuse_again(usual.spec, usual.state).asks == ("Only judge and writer are called: alpha.")


@pytest.mark.parametrize(
    ("writer", "writes"),
    [
        (Panelist("maker/tiny-0.5b", "mine", judges=False), "Put together by words"),
        (Panelist("maker/pen", "mine"), "pen writes"),
        (None, "Put together by words"),  # the judge, who is too small
    ],
)
@pytest.mark.django_db
def test_the_foot_of_the_map_names_only_a_writer_who_is_asked(
    writer: Panelist | None, writes: str
) -> None:
    story = told(a_spec(synthesizer=writer))
    assert again(story.spec, story.state, "What is the capital?").writes == writes


# programs


def test_programs_are_told_who_compared_the_answers(alice: User) -> None:
    for story, by in ((told(), "words"), (failed_judge(writes=True), "words")):
        run = story.save(alice)
        public_run = run_object(run, story.spec, story.state)
        assert public_run.fusions[0].analysis_by == by
        assert state_from_rows(run).fusions == story.state.fusions
        part = fusion_object(story.spec, story.state, run_id="r", run_url="u")
        assert part.analysis_by == by and part.analysis
    usual = Story().whole()
    assert run_object(usual.save(alice), usual.spec, usual.state).fusions[0].analysis_by == "model"
    alone = Story().begin().answer(0, "Yes.").fail(1).fail(2).judge().synthesise("Yes.").complete()
    assert run_object(alone.save(alice), alone.spec, alone.state).fusions[0].analysis_by is None


JUDGE, NAMES = Story().spec.judge, ("judge", "synthesizer")


@pytest.mark.parametrize(
    ("story", "judge", "writer"),
    [
        (told(), None, None),
        (told(a_spec(synthesizer=JUDGE)), None, JUDGE.model),
        # Who was asked and failed was asked.
        (failed_judge(writes=True), JUDGE.model, JUDGE.model),
        (failed_judge(writes=False), JUDGE.model, JUDGE.model),
        (Story().whole(), JUDGE.model, JUDGE.model),
    ],
)
def test_who_was_not_asked_is_not_named(
    story: Story, judge: str | None, writer: str | None, alice: User
) -> None:
    run = story.save(alice)
    public_run = run_object(run, story.spec, story.state)
    part = fusion_object(story.spec, story.state, run_id="r", run_url="u")
    in_shell = as_object(run, story.spec, story.state)
    for said in (public_run, public_run.fusions[0], part):
        assert (said.judge, said.synthesizer) == (judge, writer)
    assert [in_shell[name] for name in NAMES] == [judge, writer]
    data = {"judge": story.spec.judge.to_dict(), "synthesizer": story.spec.writer.to_dict()}
    event = public(Event(EventType.FUSION_STARTED, 1.0, "", 1, data), None, story.spec)
    assert event and [event[1][name] for name in NAMES] == [judge, writer]


@pytest.mark.django_db
def test_of_a_preset_whose_model_cannot_judge_programs_are_told_no_judge(
    built_in: Credential, settings: Any
) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9"
    anybody: Any = SimpleNamespace(must_have=lambda scope: None, person=None, defaults=NOTHING_SAID)
    (local,) = (preset for preset in presets(anybody).presets if preset.preset == "local")
    assert local.judge is None and local.panel
    (listed,) = (model for model in _presets("") if model.id == "fusion/local")
    assert listed.fusion and listed.fusion.panel
    assert listed.fusion.judge is None and listed.fusion.synthesizer is None


def test_what_nobody_was_asked_is_no_call_and_costs_nothing(alice: User) -> None:
    story = told()
    public_run = run_object(story.save(alice), story.spec, story.state)
    assert {call.step for call in public_run.calls} == {"panel"}
    assert public_run.answer and "Canberra" in public_run.answer and "[^" not in public_run.answer
    panel = [c for c in story.state.calls.values() if c.step is Step.PANEL]
    assert story.state.cost() == (sum(c.cost for c in panel if c.cost is not None), False)


def test_events_name_no_model_where_nobody_is_asked() -> None:
    story = told()
    call = story.state.calls["analysis-f1-1"]
    data = {"step": "analysis", "number": 1, "cause": "first", "panelist": call.panelist}
    said = public(Event(EventType.CALL_ADDED, 1.0, call.key, 1, data), call, story.spec)
    assert said and said[1]["model"] is None
    ended = {"analysis": story.state.fusions[1].analysis, "analysis_by": "words"}
    for kind, name in (
        (EventType.CALL_COMPLETED, "analysis.completed"),
        (EventType.CALL_FAILED, "analysis.failed"),
    ):
        event = Event(kind, 1.0, call.key, 1, ended)
        said = public(event, call, story.spec, story.state)
        assert said and said[0] == name
        assert said[1]["analysis_by"] == "words" and said[1]["analysis"]["contradictions"]


def test_shell_and_mcp_say_it_in_the_same_words(alice: User) -> None:
    story = told()
    run = story.save(alice)
    assert as_object(run, story.spec, story.state)["fusions"][0]["analysis_by"] == "words"
    result = fusion_run(run, story.spec, story.state, run_url="u")
    assert (result.analysis_by, result.answer_note) == ("words", TOGETHER)
    text = as_text(result, story.state.fusions[1].analysis)
    assert TOGETHER in text and "differed, by their words alone:" in text


@pytest.mark.parametrize(("judges", "warns"), [(False, True), (None, False)])
def test_evaluate_says_that_a_grader_is_too_small(judges: bool | None, warns: bool) -> None:
    grader, said = Panelist("maker/tiny:0.5b", "mine", judges=judges), StringIO()
    nothing: Any = SimpleNamespace(steps={}, path="results")
    Evaluate(stderr=said)._warn(a_spec(), grader, nothing)
    assert ("tiny:0.5b is too small to judge" in said.getvalue()) is warns


# what may be asked of such a run


@pytest.fixture
def built_in() -> Credential:
    return Credential.objects.get(slug="local")


def test_who_cannot_judge_is_not_asked_for_a_preference(alice: User) -> None:
    story = told()
    run = story.save(alice)
    assert poll(story.state, columns(story.spec, story.state)) is None
    with pytest.raises(Refused, match="large enough"):
        run_poll(run=run, fusion=1)


def test_a_panel_of_which_some_can_judge_asks_those(alice: User) -> None:
    spec = a_spec()
    able = Panelist("maker/alpha", "openrouter")
    story = told(replace(spec, panel=(able, *spec.panel[1:])))
    run = story.save(alice)
    assert [call.seat for call in run_poll(run=run, fusion=1)] == [0]


def test_such_a_run_is_fused_again_without_anybody_who_can_be_asked(
    alice: User, settings: Any
) -> None:
    settings.LOCAL_MODEL_URL = ""
    run = told().save(alice)
    fusion = run_fuse(run=run, criteria="Weigh risk.", seats=[0, 2])
    assert fusion.judge["judges"] is False and fusion.synthesizer["judges"] is False


@pytest.mark.django_db
def test_a_run_from_before_is_fused_again_as_is_known_now(built_in: Credential) -> None:
    old = replace(BUILT_IN, judges=None)
    spec = replace(a_spec(old), synthesizer=old)
    again = build(fusion_wish(spec))
    assert not again.judge.can_judge and not again.writer.can_judge
    assert again.panel == spec.panel  # whoever has answered stays who it was


# who is too small


SIZES = {
    "smollm2-135m-instruct": 0.135,
    "smollm2:135m": 0.135,
    "gemma3:270m": 0.27,
    "qwen2.5-0.5b-instruct": 0.5,
    "Qwen/Qwen3-0.6B": 0.6,
    "llama3.2:1b": 1,
    "SmolLM2-1.7B-Instruct": 1.7,
    "llama3:8b": 8,
    "meta-llama/llama-3.1-8b-instruct:free": 8,
    "mistral-7B-Instruct-v0.3.Q4_K_M.gguf": 7,
    "gemma-3n-e4b-it": 4,
    "mixtral-8x7b-instruct": 56,
    "qwen3-30b-a3b": 30,
    "qwen2.5-7b-instruct-1m": 7,
    "llama-3.3-70b-versatile": 70,
    "gpt-oss:20b": 20,
    "gpt-5": None,
    "claude-opus-4.5": None,
    "minimax-text-01-1m": None,
    "model-4bit": None,
    "phi-3-mini-128k-instruct": None,
    "gemini-2.5-flash-8b-exp": 8,
    "o3": None,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_name_tells_the_size_of_its_model(name: str, size: float | None) -> None:
    assert size_of(name) == size


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_below_a_thousand_million_nobody_judges_and_up_to_eight_in_few_words(
    name: str, size: float | None
) -> None:
    mine = Credential.objects.create(
        slug="mine", name="mine", kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
    )
    assert can_judge(mine, name) is (size is None or size >= 1)
    assert is_small(mine, name) is (size is not None and size <= 8)
    judge = build(Wish(panel=["mine:a", "mine:b"], judge=f"mine:{name}")).judge
    assert judge.can_judge is can_judge(mine, name)


@pytest.mark.django_db
@pytest.mark.parametrize("word", [True, False])
def test_an_admins_word_of_a_model_goes_before_its_name_and_its_server(
    built_in: Credential, word: bool
) -> None:
    for model in ("smollm2-135m-instruct", "tiny:0.5b", "llama3:70b", "nameless"):
        CatalogModel.objects.create(credential=built_in, model=model, can_judge=word)
        assert can_judge(built_in, model) is word


@pytest.mark.django_db
def test_the_preset_local_asks_nobody_to_judge(built_in: Credential, settings: Any) -> None:
    from console.models import Preset
    from console.services.presets import preset_spec

    spec = preset_spec(Preset.objects.get(slug="local"))
    assert not spec.judge.can_judge and not spec.writer.can_judge
    assert Run.objects.count() == 0
