"""Kinds, addresses, lists of models, tests of keys, secrets, and the fake."""

import asyncio
import copy
import json
import pickle
import sys
from types import ModuleType

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, Provider
from console.engine.usage import Price
from console.providers import kinds, registry
from console.providers.fake import FakeProvider
from console.providers.secret import Secret
from tests.providers.asking import KEY, collect
from tests.upstream import Script


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        (" HTTP://Example.com:8000/v1// ", "http://example.com:8000/v1"),
        ("http://example.com", "http://example.com"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/Chat/Completions/", "https://api.example.com/v1"),
        ("https://api.example.com/openai/v1/completions", "https://api.example.com/openai/v1"),
        ("https://api.example.com/v1/responses", "https://api.example.com/v1"),
        ("https://api.example.com/v1/embeddings", "https://api.example.com/v1"),
        ("http://example.com/chat/completions", "http://example.com"),
        # Azure's API lies below this.
        ("https://ai.example.com/models", "https://ai.example.com/models"),
        ("https://example.com/completions-proxy", "https://example.com/completions-proxy"),
    ],
)
def test_addresses_are_normalised(text, url):
    assert registry.normalise_base_url(text) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("myhost", "http://myhost:11434/v1"),
        ("myhost:8080", "http://myhost:8080/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"),
        (":9000", "http://127.0.0.1:9000/v1"),
        ("[::]:9000", "http://127.0.0.1:9000/v1"),
        ("http://myhost", "http://myhost:11434/v1"),
        ("http://myhost:9000/v1/", "http://myhost:9000/v1"),
        ("https://ollama.example.com", "https://ollama.example.com/v1"),
        ("https://example.com/ollama/v1", "https://example.com/ollama/v1"),
    ],
)
def test_ollama_host_may_be_bare(text, url):
    assert registry.normalise_base_url(text, ollama=True) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needed"),
        ("example.com/v1", "must start with"),
        ("ftp://example.com", "must start with"),
        ("file:///etc/passwd", "must start with"),
        ("https://me:secret@example.com", "user name or password"),
        ("https://example.com/v1?key=x", "must end"),
        ("https://example.com/v1#x", "must end"),
        ("https:///v1", "names no host"),
        ("https://example.com:99999/v1", "port"),
        ("https://exam ple.com", "space"),
        ("https://example.com\\@evil.example", "character"),
        ("https://[::1", "cannot be"),
    ],
)
def test_addresses_that_are_none_are_refused_in_words(text, why):
    with pytest.raises(ValueError, match=why) as caught:
        registry.normalise_base_url(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["openai_compatible", "openrouter", "anthropic"])
async def test_every_kind_answers(kind, up, client):
    provider: Provider = registry.make_provider(kind, base_url=up.url, api_key=KEY, client=client)
    assert (await collect(provider)).text == "This is the scripted answer of alpha."


@pytest.mark.parametrize(
    "body", [{"object": "list", "data": None}, {"models": None}, {"object": "list", "data": []}]
)
async def test_a_list_without_an_entry_is_no_error(body, up, client):
    up.script("/v1/models", Script(body=json.dumps(body)))
    assert await listed(up, client) == []


async def test_what_is_no_list_at_all_is_one(up, client):
    for body in ({"object": "list"}, {"data": "none"}, {}, "null"):
        up.script("/v1/models", Script(body=json.dumps(body)))
        with pytest.raises(ProviderError):
            await listed(up, client)


async def test_an_address_without_its_version_is_tried_below_it(up, client):
    bare = up.url.removesuffix("/v1")
    up.script("/models", Script(status=404))
    up.script("/v2/models", Script(status=404))
    asked = {"api_key": KEY, "client": client}
    result = await registry.test_credential("openai_compatible", base_url=bare, **asked)
    assert result.ok and result.base_url == up.url
    elsewhere = f"{bare}/v2"
    result = await registry.test_credential("openai_compatible", base_url=elsewhere, **asked)
    assert not result.ok and not result.base_url
    assert not any(r.path.startswith("/v2/v1") for r in up.requests)


async def test_openrouter_names_the_application(up, client):
    provider = registry.make_provider("openrouter", base_url=up.url, api_key=KEY, client=client)
    await collect(provider)
    assert up.calls[0].headers["x-openrouter-title"] == "Fusion"
    assert up.calls[0].headers["http-referer"]


def test_an_unknown_kind_is_a_matter_of_configuration(client):
    with pytest.raises(ProviderError) as caught:
        registry.make_provider("telepathy", base_url="", api_key="", client=client)
    assert caught.value.reason == Reason.CONFIGURATION


async def test_a_kind_may_go_without_a_list_and_a_test_of_its_key(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "mute", ModuleType("mute"))
    monkeypatch.setitem(kinds.KINDS, "mute", kinds.Kind("mute", "Mute", "mute"))
    asked = {"base_url": "http://a/v1", "api_key": KEY, "client": client}
    assert await registry.list_models("mute", **asked) == []
    told = await registry.test_credential("mute", **asked)
    assert not told.ok and told.sentence == "A key of this kind cannot be tried without paying."
    told = await registry.test_credential("telepathy", **asked)
    assert not told.ok and "no kind of provider named “telepathy”" in told.sentence


def test_a_kind_with_a_home_has_one_server():
    with pytest.raises(ValueError, match="has one home"):
        kinds.Kind("nomad", "Nomad", "nomad", has_home=True)


def listed(up, client, kind="openai_compatible", **more):
    return registry.list_models(kind, base_url=up.url, api_key=KEY, client=client, **more)


async def test_models_are_listed_with_price_and_length(up, client):
    rows = [
        {"id": "a", "name": "A", "context_length": 8192,
         "pricing": {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0"}},
        {"id": "a", "name": "again"},
        {"id": "router", "pricing": {"prompt": "-1", "completion": "-1"}},
        {"id": "local", "meta": {"n_ctx": 4096}, "pricing": "free"},
        {"name": None}, {"id": 5}, {"id": "x\ny"}, "plain", None,
    ]  # fmt: skip
    for body in ({"data": rows}, rows):
        up.script("/v1/models", Script(body=json.dumps(body)))
        a, router, local, plain = await listed(up, client, "openrouter")
        assert (a.id, a.name, a.context_length) == ("a", "A", 8192)
        assert a.price is not None
        assert a.price == Price(input=3, output=15, cached_input=0)
        assert (router.price, local.price, local.context_length) == (None, None, 4096)
        assert plain.id == "plain"


async def test_a_list_of_fifty_thousand_models_is_cut(up, client):
    rows = [{"id": f"model-{n}"} for n in range(50_000)]
    up.script("/v1/models", Script(body=json.dumps({"data": rows})))
    assert len(await listed(up, client)) == 5_000


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(body="<html>"), Reason.BAD_RESPONSE),
        (Script(body='{"data": 5}'), Reason.BAD_RESPONSE),
        (Script(body="7"), Reason.BAD_RESPONSE),
        (Script(status=401), Reason.UNAUTHORIZED),
        (Script(status=302, body="", headers={"Location": "/x"}), Reason.REDIRECT),
        (Script(delay=5), Reason.TIMEOUT),
        (Script(body="x", headers={"Content-Encoding": "gzip"}), Reason.BAD_RESPONSE),
    ],
)
async def test_a_list_that_is_none_is_an_error(up, client, script, reason):
    up.script("/v1/models", script)
    with pytest.raises(ProviderError) as caught:
        await listed(up, client, timeout=0.2)
    assert caught.value.reason == reason


@pytest.mark.parametrize("kind", ["openai_compatible", "openrouter", "anthropic"])
async def test_a_key_is_tested_without_cost(up, client, kind):
    up.api_key = KEY
    good = await registry.test_credential(kind, base_url=up.url, api_key=KEY, client=client)
    bad = await registry.test_credential(
        kind, base_url=up.url, api_key=Secret("sk-wrong-key-0123456789"), client=client
    )
    assert (good.ok, bad.ok) == (True, False)
    assert good.sentence.startswith("The key works: ")
    assert bad.sentence.startswith("The provider refused the key.")
    assert 0 < good.latency < 5
    assert not up.calls


async def test_a_test_of_a_server_that_is_not_there_says_so(client):
    result = await registry.test_credential(
        "openai_compatible", base_url="http://127.0.0.1:1/v1", api_key="", client=client
    )
    assert (result.ok, result.sentence) == (False, "127.0.0.1 could not be reached.")


def test_a_secret_shows_itself_only_when_told():
    secret = Secret(KEY)
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{[secret]}",
        f"{secret!r:>9}",
    ):
        assert "***" in shown
        assert KEY not in shown
    assert secret.reveal() == KEY
    assert Secret(secret) == secret
    assert not Secret("")


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, copy.deepcopy, vars])
def test_a_secret_is_not_written_down(write):
    with pytest.raises(TypeError):
        write(Secret(KEY))


async def test_a_provider_does_not_show_its_key(provider):
    assert KEY not in repr(vars(provider))


async def test_the_fake_plays_its_script():
    gate = asyncio.Event()
    fake = FakeProvider(
        {
            "good": ["a ", 0.01, "b"],
            "bad": ["a", ProviderError(Reason.STALLED)],
            "held": ["a", gate.wait, Finish("length")],
        }
    )
    good = await collect(fake, "good")
    assert (good.text, good.finish.finish_reason) == ("a b", "stop")
    bad = await collect(fake, "bad")
    assert (bad.text, bad.reason) == ("a", Reason.STALLED)
    held = asyncio.create_task(collect(fake, "held"))
    await asyncio.sleep(0)
    assert (fake.open, held.done()) == (1, False)
    gate.set()
    assert (await held).finish.finish_reason == "length"
    assert (fake.open, [r.model for r in fake.requests]) == (0, ["good", "bad", "held"])
