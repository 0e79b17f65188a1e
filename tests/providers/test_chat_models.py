"""Which models of somebody's list one can talk to, and which three are taken."""

import pytest

from console.providers.chat_models import ChatModel, chat_models, choose, leads_elsewhere
from tests.upstream.ollama import tag

TALK = [
    *("gemma3:12b", "qwen3:8b", "phi4:latest", "llama3.2:3b", "gpt-oss:20b", "deepseek-r1:7b"),
    *("llava:7b", "llama3.2-vision:11b", "smollm2:135m", "mistral-small3.2:24b", "granite3.3:8b"),
    *(
        "codegemma:7b-instruct",
        "starling-lm:7b",
        "command-r:35b",
        "clipper-7b",
        "hf.co/o/M-GGUF:Q8",
    ),
    *("/models/gemma-3-12b-it-Q4_K_M.gguf", "bartowski/Qwen2.5-7B-Instruct-GGUF", "Base64-7b"),
]
DO_NOT = [
    *("nomic-embed-text:latest", "mxbai-embed-large", "bge-m3:567m", "all-minilm:33m"),
    *("snowflake-arctic-embed2", "qwen3-embedding:8b", "embeddinggemma:300m", "e5-mistral-7b"),
    *("text-embedding-nomic-embed-text-v1.5", "jina-reranker-v2", "bge-reranker-v2-m3"),
    *("paraphrase-multilingual", "gte-Qwen2-7B-instruct", "whisper-large-v3", "kokoro-tts"),
    *(
        "llama-guard3:8b",
        "granite3-guardian:8b",
        "deepseek-ocr:3b",
        "moondream:1.8b",
        "flux-schnell",
    ),
    *("stable-diffusion-3.5", "mmproj-gemma-3-12b", "modernbert", "clip-vit-large"),
    *("codellama:7b-text", "qwen2.5-coder:1.5b-base", "qwen3-coder:480b-cloud", "kimi-k2:cloud"),
]


@pytest.mark.parametrize("name", TALK)
def test_a_chat_model_is_offered(name):
    assert [model.name for model in chat_models([{"id": name}])] == [name]


@pytest.mark.parametrize("name", DO_NOT)
def test_what_does_not_talk_or_is_elsewhere_is_not(name):
    assert chat_models([{"id": name}]) == []


@pytest.mark.parametrize(
    ("row", "more", "talks"),
    [
        ({"type": "llm"}, {}, True),
        ({"type": "vlm"}, {}, True),
        ({"type": "embeddings"}, {}, False),
        ({"model_type": "text-embedding"}, {}, False),
        ({"task": "rerank"}, {}, False),
        ({"capabilities": ["completion", "vision"]}, {}, True),
        ({"capabilities": ["embedding"]}, {}, False),
        ({"capabilities": {"tools": True}}, {}, True),
        ({}, {"capabilities": ["embedding"]}, False),
        ({}, {"details": {"family": "nomic-bert"}}, False),
        ({}, {"details": {"family": "qwen2"}}, True),
        ({}, {"details": "none"}, True),
        ({}, {"remote_host": "https://ollama.com:443", "remote_model": "m"}, False),
    ],
)
def test_what_the_list_says_of_a_model_counts(row, more, talks):
    assert bool(chat_models([{"id": "m", **row}], {"m": more})) is talks


@pytest.mark.parametrize(
    "row",
    [None, 1, [], {}, {"id": ""}, {"id": "a\nb"}, {"id": "x" * 201}, {"id": 3}, {"name": None}],
)
def test_a_row_that_names_nothing_is_left_out(row):
    assert [model.name for model in chat_models([row, "plain"])] == ["plain"]


@pytest.mark.parametrize(
    ("name", "row", "more", "billions"),
    [
        ("qwen3:8b", {}, {}, 8),
        ("llama3.2:latest", {}, tag("x", "3.2B"), 3.2),
        ("smollm2", {}, tag("x", "134.52M"), 0.13452),
        ("mixtral-8x7b-instruct", {}, {}, 56),
        ("qwen3-30b-a3b", {}, {}, 30),
        ("gemma3n:e4b", {}, {}, 4),
        ("phi-4", {}, {}, 0),
        ("phi-4", {"meta": {"n_params": 14_700_000_000}}, {}, 14.7),
        ("phi-4", {"meta": {"n_params": "many"}}, {}, 0),
        ("odd", {}, {"size": 6_500_000_000}, 10),
        ("q4b3c", {}, {}, 0),
    ],
)
def test_the_size_is_read_from_what_is_said(name, row, more, billions):
    (model,) = chat_models([{"id": name, **row}], {name: more})
    assert model.billions == pytest.approx(billions)


def test_two_names_of_the_same_weights_are_one_model():
    same = {"digest": "abc"}
    rows = [{"id": "llama3.2:latest"}, {"id": "llama3.2:3b"}, {"id": "llama3.2:3b-q8"}]
    details = {"llama3.2:latest": same, "llama3.2:3b": same, "llama3.2:3b-q8": {"digest": "d"}}
    names = [model.name for model in chat_models(rows, details)]
    assert names == ["llama3.2:latest", "llama3.2:3b-q8"]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["gemma3:12b", "qwen3:8b", "phi4:14b"], ["phi4:14b", "gemma3:12b", "qwen3:8b"]),
        # The largest of each family before a second of one.
        (
            ["qwen3:32b", "qwen3:14b", "gemma3:4b", "llama3.2:3b"],
            ["qwen3:32b", "gemma3:4b", "llama3.2:3b"],
        ),
        (["qwen3:8b", "qwen3:4b", "gemma3:4b"], ["qwen3:8b", "gemma3:4b", "qwen3:4b"]),
        (
            ["qwen3:8b", "qwen3:4b", "qwen3:1.7b", "qwen3:0.6b"],
            ["qwen3:8b", "qwen3:4b", "qwen3:1.7b"],
        ),
        (["qwen3:8b"], ["qwen3:8b"]),
        (["odd-one", "odd-two", "strange-3b"], ["strange-3b", "odd-one", "odd-two"]),
        ([], []),
    ],
)
def test_three_of_different_families_are_chosen_the_largest_first(names, chosen):
    models = chat_models([{"id": name} for name in names])
    assert [model.name for model in choose(models, 3)] == chosen


def test_who_is_known_by_no_name_is_told_apart_by_its_architecture():
    (model,) = chat_models([{"id": "house"}], {"house": {"details": {"family": "gemma3"}}})
    assert model == ChatModel("house", "google", 0)


@pytest.mark.parametrize(
    ("names", "elsewhere"),
    [
        (["gpt-5.2", "qwen3-8b"], True),
        (["openai/gpt-4o-mini"], True),
        (["claude-opus-5.1"], True),
        (["gemini-3-pro"], True),
        (["o3"], True),
        (["grok-4"], True),
        (["gpt-oss-20b", "gpt-neox-20b", "gpt2", "gpt4all-falcon"], False),
        (["claude-3.7-sonnet-reasoning-gemma3-12b"], False),
        (["gemma-3-12b", "grok-2", "o1-open-7b"], False),
        ([], False),
    ],
)
def test_a_list_with_a_model_that_nobody_has_at_home_is_a_gateways(names, elsewhere):
    assert leads_elsewhere(names) is elsewhere
