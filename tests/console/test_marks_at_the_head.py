"""Three marks stand at the head of a run, the gravest first; what else there is to say of how it
was made stands in sentences at the fused answer."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from console.engine.errors import Reason
from console.engine.spec import Panelist
from console.fragments import run_context, run_fragments
from console.fragments.sentences import badges

from .story import Story, a_spec

HALF_READ = {"usage": {"input_tokens": 4096, "output_tokens": 5, "sent_tokens": 8000}}
WRITER = Panelist("maker/beta", "openrouter")
JUDGE = "The judge also sits on the panel (A) and may favour its own answer."
SYNTHESIZER = "The writer also sits on the panel (B) and may favour its own answer."


def told(*, lost: int = 0, without_analysis: bool = False, half_read: bool = False) -> Story:
    """Judge and synthesizer sit on the panel, each on a seat of its own."""
    story = Story(a_spec(synthesizer=WRITER)).begin()
    for seat in range(3):
        story.fail(seat) if seat < lost else story.answer(seat, "Yes.")
    story.judge()
    if without_analysis:
        story.misjudge(Reason.JUDGE_NOT_VALID_JSON)
    elif lost < 2:
        story.analyse(**HALF_READ if half_read else {})
    return story.synthesise("Fused.").complete()


READ = "Judge's server read about half of the answers"
MISSING = "Without A"


@pytest.mark.parametrize(
    ("story", "marks", "below"),
    [
        (told(), ["Judge on the panel", "Writer on the panel"], []),
        (told(lost=1), [MISSING, "Judge on the panel", "Writer on the panel"], []),
        (told(lost=1, half_read=True), [MISSING, READ, "Judge on the panel"], [SYNTHESIZER]),
        (
            told(lost=1, without_analysis=True),
            [MISSING, "No analysis", "Judge on the panel"],
            [SYNTHESIZER],
        ),
    ],
)
def test_three_marks_stand_at_the_head_and_nothing_is_lost(
    story: Story, marks: list[str], below: list[str]
) -> None:
    parts = run_fragments(run_context(story.spec, story.state, show_costs=True))
    shown = re.findall(r'class="badge[^>]*>([^<]+)<', html.unescape(parts["run-badges"]))
    assert shown == marks
    assert [s for s in (JUDGE, SYNTHESIZER) if s in parts["fused-note"]] == below
    assert ("How this was made" in parts["fused-note"]) == bool(below)


@pytest.mark.parametrize(
    ("size", "lost", "mark"),
    [
        (3, [1], "Without B"),
        (4, [0, 3], "Without A and D"),
        (5, [0, 2, 3], "2 of 5 answered"),
        (8, [0, 1, 2, 3, 4, 5], "2 of 8 answered"),
        (3, [0, 1], "From a single answer"),
        (3, [], ""),
    ],
)
def test_the_head_says_who_is_missing_and_of_many_how_many_are_not(
    size: int, lost: list[int], mark: str
) -> None:
    spec = a_spec()
    story = Story(replace(spec, panel=(spec.panel[0],) * size)).begin()
    for seat in range(size):
        story.fail(seat) if seat in lost else story.answer(seat, "Yes.")
    if size - len(lost) > 1:
        story.judge().analyse()
    story.synthesise("Fused.").complete()
    missing = [m for m in badges(story.spec, story.state) if "ithout" in m or "answer" in m]
    assert missing == [mark] * bool(mark)
