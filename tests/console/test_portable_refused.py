"""What is no run that was taken along is refused in a sentence, and leaves nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.models import Run
from console.record.portable import (
    Document,
    Malformed,
    TooNew,
    Unfinished,
    read,
    read_newer,
    to_json,
    write,
)
from tests.console.story import ANALYSIS, Story
from tests.console.test_portable import a_run, again, json_of

# ---- what is refused ----

Change = Callable[[dict[str, Any]], Any]


def first_call(data: dict[str, Any]) -> dict[str, Any]:
    call: dict[str, Any] = data["runs"][0]["calls"][0]
    return call


def fusion(data: dict[str, Any]) -> dict[str, Any]:
    it: dict[str, Any] = data["runs"][0]["fusions"][0]
    return it


REFUSED: dict[str, Change] = {
    "a field that is not known": lambda d: first_call(d).update(secret="x"),
    "a field of the whole that is not known": lambda d: d.update(signed="x"),
    "no runs": lambda d: d.update(runs=[]),
    "runs that are none": lambda d: d.update(runs=[5]),
    "a call without a key": lambda d: first_call(d).pop("key"),
    "a call with another's key": lambda d: first_call(d).update(key="panel-1-1"),
    "two calls of one key": lambda d: d["runs"][0]["calls"].append(first_call(d)),
    "a number for a text": lambda d: first_call(d).update(text=5),
    "a text for a number": lambda d: d["runs"][0].update(attempt="1"),
    "a step that is none": lambda d: first_call(d).update(step="guess"),
    "a run under way": lambda d: d["runs"][0].update(status="running"),
    "a call under way": lambda d: first_call(d).update(status="streaming"),
    "a seat beyond the panel": lambda d: first_call(d).update(seat=7, key="panel-7-1"),
    "a seat beyond the alphabet": lambda d: first_call(d).update(seat=26, key="panel-26-1"),
    "an analysis of another form": lambda d: fusion(d).update(analysis={"consensus": 5}),
    "an analysis with a part missing": lambda d: fusion(d)["analysis"].pop("blind_spots"),
    "a claim of a seat that is none": lambda d: fusion(d)["analysis"]["consensus"].append(
        {"claim": "x", "seats": [7]}
    ),
    "a quote found where nobody sits": lambda d: fusion(d)["analysis"]["consensus"].append(
        {"claim": "x", "seats": [0], "evidence": [{"seat": 0, "quote": "q", "found_in": 6}]}
    ),
    "a comparison of calls that are not there": lambda d: fusion(d).update(judged=["panel-5-1"]),
    "a quote found nowhere in particular": lambda d: fusion(d)["analysis"]["consensus"].append(
        {"claim": "x", "seats": [0], "evidence": [{"seat": 0, "quote": "q", "verified": True}]}
    ),
    "a call of nobody": lambda d: first_call(d).update(panelist={}),
    "a stand-in that is not there": lambda d: fusion(d).update(best="panel-5-1"),
    "a turn that goes on from itself": lambda d: fusion(d).update(
        turn={"root": 1, "after": 1, "messages": []}
    ),
    "a reason nobody knows": lambda d: first_call(d).update(reason="bad_luck"),
    "a citation that is no page": lambda d: first_call(d).update(
        citations=[{"url": "javascript:alert(1)", "title": "x"}]
    ),
    "a citation that hides its host": lambda d: first_call(d).update(
        citations=[{"url": "https://bank.example@evil.example/", "title": "x"}]
    ),
    "a panelist without a model": lambda d: first_call(d).update(panelist={"credential": "x"}),
    "a panelist whose model is a number": lambda d: first_call(d).update(
        panelist={"model": 5, "credential": "x"}
    ),
    "a price that is none": lambda d: first_call(d)["panelist"].update(
        price={"input": "much", "output": "1"}
    ),
    "a spec without a panel": lambda d: d["runs"][0]["spec"].update(panel=[]),
    "a spec with one field more": lambda d: d["runs"][0]["spec"].update(budget=5),
    "a spec whose limit is a word": lambda d: d["runs"][0]["spec"]["policy"].update(retries="two"),
    "a date after the calendar": lambda d: d["runs"][0].update(created_at=1e15),
    "a negative date": lambda d: d["runs"][0].update(created_at=-5),
    "a word too long for its column": lambda d: first_call(d).update(model="m" * 201),
    "more tokens than a number holds": lambda d: first_call(d).update(
        usage={"input_tokens": 2**60}
    ),
    "a cost below nothing": lambda d: first_call(d).update(cost="-1"),
    "a message in a form of another version": lambda d: d["runs"][0].update(
        messages=[{"role": "user", "content": [{"type": "video", "hash": "x"}]}]
    ),
    "one that follows itself": lambda d: d["runs"][0].update(follows=0),
    "one that follows what is not there": lambda d: d["runs"][0].update(
        follows_calls={"said": ["x"], "lettered": False, "fusion": 0, "seats": {}}
    ),
    "half a character": lambda d: first_call(d).update(text="a\ud83d"),
    "a number beyond all numbers": lambda d: d["runs"][0]["spec"]["policy"].update(grace=1e400),
    "no version": lambda d: d.pop("v"),
    "a version that is a text": lambda d: d.update(v="1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_run_is_refused_in_a_sentence_and_leaves_nothing(what: str, alice: User) -> None:
    data = copy.deepcopy(json_of(a_run(alice)))
    REFUSED[what](data)
    with pytest.raises(Malformed) as refused:
        again(data, alice)
    sentence = str(refused.value)
    assert sentence.startswith("This file is not a run") and sentence.endswith(".")
    assert "\n" not in sentence and len(sentence) < 400
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"null", b"[]", b"5", b"{", b"\xff\xfe", b'{"v": NaN}', b'{"v": 1}'),
        *(b"[" * 100_000, b'{"v": 1, "runs": ' + b"[" * 5_000, b'{"v": 1' + b"0" * 5_000 + b"}"),
        b"<html>no</html>",
    ],
)
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(raw)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (2_000, "more than 1,000 things are wrong"),
        (100_000, "more than 1,000 things are wrong"),
        (600_000, "too many values"),
    ],
)
def test_a_file_of_very_many_values_is_refused_before_each_is_looked_at(
    values: int, says: str, alice: User
) -> None:
    data = json_of(a_run(alice))
    data["runs"][0]["fusions"][0]["analysis"]["blind_spots"] = [1] * values
    for reads in (read, read_newer):
        with pytest.raises(Malformed, match=says):
            reads(json.dumps(data).encode(), limit=4_000_000)


def test_a_newer_form_and_a_newer_spec_are_told_from_a_broken_one(alice: User) -> None:
    data = json_of(a_run(alice))
    with pytest.raises(TooNew, match="A newer version of Fusion wrote this file"):
        again(data | {"v": 2, "sealed": True}, alice)
    data["runs"][0]["spec"]["v"] = 99
    with pytest.raises(TooNew, match="A newer version of Fusion asked run 1"):
        again(data, alice)


def test_a_file_above_the_limit_is_not_even_read() -> None:
    with pytest.raises(Malformed, match=r"has 0\.1 MB; at most 0\.0 MB"):
        read(b"{" * 60_000, limit=10_000)


def test_a_run_under_way_is_not_written(alice: User) -> None:
    with pytest.raises(Unfinished, match="still under way"):
        write([Story().begin().save(alice)])


def test_a_document_has_no_secret_and_no_row_of_its_site(alice: User) -> None:
    run = a_run(alice, share_token="shared-" + "x" * 30, client_run_id="once")
    text = to_json(write([run]))
    for own in (str(run.pk), run.share_token or "", "once", alice.username):
        assert own not in text
    assert isinstance(read(text.encode()), Document)
    assert Decimal(json.loads(text)["runs"][0]["calls"][0]["cost"]) == Decimal("0.0312")
    assert ANALYSIS["blind_spots"][0] in text
