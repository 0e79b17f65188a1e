"""Lists of models, read from their servers and kept as rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.catalog import listings as catalog
from console.catalog.listings import all_models, listed_model, models_of
from console.catalog.names import ModelNames, UnknownName
from console.catalog.prices import context_length_of, price_of
from console.engine.usage import Price
from console.models import CatalogList, CatalogModel, Credential
from console.models.catalog import dollars, nano_dollars
from console.providers.listing import ModelInfo
from console.providers.secret import Secret
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db
PRICED = {
    "id": "org/alpha",
    "name": "Alpha",
    "context_length": 8192,
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        up.script("/v1/models", Script(body=json.dumps({"data": [PRICED, {"id": "beta"}]})))
        yield up


def credential(slug: str, url: str) -> Credential:
    return Credential.objects.create(slug=slug, name=slug, kind="openai_compatible", base_url=url)


def test_a_server_lists_its_models_with_context_and_price(upstream: Upstream) -> None:
    models, error = models_of(credential("mine", upstream.url))
    assert error == ""
    alpha, beta = models
    assert (alpha.credential_slug, alpha.model, alpha.name) == ("mine", "org/alpha", "Alpha")
    assert alpha.context_length == 8192
    assert alpha.price == Price(Decimal(1), Decimal(2))
    assert (beta.name, beta.price) == ("beta", None)


def test_the_list_is_kept(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    models_of(mine)
    all_models()
    assert len(upstream.requests) == 1


def test_another_key_asks_again(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    mine.secret = Secret("sk-another-0123456789")
    mine.save()
    models_of(mine)
    assert len(upstream.requests) == 2


def test_a_failure_is_said_in_words_and_kept_for_a_while(upstream: Upstream) -> None:
    upstream.script("/v1/models", Script(status=500))
    mine = credential("mine", upstream.url)
    models, error = models_of(mine)
    assert models == [] and error.startswith("mine: ")
    models_of(mine)
    assert len(upstream.requests) == 1


def test_servers_are_asked_at_once_and_a_dead_one_hides_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "PATIENCE", 0.4)
    credential("mine", upstream.url)
    credential("dead", "http://127.0.0.1:9/v1")
    with Upstream() as first, Upstream() as second:
        for number, silent in enumerate((first, second)):
            silent.script("/v1/models", Script(delay=30))
            credential(f"silent-{number}", silent.url)
        models, errors = all_models()
        (one,), (other,) = first.requests, second.requests
        first.wait_until(lambda: one.ended_at and other.ended_at)
        assert one.at < other.ended_at and other.at < one.ended_at
    assert [m.model for m in models] == ["org/alpha", "beta"]
    assert len(errors) == 3


def test_only_credentials_that_are_ready_are_asked(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    mine.enabled = False
    mine.save()
    assert all_models() == ([], [])
    assert models_of(mine) == ([], "mine is switched off.")
    assert not upstream.requests


def test_a_price_comes_from_the_list_at_hand_and_asks_nobody(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    assert price_of(mine, "org/alpha") is None
    assert not upstream.requests
    models_of(mine)
    assert price_of(mine, "org/alpha") == Price(Decimal(1), Decimal(2))
    assert price_of(mine, "beta") is None


def test_a_price_is_known_when_the_list_has_not_been_looked_at_for_long(
    upstream: Upstream,
) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    CatalogList.objects.update(asked_at=timezone.now() - timedelta(days=9))
    assert price_of(mine, "org/alpha") == Price(Decimal(1), Decimal(2))
    assert context_length_of(mine, "org/alpha") == 8192
    assert len(upstream.requests) == 1


def test_published_prices_fill_in() -> None:
    openrouter = Credential.objects.get(slug="openrouter")
    openai = Credential.objects.get(slug="openai")
    assert price_of(openrouter, "openai/gpt-4o") == price_of(openai, "gpt-4o")
    assert price_of(openai, "a-model-nobody-has") is None


def test_the_local_model_costs_nothing() -> None:
    local = Credential.objects.get(slug="local")
    assert price_of(local, "anything") == Price(Decimal(0), Decimal(0))


def lists(upstream: Upstream, *models: str) -> None:
    body = json.dumps({"data": [{"id": model} for model in models]})
    upstream.script("/v1/models", Script(body=body))


@pytest.fixture
def two() -> Iterator[tuple[Upstream, Upstream]]:
    """`house`, which serves models named like another credential, and that one: `mistral`."""
    with Upstream() as house, Upstream() as mistral:
        lists(house, "mistral:7b", "llama3:8b")
        lists(mistral, "small", "7b-instruct")
        credential("house", house.url)
        credential("mistral", mistral.url)
        yield house, mistral


def asked(name: str) -> tuple[str, str]:
    at = ModelNames(name).find(name)
    return at.credential.slug, at.model


@pytest.mark.parametrize(
    ("name", "goes_to"),
    [
        ("mistral:7b", ("house", "mistral:7b")),
        ("mistral:small", ("mistral", "small")),
        ("mistral:unlisted", ("mistral", "unlisted")),
        ("house:mistral:7b", ("house", "mistral:7b")),
        ("llama3:8b", ("house", "llama3:8b")),
        ("mistral:org/model:free", ("mistral", "org/model:free")),
    ],
)
def test_a_name_with_a_colon_goes_to_the_server_that_lists_it(
    two: object, name: str, goes_to: tuple[str, str]
) -> None:
    assert asked(name) == goes_to


def test_a_name_that_two_servers_may_mean_is_refused_with_both(
    two: tuple[Upstream, Upstream],
) -> None:
    lists(two[1], "7b")
    with pytest.raises(UnknownName, match=r"house:mistral:7b"):
        asked("mistral:7b")


def test_a_server_that_lists_its_models_with_its_own_name_before_them_is_meant(
    two: tuple[Upstream, Upstream],
) -> None:
    lists(two[1], "mistral:7b", "7b")
    lists(two[0], "llama3:8b")
    assert asked("mistral:7b") == ("mistral", "mistral:7b")


# ---- rows


def grown_old() -> None:
    """Minutes pass, for every list."""
    CatalogList.objects.update(asked_at=timezone.now() - timedelta(minutes=6))


def names_of(mine: Credential) -> list[str]:
    grown_old()
    return [m.model for m in models_of(mine)[0]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {
                "architecture": {"input_modalities": ["text", "image"]},
                "top_provider": {"max_completion_tokens": 64_000},
                "supported_parameters": ["reasoning", "tools"],
                "created": 1_750_000_000,
                "expiration_date": "2027-01-31",
                "alias_target": "maker/model-5",
            },
            {
                "inputs": ["text", "image"],
                "output_tokens": 64_000,
                "reasons": True,
                "takes_tools": True,
                "published_at": datetime.fromtimestamp(1_750_000_000, UTC),
                "expires_at": datetime(2027, 1, 31, tzinfo=UTC),
                "alias_of": "maker/model-5",
            },
        ),
        (
            {"supported_parameters": ["temperature"], "architecture": {"output_modalities": 7}},
            {"reasons": False, "takes_tools": False, "outputs": None},
        ),
        (
            {"context_window": 131_072, "max_completion_tokens": 8192},  # Groq
            {"context_length": 131_072, "output_tokens": 8192},
        ),
        (
            {  # Mistral
                "max_context_length": 32_768,
                "capabilities": {"function_calling": True, "vision": False},
                "deprecation": "2026-12-24T12:00:00+02:00",
            },
            {
                "context_length": 32_768,
                "takes_tools": True,
                "reasons": None,
                "expires_at": datetime(2026, 12, 24, 10, tzinfo=UTC),
            },
        ),
        (
            {  # Anthropic
                "display_name": "Alpha 5",
                "created_at": "2026-02-19T00:00:00Z",
                "max_input_tokens": 200_000,
                "max_tokens": 64_000,
            },
            {
                "name": "Alpha 5",
                "published_at": datetime(2026, 2, 19, tzinfo=UTC),
                "context_length": 200_000,
                "output_tokens": 64_000,
            },
        ),
        ({"meta": {"n_ctx": 4096}}, {"context_length": 4096}),
        (  # nothing that can be kept
            {
                "context_length": 10**30,
                "created": 10**30,
                "expiration_date": "soon",
                "architecture": [],
                "top_provider": {"max_completion_tokens": True},
                "pricing": {"prompt": "9999", "completion": "9999"},
                "alias_target": "a\nb",
            },
            {
                "context_length": None,
                "published_at": None,
                "expires_at": None,
                "inputs": None,
                "output_tokens": None,
                "price": None,
                "alias_of": "",
            },
        ),
    ],
)
def test_what_a_server_tells_of_a_model_is_kept(
    upstream: Upstream, row: dict[str, Any], told: dict[str, Any]
) -> None:
    body = json.dumps({"data": [{"id": "alpha", **row}]})
    upstream.script("/v1/models", Script(body=body))
    assert models_of(credential("mine", upstream.url))[1] == ""
    kept = CatalogModel.objects.get(model="alpha")
    assert {name: getattr(kept, name) for name in told} == told


@pytest.mark.parametrize(
    ("amount", "nano"),
    [
        ("0", 0),
        ("0.15", 150_000_000),
        ("75", 75_000_000_000),
        ("0.0000000001", 1),
        ("1e10", None),
        ("-1", None),
        ("NaN", None),
    ],
)
def test_prices_are_whole_nano_dollars(amount: str, nano: int | None) -> None:
    assert nano_dollars(Decimal(amount)) == nano
    if nano and nano > 1:
        assert dollars(nano) == Decimal(amount)


def test_a_model_that_a_list_has_no_longer_is_gone_and_known(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    assert names_of(mine) == ["org/alpha", "beta"]
    lists(upstream, "gamma", "beta")
    assert names_of(mine) == ["gamma", "beta"]
    gone = CatalogModel.objects.get(model="org/alpha")
    assert gone.gone_at and gone.last_seen_at and gone.last_seen_at < gone.gone_at
    assert price_of(mine, "org/alpha") == Price(Decimal(1), Decimal(2))
    lists(upstream, "org/alpha")
    assert names_of(mine) == ["org/alpha"]
    back = CatalogModel.objects.get(model="org/alpha")
    assert back.gone_at is None and back.first_seen_at == gone.first_seen_at


@pytest.mark.parametrize(
    "failure",
    [
        Script(status=500),
        Script(status=401),
        Script(body="<html>", content_type="text/html"),
        Script(body='{"data": "none"}'),
        Script(wire=[b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"]),
    ],
)
def test_a_list_that_cannot_be_read_changes_no_row_and_says_why(
    upstream: Upstream, failure: Script
) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    grown_old()
    upstream.script("/v1/models", failure)
    models, error = models_of(mine)
    assert [m.model for m in models] == ["org/alpha", "beta"]
    assert error.startswith("mine: ") and error.endswith("Its models are from an older list.")
    assert not CatalogModel.objects.exclude(gone_at=None)


@pytest.mark.parametrize("nothing", ['{"data": []}', '{"object": "list", "data": null}'])
def test_a_list_without_an_entry_is_no_error(upstream: Upstream, nothing: str) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    upstream.script("/v1/models", Script(body=nothing))
    grown_old()
    assert models_of(mine) == ([], "")


def test_behind_another_address_are_other_models(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    CatalogModel.objects.update(can_judge=False)
    with Upstream() as other:
        mine.base_url = other.url
        mine.save()
        other.script("/v1/models", Script(status=500))
        models, error = models_of(mine)
        assert models == [] and error and listed_model(mine, "org/alpha") is None
        assert price_of(mine, "org/alpha") is None
        lists(other, "beta", "delta")
        assert names_of(mine) == ["beta", "delta"]
    assert not CatalogModel.objects.filter(model="org/alpha"), "it never was there"
    assert CatalogModel.objects.get(model="beta").can_judge is False


def test_a_refused_new_key_leaves_the_models_of_the_old_one_in_sight(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    models_of(mine)
    upstream.script("/v1/models", Script(status=401))
    mine.secret = Secret("sk-another-0123456789")
    mine.save()
    models, error = models_of(mine)
    assert len(models) == 2 and "refused the key" in error


def test_a_shell_without_the_key_reads_what_the_site_has_read(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    openai = Credential.objects.get(slug="openai")
    models_of(openai)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("FUSION_STACK_KEYS", "openai")
    assert openai.is_ready and len(models_of(openai)[0]) == 2
    grown_old()
    assert len(models_of(openai)[0]) == 2 and len(upstream.requests) == 1


@pytest.mark.database
def test_a_long_list_is_written_once_and_then_only_what_changed() -> None:
    mine = credential("mine", "http://127.0.0.1:9/v1")
    info = [ModelInfo(f"maker/model-{n}", f"Model {n}", 8192) for n in range(1500)]
    catalog.keep([catalog.ListRead(mine, info)])
    first = CatalogModel.objects.get(model="maker/model-7").first_seen_at
    info[7] = ModelInfo("maker/model-7", "Model 7", 16_384)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        catalog.keep([catalog.ListRead(mine, info)])
    written = [q["sql"] for q in queries if 'INTO "console_catalogmodel"' in q["sql"]]
    assert len(written) == 1 and written[0].count("maker/model-") == 1
    assert len(queries) < 15
    changed = CatalogModel.objects.get(model="maker/model-7")
    assert (changed.context_length, changed.first_seen_at) == (16_384, first)
    assert len(catalog.known_models([mine])) == 1500


@pytest.mark.database
def test_a_list_that_comes_after_its_credential_is_deleted_is_dropped() -> None:
    mine = credential("mine", "http://127.0.0.1:9/v1")
    asked = catalog.ListRead(mine, [ModelInfo("a", "A")])
    Credential.objects.filter(pk=mine.pk).delete()
    catalog.keep([asked])
    assert not CatalogModel.objects.exists() and not CatalogList.objects.exists()


@pytest.mark.database
def test_of_several_workers_one_reads_a_list_that_is_a_day_old(upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    off = credential("off", upstream.url)
    Credential.objects.filter(pk=off.pk).update(enabled=False)
    assert catalog.claim_old_lists() == [mine], "nobody has ever read it"
    assert catalog.claim_old_lists() == []
    catalog.keep(catalog.ask([mine]))
    grown_old()
    assert catalog.claim_old_lists() == []
    CatalogList.objects.update(asked_at=timezone.now() - timedelta(days=2))
    assert catalog.claim_old_lists() == [mine]


def test_an_admin_says_what_no_list_has(client: Client, ada: User, upstream: Upstream) -> None:
    mine = credential("mine", upstream.url)
    client.force_login(ada)
    add = {"credential": mine.pk, "model": "unlisted", "can_judge": "false"}
    assert client.post("/admin/console/catalogmodel/add/", add).status_code == 302
    assert names_of(mine) == ["org/alpha", "beta", "unlisted"], "and no list says it has gone"
    alpha = CatalogModel.objects.get(model="org/alpha")
    page = f"/admin/console/catalogmodel/{alpha.pk}/change/"
    assert "$1.0000, $2.0000" in client.get(page).text
    client.post(page, {"can_judge": "false", "model": "another"})
    names_of(mine)
    alpha.refresh_from_db()
    assert (alpha.model, alpha.can_judge, alpha.context_length) == ("org/alpha", False, 8192)
    assert "org/alpha" in client.get("/admin/console/catalogmodel/").text
