"""Presets are checked: on saving, on the card, daily; and what is wrong is mended by one press."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.catalog import paying
from console.engine.errors import Reason
from console.models import Call, CatalogList, CatalogModel, Credential, Preset
from console.services.preset_checks import preset_findings, preset_mend
from console.services.presets import preset_spec
from tests.upstream import Script, Upstream

from .test_admin_presets import form

OPUS, NEXT_OPUS, SMALL, GPT = "maker/opus-4", "maker/opus-5", "maker/small-1", "other/gpt-5"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with Upstream() as server:
        monkeypatch.setenv("OPENROUTER_BASE_URL", server.url)
        monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
        rows = [{"id": name, "context_length": 200_000} for name in (OPUS, NEXT_OPUS, GPT)]
        rows += [{"id": SMALL, "context_length": 4_096}]
        server.script("/v1/models", Script(body=json.dumps({"data": rows})))
        yield server


@pytest.fixture
def router(upstream: Upstream, db: None) -> Credential:
    credential = Credential.objects.get(slug="openrouter")
    now = timezone.now()
    CatalogList.objects.create(
        credential=credential, address=credential.url, asked_at=now, read_at=now
    )
    for position, model in enumerate((OPUS, NEXT_OPUS, SMALL, GPT)):
        CatalogModel.objects.create(
            credential=credential,
            model=model,
            position=position,
            context_length=4_096 if model == SMALL else 200_000,
            last_seen_at=now,
        )
    return credential


@pytest.fixture
def pair(router: Credential) -> Preset:
    Preset.objects.all().delete()
    preset = Preset.objects.create(
        slug="pair", name="Pair", judge_model=GPT, judge_credential=router
    )
    for seat, model in enumerate((OPUS, GPT)):
        preset.panelists.create(seat=seat, model=model, credential=router)
    return preset


def test_who_can_judge_is_looked_up_once_for_all_cards(
    client: Client, alice: User, ada: User, pair: Preset
) -> None:
    """Of twelve presets as often as of one, for who may mend them, too."""
    for person in (alice, ada):
        client.force_login(person)
        looked_up = []
        for count in (1, 12):
            for n in range(Preset.objects.count(), count):
                more = Preset.objects.create(
                    slug=f"more-{n}",
                    name=f"More {n}",
                    judge_model=GPT,
                    judge_credential=pair.judge_credential,
                )
                more.panelists.create(seat=0, model=OPUS, credential=pair.judge_credential)
            with CaptureQueriesContext(connection) as queries:
                html = client.get("/fusion").content.decode()
            assert html.count('name="preset"') == count + 1
            looked_up.append(sum('FROM "console_catalogmodel"' in q["sql"] for q in queries))
        assert looked_up[0] == looked_up[1]
        Preset.objects.exclude(pk=pair.pk).delete()


def be_gone(model: str) -> None:
    CatalogModel.objects.filter(model=model).update(gone_at=timezone.now())


def told(preset: Preset) -> list[tuple[str, str]]:
    found = preset_findings([preset])[preset]
    return [(f.kind, f.mend.name if f.mend else "") for f in found]


def test_of_a_preset_that_can_run_nothing_is_said(pair: Preset) -> None:
    assert told(pair) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"judge_model": SMALL}, ("small", f"judge openrouter:{NEXT_OPUS}")),
        ({"judge_model": "other/gtp-5"}, ("unlisted", f"judge openrouter:{GPT}")),
        ({"synthesizer_model": SMALL}, ("small", f"synthesizer openrouter:{NEXT_OPUS}")),
        ({"judge_fallback_model": OPUS}, ("gone", f"judge_fallback openrouter:{NEXT_OPUS}")),
        (
            {"synthesizer_fallback_model": OPUS},
            ("gone", f"synthesizer_fallback openrouter:{NEXT_OPUS}"),
        ),
    ],
)
def test_judge_and_writer_are_mended_where_they_stand(
    pair: Preset, change: dict[str, str], found: tuple[str, str]
) -> None:
    pair.panelists.filter(model=OPUS).update(model=NEXT_OPUS)
    be_gone(OPUS)
    Preset.objects.filter(pk=pair.pk).update(**change)
    pair.refresh_from_db()
    kind, mend = told(pair)[0]
    assert kind == found[0]
    if kind != "small":  # of several with room any will do
        assert mend == found[1]
    preset_mend(preset=pair, name=mend)
    pair.refresh_from_db()
    (column,) = change
    assert getattr(pair, column) in (NEXT_OPUS, GPT) and told(pair) == []


@pytest.mark.parametrize("column", ["model", "fallback_model"])
def test_a_seat_and_its_fallback_are_mended(pair: Preset, column: str) -> None:
    be_gone(OPUS)
    pair.panelists.filter(seat=0).update(**{"model": GPT} | {column: OPUS})
    ((kind, mend),) = told(pair)
    assert kind == "gone"
    preset_mend(preset=pair, name=mend)
    assert getattr(pair.panelists.get(seat=0), column) == NEXT_OPUS
    assert told(pair) == []


def test_a_preset_with_findings_goes_on(pair: Preset) -> None:
    be_gone(OPUS)
    assert [p.model for p in preset_spec(pair).panel] == [OPUS, GPT]


# ---- where it is said


def post_preset(client: Client, models: list[str], **more: Any) -> str:
    data = form(models, **{"judge_model": GPT} | more)
    response = client.post("/admin/console/preset/add/", data, follow=True)
    return unescape(response.content.decode())


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (["claude", GPT], "A: OpenRouter lists no claude."),
        ([GPT, "maker/opuss-5"], "B: OpenRouter lists no maker/opuss-5."),
    ],
)
def test_a_preset_that_names_nobody_is_saved_with_a_warning(
    client: Client, ada: User, upstream: Upstream, models: list[str], sentence: str
) -> None:
    """The list is asked for, as Custom does: nobody has read it before."""
    client.force_login(ada)
    html = post_preset(client, models)
    assert Preset.objects.filter(slug="pair").exists()
    assert f"Pair is saved. {sentence}" in html
    assert any(request.path.endswith("/models") for request in upstream.requests)


def test_a_preset_of_listed_models_is_saved_without_one(
    client: Client, ada: User, upstream: Upstream
) -> None:
    client.force_login(ada)
    assert "is saved." not in post_preset(client, [OPUS, GPT])


def test_the_card_says_it_to_whoever_can_mend_it_and_one_press_does(
    client: Client, ada: User, bob: User, pair: Preset
) -> None:
    be_gone(OPUS)
    client.force_login(bob)
    assert "preset-finding" not in client.get("/fusion").content.decode()
    client.force_login(ada)
    html = unescape(client.get("/fusion").content.decode())
    assert f"A: {OPUS} at OpenRouter is not offered any more." in html
    (button,) = re.findall(r"<button[^>]*formaction[^>]*/mend[^>]*>[^<]*</button>", html)
    assert 'formaction="/fusion/presets/pair/mend"' in button and f">Use {NEXT_OPUS}<" in button
    (mend,) = re.findall(r'value="([^"]+)"', button)
    done = client.post("/fusion/presets/pair/mend", {"mend": mend, "prompt": "Why?"}, follow=True)
    html = unescape(done.content.decode())
    assert f"Pair: A has {NEXT_OPUS} now." in html and "preset-finding" not in html
    assert pair.panelists.get(seat=0).model == NEXT_OPUS


def test_by_htmx_the_card_itself_comes_back_mended(client: Client, ada: User, pair: Preset) -> None:
    be_gone(OPUS)
    client.force_login(ada)
    mend = {"mend": f"0 openrouter:{NEXT_OPUS}", "preset": "pair"}
    response = client.post("/fusion/presets/pair/mend", mend, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert html.lstrip().startswith('<div class="preset-card">') and "<html" not in html
    assert "preset-finding" not in html and "checked" in html
    assert pair.panelists.get(seat=0).model == NEXT_OPUS


def test_the_admin_says_it_at_the_preset_and_in_the_list(
    client: Client, ada: User, pair: Preset
) -> None:
    be_gone(OPUS)
    client.force_login(ada)
    sentence = f"A: {OPUS} at OpenRouter is not offered any more."
    for path in ("/admin/console/preset/", f"/admin/console/preset/{pair.pk}/change/"):
        assert sentence in unescape(client.get(path).content.decode())
    mend = {"mend": f"0 openrouter:{NEXT_OPUS}", "admin": ""}
    response = client.post("/fusion/presets/pair/mend", mend)
    assert response["Location"] == f"/admin/console/preset/{pair.pk}/change/"
    assert sentence not in unescape(client.get("/admin/console/preset/").content.decode())


@pytest.mark.parametrize("who", ["bob", "nobody"])
def test_nobody_else_mends_anything(client: Client, bob: User, pair: Preset, who: str) -> None:
    be_gone(OPUS)
    if who == "bob":
        client.force_login(bob)
    mend = {"mend": f"0 openrouter:{NEXT_OPUS}"}
    assert client.post("/fusion/presets/pair/mend", mend).status_code in (302, 404)
    assert pair.panelists.get(seat=0).model == OPUS


@pytest.mark.parametrize("mend", ["", "0 openrouter:other/any", f"1 openrouter:{NEXT_OPUS}"])
def test_only_what_is_offered_is_done(client: Client, ada: User, pair: Preset, mend: str) -> None:
    be_gone(OPUS)
    client.force_login(ada)
    page = client.post("/fusion/presets/pair/mend", {"mend": mend}, follow=True)
    assert "is not offered any more" in page.content.decode()
    assert [p.model for p in pair.panelists.all()] == [OPUS, GPT]
    assert client.post("/fusion/presets/gone/mend", {"mend": mend}).status_code == 404


# ---- who pays


def call(status: str = "completed", **more: Any) -> Call:
    ended = {"finished_at": timezone.now(), "panelist": {"credential": "openrouter"}}
    return Call(status=status, **ended | more)


REFUSED = {"status": "failed", "reason": Reason.INSUFFICIENT_CREDITS.value}


@pytest.mark.parametrize(
    ("before", "calls", "cannot_pay"),
    [
        (False, [REFUSED], True),
        (False, [{"status": "failed", "reason": Reason.RATE_LIMITED.value}], False),
        (False, [REFUSED | {"panelist": {"credential": "openai"}}], False),
        (False, [{"cost": 1}], False),
        (True, [{"cost": 1}], False),
        (True, [{"cost": 0}], True),  # a free model says nothing of it
        (True, [{"cost": None}], True),
        (True, [{"cost": 1, "finished_at": None}], True),
        (True, [{"cost": 1, "panelist": {"credential": "openai"}}], True),
        (True, [{"cost": 1}, REFUSED], True),
    ],
)
def test_calls_tell_whether_their_key_can_pay(
    db: None, before: bool, calls: list[dict[str, Any]], cannot_pay: bool
) -> None:
    keys = Credential.objects.filter(slug="openrouter")
    keys.update(cannot_pay_since=timezone.now() if before else None)
    paying.remember_who_pays([call(**c) for c in calls])
    assert (keys.get().cannot_pay_since is not None) is cannot_pay


def test_a_key_that_cannot_pay_is_a_finding(pair: Preset, router: Credential) -> None:
    Credential.objects.filter(pk=router.pk).update(cannot_pay_since=timezone.now())
    assert {kind for kind, _ in told(pair)} == {"unpaid"}


@pytest.mark.parametrize(
    ("key", "credits", "cannot_pay"),
    [
        ({"limit_remaining": 0}, None, True),
        ({"limit_remaining": -0.5}, None, True),
        ({"limit_remaining": 3}, {"total_credits": 10, "total_usage": 4}, False),
        ({"limit_remaining": None}, {"total_credits": 10, "total_usage": 10.2}, True),
        ({"limit_remaining": None}, {"total_credits": 10, "total_usage": 9.9}, False),
        # What is not said is not known: it stays as it was.
        ({"limit_remaining": None}, {"total_credits": "10"}, None),
        ({"limit_remaining": 3}, None, None),
        (None, None, None),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_provider_is_asked_whether_its_key_can_pay(
    upstream: Upstream,
    db: None,
    key: dict[str, Any] | None,
    credits: dict[str, Any] | None,
    cannot_pay: bool | None,
    before: bool,
) -> None:
    for path, data in (("/v1/key", key), ("/v1/credits", credits)):
        refused = Script(status=403, body='{"error": {"message": "No."}}')
        upstream.script(path, Script(body=json.dumps({"data": data})) if data else refused)
    keys = Credential.objects.filter(slug="openrouter")
    keys.update(cannot_pay_since=timezone.now() if before else None)
    paying.keep(paying.ask(list(keys)))
    expected = before if cannot_pay is None else cannot_pay
    assert (keys.get().cannot_pay_since is not None) is expected


def test_each_key_is_asked_once_a_day_by_one_worker(upstream: Upstream, db: None) -> None:
    assert [c.slug for c in paying.claim_keys_to_ask()] == ["openrouter"]
    assert paying.claim_keys_to_ask() == []
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    Credential.objects.update(money_asked_at=yesterday)
    assert [c.slug for c in paying.claim_keys_to_ask()] == ["openrouter"]
