"""Runs brought in from another site: to be read, counted nowhere, the same in every text, and
refused whole where something in their file is wrong."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from console import access
from console.catalog.thinking import _of_recent_calls as usual_first_tokens
from console.export import export_runs
from console.models import Call, Run, Verdict
from console.models.shown import ALL
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.fusions import run_fuse
from console.services.habits import History, of_recent_calls
from console.services.imports import runs_import
from console.services.presets import presets_changed
from console.services.quickest import _answers as quick_answers
from console.services.verdicts import WhatWasSeen, verdict_set

from .story import ANALYSIS, Story, a_spec

TEXT = (
    "# Why\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint('<script>')\n```\n\n重要：$x^2$\n"
)


WRITTEN: list[str] = []


@pytest.fixture
def data(alice: User) -> dict[str, Any]:
    """As another site wrote it, once; here nothing is left of it."""
    if not WRITTEN:
        WRITTEN.append(json.dumps(written_by(alice)))
    told: dict[str, Any] = json.loads(WRITTEN[0])
    return told


def written_by(alice: User) -> dict[str, Any]:
    story = Story(a_spec()).begin().wait(1).think(0, "Let me see.")
    for seat in range(3):
        story.answer(seat, TEXT).wait(1)
    story.judge().wait(2).analyse().synthesise("It is so [^A]. Is it?").wait(1).complete()
    wish = {"facts": ["The lease ends in May."], "on": 1, "root": 1}
    story.fuse_again("And so again [^you].", wish=wish)
    story.state.fusions[2].analysis = ANALYSIS
    run = story.save(alice)
    answers = {letter: f"panel-{seat}-1" for seat, letter in enumerate("ABC")}
    seen = {"names": True, "order": ["A", "B", "C"], "look": "answers"}
    Verdict.objects.create(
        run=run, person=alice, best="B", note="Short.", answers=answers, seen=seen
    )
    Story().whole().save(
        alice,
        prompt="And then?",
        follows=run,
        follows_from="fused",
        follows_calls={"said": ["synthesis-f1-1"], "lettered": False, "fusion": 1, "seats": {}},
    )
    runs = [*Run.objects.order_by("created_at")]
    written: dict[str, Any] = json.loads(export_runs(runs, "json", lambda _: ALL).body)
    Run.objects.all().delete()
    return written


def raw(data: Any) -> bytes:
    return json.dumps(data).encode()


def again(runs: list[Run]) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(export_runs(runs, "json", lambda _: ALL).body)
    return written


# ---- what it is ----


def test_what_is_imported_is_taken_along_again_as_it_came(data: dict[str, Any], bob: User) -> None:
    runs = runs_import(raw=raw(data), owner=bob)
    assert again(runs) == data
    assert [run.follows_id for run in runs] == [None, runs[0].pk]


def test_it_is_its_importers_own_of_today_and_marked(
    data: dict[str, Any], client: Client, bob: User, alice: User
) -> None:
    data["runs"][0]["created_at"] = 86_400.0
    run, _ = runs_import(raw=raw(data), owner=bob)
    assert (run.origin, run.owner, run.visibility) == ("imported", bob, "private")
    client.force_login(bob)
    listed = client.get("/fusion/runs").content.decode()
    assert str(run.pk) in listed and "Imported" in listed
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Imported</span>" in html and "by bob" in html
    assert html.split('class="looks"')[0].count('class="badge') <= 3  # its marks, and no more
    assert '<time datetime="1970-01-02T' in html and f"{run.created_at:%Y-%m-%dT}" in html
    client.force_login(alice)
    assert client.get(f"/fusion/runs/{run.pk}").status_code == 404


@pytest.mark.parametrize("look", ["answers", "result"])
def test_it_shows_the_same_texts_as_where_it_comes_from(
    data: dict[str, Any], client: Client, alice: User, look: str
) -> None:
    from console.fragments import run_texts

    (run, _), (other, _) = (runs_import(raw=raw(data), owner=alice) for _ in range(2))
    Run.objects.filter(pk=other.pk).update(origin="page")
    texts = [run_texts(r.frozen_spec, state_from_rows(r)) for r in (run, other)]
    assert texts[0] == texts[1] and "<script>" not in str(texts[0])
    client.force_login(alice)
    pages = [client.get(f"/fusion/runs/{r.pk}?look={look}").content.decode() for r in (run, other)]
    for text in texts[0].values():
        assert all(text in page for page in pages)
    assert [page.count("claim-says") for page in pages] == [pages[0].count("claim-says")] * 2


# ---- what it counts for ----


@pytest.mark.database
def test_nothing_of_it_is_counted(data: dict[str, Any], client: Client, alice: User) -> None:
    many = copy.deepcopy(data)
    many["runs"] = [copy.deepcopy(data["runs"][0]) for _ in range(6)]
    for run in many["runs"]:
        for call in run["calls"]:
            call |= {"sent_at": 1_790_000_000.0, "first_token_at": 1_790_000_001.0}
    runs = runs_import(raw=raw(many), owner=alice)
    assert Call.objects.exclude(cost=None).exists()  # what it cost there is on record
    assert {(run.cost, run.cost_is_partial) for run in runs} == {(None, False)}
    assert (usual_first_tokens(), of_recent_calls(), presets_changed(), [*quick_answers()]) == (
        {},
        History(),
        {},
        [],
    )
    told = run_object(runs[0], runs[0].frozen_spec, state_from_rows(runs[0]))
    assert (told.cost, told.usage.cost, {call.cost for call in told.calls}) == (None, None, {None})
    client.force_login(alice)
    html = client.get(f"/fusion/runs/{runs[0].pk}").content.decode()
    assert "$0.0" not in html and 'aria-label="Receipt"' not in html
    assert "$" not in client.get("/fusion/runs").content.decode()
    # The same run, asked here, is counted.
    Run.objects.update(origin="page")
    assert usual_first_tokens() and of_recent_calls().habits and presets_changed()


def test_nobody_is_asked_anything_of_it(
    data: dict[str, Any], client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = runs_import(raw=raw(data), owner=alice)
    with pytest.raises(Refused, match="imported to be read"):
        run_fuse(run=run)
    with pytest.raises(Refused, match="only there to be read"):
        verdict_set(run=run, person=alice, best="A", seen=WhatWasSeen())
    client.force_login(alice)
    for act in ("fuse", "seats", "seats/0/ask"):
        form = {"seat": "0", "model": "m/a", "credential": "openrouter"}
        response = client.post(f"/fusion/runs/{run.pk}/{act}", form)
        assert response.status_code in (400, 422), act
    run.refresh_from_db()
    assert run.status == "completed" and run.fusions.count() == 2
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    for form in ("/fuse", "/verdict", "/seats"):
        assert f'{run.pk}{form}"' not in html
    assert f'{run.pk}/share"' in html
    # Nor is it offered to go on from it while nobody could be asked.
    assert f'{run.pk}/follow"' not in html and "follow-prompt" not in html
    assert "may not be here, and no others can be asked yet" in html
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert f'{run.pk}/follow"' in html and "no others can be asked" not in html


def test_who_asks_on_asks_models_of_this_site(data: dict[str, Any], alice: User) -> None:
    run, _ = runs_import(raw=raw(data), owner=alice)
    with pytest.raises(Refused, match="may not be here"):
        run_follow(run=run, owner=alice, prompt="And now?")
    after = run_follow(run=run, owner=alice, prompt="And now?", spec=a_spec("m/own"))
    assert after.origin == "page" and after.frozen_spec.panel[0].model == "m/own"


# ---- what a newer version has added ----

Change = Callable[[dict[str, Any]], Any]
NEWER: dict[str, Change] = {
    "of the whole": lambda d: d.update(signed={"by": "x"}),
    "its version": lambda d: d.update(v=7),
    "of a run": lambda d: d["runs"][1].update(rating=5),
    "of a call": lambda d: d["runs"][0]["calls"][2].update(brought_by="alice", note=["a", None]),
    "of a call's usage": lambda d: d["runs"][0]["calls"][0]["usage"].update(audio_tokens=3),
    "of usage that was usual": lambda d: d["runs"][0]["calls"][1].update(usage={"audio": 1}),
    "of a panelist": lambda d: d["runs"][0]["calls"][0]["panelist"].update(persona="x"),
    "a panelist's version": lambda d: d["runs"][0]["calls"][0]["panelist"].update(v=9),
    "of a fusion": lambda d: d["runs"][0]["fusions"][1].update(gate={"passed": True}),
    "of a fusion's judge": lambda d: d["runs"][0]["fusions"][0]["judge"].update(v=9, x=1),
    "of a wish": lambda d: d["runs"][0]["fusions"][1]["wish"].update(tone="dry"),
    "of an analysis": lambda d: d["runs"][0]["fusions"][0]["analysis"].update(open_questions=["?"]),
    "of a claim": lambda d: d["runs"][0]["fusions"][0]["analysis"]["consensus"][0].update(p=0.5),
    "of a verdict": lambda d: d["runs"][0]["verdicts"][0].update(blind=True),
    "of a spec": lambda d: d["runs"][0]["spec"].update(debate={"rounds": 3}),
    "a spec's version": lambda d: d["runs"][0]["spec"].update(v=99, debate={"rounds": 3}),
    "of a spec's policy": lambda d: d["runs"][0]["spec"]["policy"].update(purse="1.00"),
    "of a spec's seat": lambda d: d["runs"][0]["spec"]["panel"][1].update(v=5, voice="x"),
    "of the judge of a spec": lambda d: d["runs"][0]["spec"]["judge"].update(voice="x"),
}


@pytest.mark.parametrize("what", NEWER)
def test_what_is_not_known_here_is_kept_and_taken_along_again(
    what: str, data: dict[str, Any], client: Client, alice: User
) -> None:
    NEWER[what](data)
    run, after = runs_import(raw=raw(data), owner=alice)
    assert again([*Run.objects.filter(pk__in=[run.pk, after.pk]).order_by("created_at")]) == data
    client.force_login(alice)
    assert client.get(f"/fusion/runs/{run.pk}").status_code == 200


def test_what_is_not_known_here_is_shown_to_nobody_else(
    data: dict[str, Any], client: Client, alice: User, bob: User
) -> None:
    data["runs"][0]["calls"][0]["brought_by"] = "somebody's name"
    run, _ = runs_import(raw=raw(data), owner=alice)
    Run.objects.filter(pk=run.pk).update(visibility="team")
    assert (
        "somebody" in export_runs([run], "json", lambda r: access.shown_to(alice, r)).body.decode()
    )
    client.force_login(bob)
    assert b"somebody" not in client.get(f"/fusion/runs/{run.pk}/export").content


# ---- what is refused ----

REFUSED: dict[str, tuple[Change, str]] = {
    "a missing field": (lambda d: d["runs"][0]["calls"][1].pop("key"), "runs.0.calls.1.key"),
    "another type": (lambda d: d["runs"][0].update(prompt=5), "runs.0.prompt"),
    "no runs": (lambda d: d.update(runs=[]), "runs"),
    "runs that are none": (lambda d: d.update(runs={"a": 1}), "runs"),
    "a run that is none": (lambda d: d["runs"].append("x"), "runs.2"),
    "a status that is none": (lambda d: d["runs"][0].update(status="won"), "runs.0.status"),
    "one that has not ended": (lambda d: d["runs"][0].update(status="running"), "run 1"),
    "a seat twice": (
        lambda d: d["runs"][0]["calls"].append(d["runs"][0]["calls"][0]),
        "run 1: two of its calls",
    ),
    "a seat beyond the panel": (
        lambda d: d["runs"][0]["calls"][0].update(seat=7, key="panel-7-1"),
        "run 1: call panel-7-1",
    ),
    "a cycle": (lambda d: d["runs"][0].update(follows=1), "run 1"),
    "one that follows itself": (lambda d: d["runs"][1].update(follows=1), "run 2"),
    "one that follows what is not there": (lambda d: d["runs"][1].update(follows=50), "run 2"),
    "a date before all time": (lambda d: d["runs"][0].update(created_at=-1e12), "created_at"),
    "a date after the calendar": (lambda d: d["runs"][0].update(started_at=1e15), "started_at"),
    "half a character": (
        lambda d: d["runs"][0]["calls"][0].update(text="a\ud83d"),
        "runs.0.calls.0.text: it has half",
    ),
    "half a character in what is not known": (
        lambda d: d["runs"][0].update(x="\udc00"),
        "runs.0.x",
    ),
    "half a character in a name": (lambda d: d["runs"][0].update({"\udc00": 1}), "a name"),
    "a page that is a script": (
        lambda d: d["runs"][0]["calls"][0].update(
            citations=[{"url": "javascript:alert(1)", "title": "x"}]
        ),
        "citations.0",
    ),
    "a spec without a panel": (lambda d: d["runs"][0]["spec"].update(panel=[]), "run 1: how it"),
    "a spec that lacks what is promised": (lambda d: d["runs"][0]["spec"].pop("terms"), "run 1"),
    "a newer spec in another shape": (
        lambda d: d["runs"][0]["spec"].update(v=99, panel={"seats": []}),
        "run 1",
    ),
    "a newer form in another shape": (
        lambda d: d.update(v=2, runs=[{"question": "Why?"}]),
        "newer version of Fusion wrote this file",
    ),
    "a version that is a text": (lambda d: d.update(v="1"), "does not say its version"),
    "no version": (lambda d: d.pop("v"), "does not say its version"),
    "too many seats": (
        lambda d: d["runs"][0]["spec"].update(panel=d["runs"][0]["spec"]["panel"] * 3),
        "run 1",
    ),
    "nesting in what is not known": (
        lambda d: d["runs"][0].update(x=json.loads("[" * 150 + "]" * 150)),
        "nested over 100 deep",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_said_with_its_place_and_nothing_is_kept(
    what: str, data: dict[str, Any], client: Client, alice: User
) -> None:
    change, where = REFUSED[what]
    change(data)
    client.force_login(alice)
    file = SimpleUploadedFile("run.json", raw(data))
    response = client.post("/fusion/import", {"file": file})
    assert response.status_code == 422
    html = response.content.decode()
    sentence = html.partition('role="alert" dir="auto">')[2].partition("</p>")[0]
    assert where in sentence and sentence.endswith("."), sentence
    assert not Run.objects.exists() and not Call.objects.exists()


@pytest.mark.parametrize(
    "file",
    [
        *(b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"v": NaN}', b'{"v": 1}', b"[" * 9_000_000),
        b'{"v": 1, "runs": ' + b"[" * 50_000,
        b'{"v": 1, "runs": [' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"]}",
        b'{"v": 1' + b"0" * 5_000 + b"}",
        b"<html>no</html>",
        b"PK\x03\x04\0\0",
    ],
)
def test_what_is_no_document_is_refused(file: bytes, alice: User) -> None:
    with pytest.raises(Refused, match="This file"):
        runs_import(raw=file, owner=alice)
    assert not Run.objects.exists()


def test_what_no_database_keeps_is_replaced(data: dict[str, Any], alice: User) -> None:
    data["runs"][0]["calls"][0]["text"] = "a\0b"
    data["runs"][0]["later"] = ["\0"]
    run, _ = runs_import(raw=raw(data), owner=alice)
    assert run.calls.get(key="panel-0-1").text == "a\ufffdb"
    assert run.imported and run.imported["unknown"] == [[["later"], ["\ufffd"]]]


def test_ids_of_other_runs_mean_nothing_here(data: dict[str, Any], alice: User, bob: User) -> None:
    own = Story().whole().save(bob)
    data["runs"][0] |= {"id": str(own.pk), "owner": bob.pk, "share_token": "x", "pk": str(own.pk)}
    run, _ = runs_import(raw=raw(data), owner=alice)
    own.refresh_from_db()
    assert run.pk != own.pk and own.owner == bob and run.share_token is None


# ---- the page and the shell ----


def test_the_page_takes_a_file_of_whoever_is_signed_in(
    data: dict[str, Any], client: Client, alice: User
) -> None:
    file = SimpleUploadedFile("run.json", raw(data))
    assert client.post("/fusion/import", {"file": file})["Location"].startswith("/sign-in")
    client.force_login(alice)
    assert "Import…" in client.get("/fusion/runs").content.decode()
    assert 'type="file"' in client.get("/fusion/import").content.decode()
    file.seek(0)
    response = client.post("/fusion/import", {"file": file})
    assert response["Location"] == f"/fusion/runs/{Run.objects.get(follows=None).pk}"


def test_the_page_takes_nothing_without_its_token(data: dict[str, Any], alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    file = SimpleUploadedFile("run.json", raw(data))
    assert client.post("/fusion/import", {"file": file}).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize("form", [{}, {"file": "a text"}, {"other": "x"}])
def test_no_file_is_said_to_be_missing(client: Client, alice: User, form: dict[str, str]) -> None:
    client.force_login(alice)
    response = client.post("/fusion/import", form)
    assert response.status_code == 422 and "Choose a file." in response.content.decode()


def test_a_file_that_is_too_large_is_not_read(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.IMPORT_BYTES = 1_000
    client.force_login(alice)
    response = client.post("/fusion/import", {"file": SimpleUploadedFile("x", b"{" * 1_001)})
    assert response.status_code == 422 and "too large" in response.content.decode()


def shell(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("import", *arguments, stdout=out)
    return out.getvalue().split()


def test_the_shell_brings_in_for_somebody_or_for_the_team(
    data: dict[str, Any], tmp_path: Path, alice: User
) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(raw(data))
    first = Run.objects.get(pk=shell(str(file))[0])
    assert (first.owner, first.visibility, first.origin) == (None, "team", "imported")
    second = Run.objects.get(pk=shell(str(file), "--user", "alice")[0])
    assert (second.owner, second.visibility) == (alice, "private")


def test_the_shell_says_why_it_cannot(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        shell(str(tmp_path / "none"))
    (tmp_path / "bad").write_text("{}")
    with pytest.raises(CommandError, match="does not say its version"):
        shell(str(tmp_path / "bad"))
    with pytest.raises(CommandError, match="nobody named “zoe”"):
        shell(str(tmp_path / "bad"), "--user", "zoe")
