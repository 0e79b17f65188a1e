"""What holds in every scenario, whatever goes wrong."""

from __future__ import annotations

from typing import Any

from console.engine.state import CallState, RunState, Step
from console.fragments import run_context, run_fragments, run_texts
from tests.live.member import Page

from .pictures import PICTURE
from .stage import PLANTED, SIBLING_TEXT, Outcome

WHILE_RUNNING = {"fuse-now"}  # what goes with the end of a run
# Frames are the same for all who look; the end of a run brings its owner what they rule by
# (run/_ended.html).
OWNERS = {"analysis", "sources"}


def check(outcome: Outcome) -> None:
    the_run_has_ended(outcome)
    log_and_rows_and_page_agree(outcome)
    a_viewer_ends_with_the_page(outcome)
    calls_on_record_are_the_upstream_s_count(outcome)
    nothing_is_asked_again_after_its_first_word(outcome)
    what_is_saved_was_sent(outcome)
    no_picture_is_kept(outcome)
    no_key_is_told(outcome)
    nothing_a_provider_said_is_markup(outcome)
    no_cookie_is_sent(outcome)
    siblings_went_on(outcome)
    unknown_is_never_zero(outcome)


def the_run_has_ended(outcome: Outcome) -> None:
    assert outcome.state.status.is_final
    assert all(call.status.is_final for call in outcome.state.calls.values())


def log_and_rows_and_page_agree(outcome: Outcome) -> None:
    assert comparable(outcome.folded) == comparable(outcome.state)
    spec = outcome.run.frozen_spec
    context = run_context(spec, outcome.folded, show_costs=True)
    for name, html in run_fragments(context | {"is_owner": True}).items():
        assert html in outcome.page, f"{name}: the page says otherwise than the event log"
    for name, html in run_texts(spec, outcome.folded).items():
        assert f'data-text="{name}"><div data-final>{html}</div>' in outcome.page


def a_viewer_ends_with_the_page(outcome: Outcome) -> None:
    context = run_context(outcome.run.frozen_spec, outcome.state, show_costs=True)
    others = run_fragments(context)
    for name, html in outcome.view.fragments.items():
        if name in WHILE_RUNNING:
            continue
        reloaded = others[name] if name in OWNERS else outcome.page
        assert html in reloaded, f"{name}: the live page says otherwise than the reloaded one"
    assert outcome.view.status == outcome.state.status
    page = Page(outcome.page)
    for name, text in page.texts.items():
        assert outcome.view.text(name) == text, name


def calls_on_record_are_the_upstream_s_count(outcome: Outcome) -> None:
    asked = [r for r in outcome.requests if r.path.endswith(("/chat/completions", "/messages"))]
    assert len(asked) == len(outcome.requests), "something else was requested"
    sent = [c for c in outcome.calls if c.sent_at]
    assert all(c.sent_at for c in outcome.calls if c.first_token_at)
    if outcome.place is None:
        assert len(asked) == len(sent)
    else:  # where no HTTP is spoken, connections are what there is to count
        elsewhere = [c for c in sent if c.panelist["credential"] == "faulty"]
        assert len(asked) == len(sent) - len(elsewhere)
        assert outcome.place.connections <= len(elsewhere)
    for request in asked:
        matching = [c for c in sent if c.panelist["model"] == request.model]
        assert len(matching) >= 1


def nothing_is_asked_again_after_its_first_word(outcome: Outcome) -> None:
    retries = outcome.run.frozen_spec.policy.retries
    for tries in tries_by_place(outcome.state):
        automatic = [c for c in tries if c.cause == "retry"]
        # A judge's broken call is made once more, whatever the policy says of seats.
        assert len(automatic) <= max(retries, tries[0].step is Step.ANALYSIS)
        for before, after in zip(tries, tries[1:], strict=False):
            # An analysis is of use to nobody until it is whole: a broken one is asked for again.
            if after.cause == "retry" and after.step is not Step.ANALYSIS:
                assert not (before.first_token_at or before.text or before.reasoning)
                assert before.finished_at and after.started_at
                assert after.started_at > before.finished_at, "without a pause"


def no_picture_is_kept(outcome: Outcome) -> None:
    piece = PICTURE[:60]
    assert piece.encode() not in outcome.log and piece not in outcome.page
    assert not any(piece in call.text + call.reasoning for call in outcome.state.calls.values())


def what_is_saved_was_sent(outcome: Outcome) -> None:
    said: dict[str, list[str]] = {}
    for request in outcome.requests:
        said.setdefault(request.model, []).append(request.text_sent)
    for call in outcome.state.calls.values():
        texts = said.get(call.panelist["model"], [])
        if call.text and any(texts):  # scripts of raw bytes: the scenario itself says the text
            clean = call.text.replace("\ufffd", "")
            assert any(t.startswith(call.text) for t in texts) or clean != call.text, call.key


def no_key_is_told(outcome: Outcome) -> None:
    for piece in (PLANTED, PLANTED[:16], PLANTED[-12:]):
        assert piece.encode() not in outcome.log, "in the event log"
        for where in (outcome.page, outcome.said, str(outcome.state.to_dict())):
            assert piece not in where
    for request in outcome.requests:
        shown = "x-api-key" if request.is_messages else "authorization"
        assert PLANTED in request.headers.get(shown, "")


def nothing_a_provider_said_is_markup(outcome: Outcome) -> None:
    """The catalogue's error bodies hold these; a page has neither by itself."""
    for html in (outcome.page, *outcome.view.fragments.values()):
        assert "<script>alert(1)" not in html and "<b>Bold</b>" not in html


def no_cookie_is_sent(outcome: Outcome) -> None:
    assert not any("cookie" in r.headers for r in outcome.requests)


def siblings_went_on(outcome: Outcome) -> None:
    for seat, panelist in enumerate(outcome.run.frozen_spec.panel):
        if panelist.model == "sibling":
            call = outcome.state.latest(Step.PANEL, seat=seat)
            assert call and call.is_usable and call.text == SIBLING_TEXT
            assert len(outcome.state.calls_of(Step.PANEL, seat=seat)) == 1


def unknown_is_never_zero(outcome: Outcome) -> None:
    for call in outcome.state.calls.values():
        if call.cost == 0:
            assert (call.usage.input_tokens, call.usage.output_tokens) == (0, 0)


def tries_by_place(state: RunState) -> list[list[CallState]]:
    places: dict[Any, list[CallState]] = {}
    for call in sorted(state.calls.values(), key=lambda c: c.number):
        places.setdefault((call.step, call.seat, call.fusion), []).append(call)
    return list(places.values())


def comparable(state: RunState) -> dict[str, Any]:
    data = state.to_dict()
    for call in data["calls"]:
        if "cost" in call:
            call["cost"] = float(call["cost"])
    data["calls"].sort(key=lambda c: c["key"])
    return data
