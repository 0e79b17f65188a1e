"""Pictures that models answer with: kept, shown to whoever may read them, gone with their run."""

from __future__ import annotations

import base64
import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.state import RunState
from console.export import export_runs
from console.files.answered import Looked, look_at, picture_keep
from console.files.store import path_of, remove_unused
from console.fragments import run_context, run_fragments
from console.models import File, Run, RunPicture
from console.models.shown import ALL
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.imports import runs_import
from tests.files import making

from .story import Story, link_to

pytestmark = pytest.mark.database

BYTES = making.picture()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def with_picture(owner: User, **fields: str) -> tuple[Run, str]:
    """A run of which A came with a picture, and B with one that is not kept; and its hash."""
    story = Story().whole()
    run = story.save(owner, **fields)
    kept = picture_keep(run.pk, look_at(encoded(BYTES))) | {"alt": "Rain on a roof"}
    lost = {"type": "image/svg+xml", "bytes": 2000, "why": "it is not PNG, JPEG, WebP or GIF"}
    run.calls.filter(key="panel-0-1").update(attachments=[kept])
    run.calls.filter(key="panel-1-1").update(attachments=[lost])
    return run, kept["hash"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (making.picture(kind="JPEG"), ""),
        (making.picture(kind="GIF"), ""),
        (making.picture(kind="WEBP"), ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not PNG"),
        (b"<html>" + BYTES, "not PNG"),
        (making.pdf(["Rain"]), "not PNG"),
        (BYTES[:60], "broken"),
        (BYTES + b"0" * 5_000_000, "larger than 5 MB"),
    ],
)
def test_what_a_model_drew_is_looked_at_before_it_is_kept(data: bytes, says: str) -> None:
    looked = look_at(encoded(data).rstrip("="))
    assert says in looked.why and bool(looked.data) is not bool(says)


def test_what_is_no_base64_is_said() -> None:
    assert "base64" in look_at("!!").why
    assert picture_keep(Run().pk, Looked(why="it is so")) == {"why": "it is so"}


def test_it_stands_under_its_answer_and_what_was_not_kept_is_said(
    client: Client, alice: User, bob: User, charlie: User
) -> None:
    run, hash = with_picture(alice)
    client.force_login(alice)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    under = page.split('id="seat-0-sources"')[1].split("</ul>")[0]
    assert 'alt="Rain on a roof" width="40" height="30"' in under
    [address] = set(re.findall(r'src="(\?picture=[^"]+)"', under))
    assert address == f"?picture={hash}"
    assert "It came with a picture (SVG, 2 kB), not kept: it is not PNG" in page
    served = client.get(f"/fusion/runs/{run.pk}{address}")
    assert (served.content, served["Content-Type"]) == (BYTES, "image/png")
    assert served["X-Content-Type-Options"] == "nosniff" and "no-store" in served["Cache-Control"]
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert client.get(f"/fusion/runs/{run.pk}?picture={'0' * 64}").status_code == 404
    other = Story().whole().save(alice)
    assert client.get(f"/fusion/runs/{other.pk}{address}").status_code == 404
    for person, status in ((bob, 404), (charlie, 302)):
        client.force_login(person)
        assert client.get(f"/fusion/runs/{run.pk}{address}").status_code == status


def test_the_live_page_is_told_what_a_reloaded_one_shows(client: Client, alice: User) -> None:
    run, _ = with_picture(alice)
    state = state_from_rows(run)
    assert RunState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    told = run_fragments(run_context(run.frozen_spec, state, show_costs=True))["seat-0-sources"]
    client.force_login(alice)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert told.strip() in page and "<img" in told


def test_whoever_has_the_link_sees_it_until_the_link_ends(client: Client, alice: User) -> None:
    run, hash = with_picture(alice, visibility="link")
    link = link_to(run, "a-token", hides=["models", "prompt", "costs"])
    assert f"?picture={hash}" in client.get("/fusion/shared/a-token").content.decode()
    served = client.get(f"/fusion/shared/a-token?picture={hash}")
    assert served.content == BYTES and served["X-Robots-Tag"].startswith("noindex")
    link.delete()
    assert client.get(f"/fusion/shared/a-token?picture={hash}").status_code == 404


def test_it_is_taken_along_whole_and_brought_in_again(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, hash = with_picture(alice)
    run = Run.objects.get(pk=run.pk)
    address = f"data:image/png;base64,{encoded(BYTES)}"
    html, md, raw = (
        export_runs([run], form, lambda one: ALL).body.decode() for form in ("html", "md", "json")
    )
    assert f'<img class="picture" src="{address}" alt="Rain on a roof">' in html
    assert f"![Rain on a roof]({address})" in md
    assert "It came with a picture (SVG, 2 kB), not kept" in md
    document = json.loads(raw)
    [kept] = [c["attachments"][0] for c in document["runs"][0]["calls"] if c.get("seat") == 0]
    assert (kept["hash"], kept["data"]) == (hash, encoded(BYTES))
    Run.objects.all().delete()
    remove_unused(now=True)
    [again] = runs_import(raw=raw.encode(), owner=bob)
    assert RunPicture.objects.get(run=again).file_id == hash and path_of(hash).exists()
    shown = run_object(again, again.frozen_spec, state_from_rows(again)).calls
    assert [(a.hash, a.alt) for c in shown if c.seat == "A" for a in c.attachments] == [
        (hash, "Rain on a roof")
    ]
    # What says that it is a picture is looked at like any.
    kept["data"] = encoded(b"<svg/>")
    [forged] = runs_import(raw=json.dumps(document).encode(), owner=bob)
    assert not RunPicture.objects.filter(run=forged).exists()
    [told] = forged.calls.get(key="panel-0-1").attachments
    assert "hash" not in told and "not PNG" in told["why"]


def test_it_goes_with_the_last_run_that_has_it(alice: User) -> None:
    first, hash = with_picture(alice)
    second, _ = with_picture(alice)
    first.delete()
    assert (remove_unused(now=True), path_of(hash).exists()) == (0, True)
    second.delete()
    assert (remove_unused(now=True), path_of(hash).exists()) == (1, False)
    assert not File.objects.exists()
    assert "why" in picture_keep(Run().pk, look_at(encoded(BYTES)))
