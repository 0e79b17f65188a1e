import json
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.cache import cache

from console.catalog import listings as catalog
from console.catalog.listings import all_models, models_of
from console.catalog.names import ModelNames, UnknownName
from console.catalog.prices import context_length_of, price_of
from console.engine.usage import Price
from console.models import Credential
from console.providers.secret import Secret
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db
PRICED = {
    "id": "org/alpha",
    "name": "Alpha",
    "context_length": 8192,
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
}


@pytest.fixture(autouse=True)
def empty_catalog() -> None:
    cache.clear()


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
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "KEPT", 0.05)
    mine = credential("mine", upstream.url)
    models_of(mine)
    time.sleep(0.1)
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
