"""A text that says nothing more, as programs hear of it: through chat completions, runs, MCP's
reader of runs and the page's own rows alike."""

from __future__ import annotations

from tests.upstream import Script

from .conftest import GEMINI, OPUS, Api

LOOP = "The sea is blue because it reflects the sky.\n"
ASK = {"model": "fusion", "messages": [{"role": "user", "content": "Why is the sea blue?"}]}


def test_of_a_fused_answer_that_loops_the_best_single_one_takes_the_place(api: Api) -> None:
    api.script("writer", Script(text=LOOP * 200))
    body = ASK | {"fusion": {"synthesizer": "writer"}}
    reply = api.post(json=body).json()
    answer, fusion = reply["choices"][0]["message"]["content"], reply["fusion"]
    assert answer and LOOP not in answer
    assert fusion["best"]["reason"] == "fused_unusable" and fusion["status"] == "ok"
    run = api.get(f"/runs/{fusion['run_id']}").json()
    (judging,) = run["fusions"]
    assert run["answer"] == judging["answer"] == answer
    assert judging["best"] == fusion["best"] and judging["stands_in"]
    (written,) = (call for call in run["calls"] if call["step"] == "synthesis")
    assert written["reason"] == "repeats_itself" and LOOP in written["text"]
    assert len(written["text"]) < 2000


def test_a_seat_that_loops_is_no_answer_of_the_panel(api: Api) -> None:
    api.script(GEMINI, Script(text=LOOP * 200))
    fusion = api.post(json=ASK).json()["fusion"]
    assert [f["reason"] for f in fusion["failed_models"]] == ["repeats_itself"]
    assert len(fusion["responses"]) == 2 and "best" not in fusion


def test_a_single_model_is_passed_through_as_it_is(api: Api) -> None:
    api.script("good", Script(text=LOOP * 200))
    reply = api.post(json=ASK | {"model": "good"}).json()
    assert reply["choices"][0]["message"]["content"].count(LOOP.strip()) == 200


def test_a_writer_that_failed_is_told_apart_from_one_of_no_use(api: Api) -> None:
    api.script("writer", Script(status=400, body='{"error": {"message": "No."}}'))
    fusion = api.post(json=ASK | {"fusion": {"synthesizer": "writer"}}).json()["fusion"]
    assert fusion["best"]["reason"] == "fused_failed"


def test_what_of_an_analysis_is_left_out_is_told(api: Api) -> None:
    analysis = (
        '{"consensus": [{"claim": "It reflects.", "seats": ["Model A", "answer_b"]},\n'
        ' {"claim": "A B C D E F G H I", "seats": ["A", "B"]}, {"claim": "x", "seats": "all"}],\n'
        " // nothing here\n"
        ' "contradictions": [], "partial_coverage": [], "unique_insights": [],'
        ' "blind_spots": [{"point": "Salt."}]}'
    )
    api.script(OPUS, Script(judge=Script(text=analysis)))
    fusion = api.post(json=ASK).json()["fusion"]
    assert fusion["analysis"]["blind_spots"] == ["Salt."]
    run = api.get(f"/runs/{fusion['run_id']}").json()
    assert run["fusions"][0]["analysis_notes"] == [
        "1 item of the judge's analysis could not be read and is left out.",
        "Left out: 1 statement of the judge that repeated words and said nothing.",
    ]
    assert len([c for c in run["calls"] if c["step"] == "analysis"]) == 1
