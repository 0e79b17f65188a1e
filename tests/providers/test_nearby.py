"""Who answers at the ports where model servers listen, and what is asked of them."""

import json
import socket

import httpx
import pytest

from console.providers.nearby import Candidate, candidates, look
from tests.upstream import Script, Upstream
from tests.upstream.ollama import Ollama, listed, llama_cpp, tag, tags
from tests.upstream.places import deaf, never_accepting, refusing

SIZES = {"gemma3:12b": "12.2B", "qwen3:8b": "8.2B", "nomic-embed-text:latest": "137M"}


def names(servers):
    return [(server.name, [model.name for model in server.models]) for server in servers]


async def looked(up: Upstream, client: httpx.AsyncClient, *, is_ollama=False, patience=20.0):
    return names(await look([Candidate((up.url,), is_ollama)], client=client, patience=patience))


async def test_an_ollama_is_found_with_the_models_one_can_talk_to(client):
    async with Ollama(SIZES) as ollama:
        (server,) = await look([Candidate((ollama.url,), True)], client=client, patience=20)
    assert names([server]) == [("Ollama", ["gemma3:12b", "qwen3:8b"])]
    assert [model.billions for model in server.models] == [12.2, 8.2]
    assert server.is_here and server.url == ollama.url


async def test_nothing_but_lists_is_asked_for_and_no_key_is_sent(client):
    async with Ollama(SIZES) as ollama:
        await looked(ollama, client)
    assert {(r.method, r.path) for r in ollama.requests} == {
        ("GET", "/v1/models"),
        ("GET", "/api/tags"),
    }
    assert not any({"authorization", "cookie"} & r.headers.keys() for r in ollama.requests)
    assert ollama.calls == []


@pytest.mark.parametrize(
    ("script", "name", "models"),
    [
        (llama_cpp("gemma-3-12b", n_params=12_000_000_000), "llama.cpp", ["gemma-3-12b"]),
        (listed("Qwen/Qwen3-8B", owned_by="vllm"), "vLLM", ["Qwen/Qwen3-8B"]),
        (listed("qwen3-8b", owned_by="organization_owner"), "LM Studio", ["qwen3-8b"]),
        (listed("a", "b", "text-embedding-c"), "", ["a", "b"]),
        (Script(body='{"models": [{"name": "a"}]}'), "", ["a"]),
        (
            Script(body='{"data": [{"id": "a"}], "object": "list"}', content_type="text/plain"),
            "",
            ["a"],
        ),
    ],
)
async def test_a_server_is_named_by_what_its_list_says(up, client, script, name, models):
    up.script("/v1/models", script)
    name = name or f"Model server (port {up.port})"
    assert await looked(up, client) == [(name, models)]


@pytest.mark.parametrize(
    "script",
    [
        Script(body="<html><h1>It works!</h1></html>", content_type="text/html"),
        Script(status=404, body="Not found"),
        Script(status=401, error_message="Invalid API key."),
        Script(status=403, body=""),
        Script(status=500, body="{}"),
        Script(status=204, body=""),
        Script(body=""),
        Script(body="null"),
        Script(body="[" * 100_000),
        Script(body='{"data": "none"}'),
        Script(body='{"object": "list", "data": null}'),
        Script(body='{"error": {"message": "no"}}'),
        listed(),
        listed("nomic-embed-text", "bge-reranker-v2-m3"),
        listed("gpt-5.2", "claude-opus-5.1", "qwen3-8b"),
        Script(body=json.dumps({"data": [{"id": "a"}]}), headers={"X-Fusion": "1"}),
        Script(body=json.dumps({"data": [{"id": "a"}]}), headers={"Content-Encoding": "gzip"}),
        Script(body=json.dumps({"data": [{"id": "a", "pad": "x" * 3_000_000}]})),
        Script(wire=[b"SSH-2.0-OpenSSH_9.2\r\n"]),
        Script(wire=[b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"data": [{"id": "a"}]}']),
    ],
)
async def test_whatever_is_no_list_of_models_to_talk_to_is_nobody(up, client, script):
    up.script("/v1/models", script)
    assert await looked(up, client, is_ollama=True) == []


async def test_nobody_is_followed_elsewhere(up, client):
    async with Upstream() as elsewhere:
        elsewhere.script("/v1/models", listed("a"))
        for status in (301, 302, 307, 308):
            up.script(
                "/v1/models",
                Script(status=status, headers={"Location": elsewhere.url + "/models"}, body=""),
            )
            assert await looked(up, client) == []
    assert elsewhere.requests == []


async def test_no_proxy_of_the_environment_is_asked(up, client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    up.script("/v1/models", listed("a"))
    assert len(await looked(up, client)) == 1


@pytest.mark.parametrize("place", [refusing, deaf, never_accepting])
async def test_a_port_without_an_answer_is_given_up(client, place):
    with place() as nobody:
        assert await look([Candidate((nobody.url,))], client=client, patience=0.3) == []


@pytest.mark.parametrize(
    "script",
    [
        Script(delay=600),
        Script(raw=[b'{"data": [', 600.0]),
        Script(wire=[b"HTTP/1.1 200 OK\r\n", 600.0]),
    ],
)
async def test_a_server_that_hangs_keeps_nobody_waiting(up, client, script):
    up.script("/v1/models", script)
    async with Ollama(SIZES) as ollama:
        found = await look(
            [Candidate((up.url,)), Candidate((ollama.url,))], client=client, patience=2
        )
    assert names(found) == [("Ollama", ["gemma3:12b", "qwen3:8b"])]


@pytest.mark.parametrize(
    "script", [Script(status=404, body=""), Script(body="<html>"), Script(body="{}")]
)
async def test_a_server_at_ollamas_port_is_taken_for_what_its_list_says(up, client, script):
    up.script("/v1/models", llama_cpp("gemma-3-12b"))
    up.script("/api/tags", script)
    assert await looked(up, client, is_ollama=True) == [("llama.cpp", ["gemma-3-12b"])]


async def test_a_model_that_ollama_has_elsewhere_is_not_offered(up, client):
    up.script("/v1/models", listed("qwen3:8b", "helper", owned_by="library"))
    up.script(
        "/api/tags", tags(tag("qwen3:8b", "8.2B"), tag("helper", "0", remote_host="https://x"))
    )
    assert await looked(up, client) == [("Ollama", ["qwen3:8b"])]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as bound:
            bound.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_a_server_that_listens_on_ipv6_only_is_found(client):
    async with Ollama(SIZES, host="::1") as ollama:
        (candidate,) = candidates([ollama.port])
        found = await look([candidate], client=client, patience=20)
    assert [server.url for server in found] == [ollama.url]


HERE = ("http://127.0.0.1:11434/v1", "http://[::1]:11434/v1")


@pytest.mark.parametrize(
    ("ports", "host", "own", "urls"),
    [
        ([11434], "", [], [HERE]),
        ([11434, 11434], "", [], [HERE]),
        ([8000, 8080], "", [8000, 8080], []),
        ([], "127.0.0.1", [], [HERE[:1]]),
        # One server, asked once, by the name that the environment gives it.
        ([11434], "0.0.0.0", [], [HERE[:1]]),
        ([11434], "localhost", [], [("http://localhost:11434/v1",)]),
        ([11434], ":11500", [], [("http://127.0.0.1:11500/v1",), HERE]),
        ([11434], "[::1]:11434", [], [HERE[1:]]),
        ([11434], "http://gpu.lan:11434", [], [("http://gpu.lan:11434/v1",), HERE]),
        ([11434], "192.168.1.5", [], [("http://192.168.1.5:11434/v1",), HERE]),
        # Its port is ours here, not there.
        ([], "gpu.lan:8000", [8000], [("http://gpu.lan:8000/v1",)]),
        ([], "0.0.0.0:8000", [8000], []),
        ([11434], "no host", [], [HERE]),
        ([11434], "ftp://x", [], [HERE]),
    ],
)
def test_where_it_is_looked(ports, host, own, urls):
    assert [candidate.urls for candidate in candidates(ports, ollama_host=host, own=own)] == urls


@pytest.mark.parametrize(
    ("ports", "host", "as_ollama"),
    [([11434, 1234, 8080], "", [True, False, False]), ([], ":9", [True])],
)
def test_only_where_ollama_is_at_home_it_is_asked_as_ollama(ports, host, as_ollama):
    found = candidates(ports, ollama_host=host)
    assert [candidate.is_ollama for candidate in found] == as_ollama
