from __future__ import annotations

import pytest

from console.engine.findings.families import family, kinship, one_family
from console.engine.spec import Panelist


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("openai/gpt-5.5", "openai"),
        ("~openai/gpt-latest", "openai"),
        ("o3-mini", "openai"),
        ("o4:free", "openai"),
        ("olmo-2", "allenai"),
        ("claude-opus-4-8", "anthropic"),
        ("~anthropic/claude-opus-latest", "anthropic"),
        ("google/gemma-3-27b-it", "google"),
        ("gemini-3.1-pro", "google"),
        ("meta-llama/llama-4-scout", "meta"),
        ("llama3.2:3b", "meta"),
        ("mistralai/codestral-2508", "mistral"),
        ("mixtral-8x22b", "mistral"),
        ("Qwen/Qwen3-32B", "qwen"),
        ("deepseek/deepseek-v4-flash", "deepseek"),
        ("groq/deepseek-r1-distill-llama-70b", "deepseek"),
        ("x-ai/grok-4", "xai"),
        ("smollm2-135m-instruct", "huggingface"),
        ("someone/new-thing", "someone"),
        ("openrouter/auto", ""),
        ("us.anthropic.claude-opus-4-v1:0", "anthropic"),
        ("meta.llama4-scout-17b", "meta"),
        ("us.deepseek.r1-v1:0", "deepseek"),
        ("writer.palmyra-x5-v1:0", ""),
        ("gpt.local", "openai"),
        ("house-model", ""),
        ("", ""),
    ],
)
def test_a_family_is_told_by_author_or_name(model: str, maker: str) -> None:
    assert family(model) == maker


def panelist(model: str) -> Panelist:
    return Panelist(model, "c")


PANEL = [panelist(m) for m in ("openai/gpt-5.5", "google/gemini-3", "openai/gpt-5.5-mini")]


@pytest.mark.parametrize(
    ("judge", "writer", "said"),
    [
        ("anthropic/claude", "anthropic/claude", []),
        ("house-model", "other-model", []),
        ("google/gemini-3", "anthropic/claude", ["The judge also sits on the panel (B)"]),
        (
            "openai/gpt-4o",
            "google/gemini-3",
            ["The judge is of one family with A and C (openai)", "The writer also sits"],
        ),
        (
            "google/gemma-3",
            "google/gemma-3",
            ["The judge, who also writes, is of one family with B"],
        ),
    ],
)
def test_kinship_is_said_in_sentences(judge: str, writer: str, said: list[str]) -> None:
    sentences = kinship(PANEL, panelist(judge), panelist(writer))
    assert len(sentences) == len(said)
    assert all(s.startswith(start) for s, start in zip(sentences, said, strict=True))


@pytest.mark.parametrize(
    ("models", "alike"),
    [
        (["claude-opus-5-5", "anthropic/claude-haiku-5.5"], "anthropic"),
        (["gpt-5", "gpt-5", "openai/gpt-oss-120b"], "openai"),
        (["claude-opus-5-5"], ""),
        (["claude-opus-5-5", "gpt-5"], ""),
        (["unheard-of", "unheard-of"], ""),
        (["unheard-of", "gpt-5"], ""),
    ],
)
def test_a_panel_of_one_maker_is_called_one_family(models: list[str], alike: str) -> None:
    found = one_family([Panelist(model, "") for model in models])
    assert (found is not None) == bool(alike)
    assert found is None or (found.badge == "One family" and f"({alike})" in found.sentence)
