"""The fused answer as programs are told it while it is written: without marks, each word once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.api.openai.sse import PlainText
from console.engine.findings.answering import text_of
from console.engine.findings.provenance import plain
from console.engine.state import CallState, CallStatus, Step

PIECES = [
    "[^",
    "A]",
    ":",
    "[^H]",
    "\n[^A]: x",
    "[^A,B]",
    " ",
    "word",
    ".",
    "\n\n",
    "```\n",
    "`",
    "[^own]",
    "[",
    "- ",
    "\n",
]


def call_of(step: Step) -> CallState:
    return CallState(key="x", step=step, number=1, cause="first", panelist={})


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(0, 40))
def test_what_is_told_in_pieces_is_the_text_without_its_marks(
    pieces: list[str], joined: int
) -> None:
    """A second reader comes when `joined` pieces are written, and is told those at once."""
    call, text, told = call_of(Step.SYNTHESIS), PlainText(), ""
    late, heard = PlainText(), ""
    for number, piece in enumerate(pieces):
        call.text += piece
        told += text.fresh(call)
        if number == joined:
            heard = text_of(call)
        if number >= joined:
            fresh = late.fresh(call)
            heard += fresh if number > joined else ""
        assert plain("".join(pieces)).startswith(told)
    call.status = CallStatus.COMPLETED
    told += text.fresh(call)
    assert told == text_of(call) == plain(call.text) and text.fresh(call) == ""
    assert len(pieces) <= joined or heard + late.fresh(call) == told


def test_an_answer_of_the_panel_is_told_as_it_is() -> None:
    call, text = call_of(Step.PANEL), PlainText()
    call.text = "One [^A"
    assert text.fresh(call) == "One [^A"
    call.text += "] two."
    assert text.fresh(call) == "] two."
