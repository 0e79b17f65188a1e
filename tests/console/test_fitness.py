"""What is found wrong with whom a preset names, and what mends it: rows in, sentences out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.catalog.fitness import (
    Catalog,
    Key,
    Listed,
    Use,
    findings,
    window_needed,
)
from console.catalog.lines import is_same, line_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ROUTER = Key("openrouter", "OpenRouter")
KEYS = {
    "openrouter": ROUTER,
    "anthropic": Key("anthropic", "Anthropic"),
    "openai": Key("openai", "OpenAI"),
}


def row(model: str, key: str = "openrouter", *, days: int = 0, **more: object) -> Listed:
    return Listed(key, model, published_at=NOW - timedelta(days=days), **more)  # type: ignore[arg-type]


OPUS4 = row("anthropic/claude-opus-4", days=500)
OPUS41 = row("anthropic/claude-opus-4.1", days=400)
OPUS5 = row("anthropic/claude-opus-5", days=20)
SONNET5 = row("anthropic/claude-sonnet-5", days=10)
OWN_OPUS5 = row("claude-opus-5", "anthropic", days=20)
GPT5 = row("openai/gpt-5", days=300)
GPT55 = row("openai/gpt-5.5", days=30)
GPT_MINI = row("openai/gpt-5.5-mini", days=20)
PAINTER = row("openai/gpt-image-2", days=5, outputs=["image"])
LISTED = [OPUS4, OPUS41, OPUS5, SONNET5, OWN_OPUS5, GPT5, GPT55, GPT_MINI, PAINTER]


def catalog(rows: list[Listed], keys: dict[str, Key] | None = None) -> Catalog:
    return Catalog(KEYS if keys is None else keys, rows, NOW, lambda: rows)


def use(model: str, key: str = "openrouter", **more: object) -> Use:
    return Use("seat-0", "A", key, model, **more)  # type: ignore[arg-type]


def changed(old: Listed, **more: object) -> list[Listed]:
    return [replace(old, **more) if each is old else each for each in LISTED]  # type: ignore[arg-type]


TO_OPUS5, TO_OWN = "openrouter:anthropic/claude-opus-5", "anthropic:claude-opus-5"
GONE = {"gone_at": NOW - timedelta(days=3)}
SOON, PAST = NOW + timedelta(days=12), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("rows", "named", "kind", "sentence", "mend"),
    [
        # dead, retired, soon expiring: the successor of its line
        (changed(OPUS4, **GONE), OPUS4, "gone", "is not offered", TO_OPUS5),
        (changed(OPUS41, expires_at=PAST), OPUS41, "retired", "was retired.", TO_OPUS5),
        (changed(OPUS41, expires_at=SOON), OPUS41, "expires", "ends on 10 Dec", TO_OPUS5),
        (changed(GPT5, **GONE), GPT5, "gone", "is not offered", "openrouter:openai/gpt-5.5"),
        # nobody newer of its line: no mend is made up, Sonnet is no Opus
        (changed(GPT_MINI, **GONE), GPT_MINI, "gone", "is not offered", ""),
        # by another key, where its own server has nobody
        ([r for r in changed(OPUS41, **GONE) if r != OPUS5], OPUS41, "gone", "not offered", TO_OWN),
        # a name that nobody has, and what was meant
        (LISTED, "anthropic/claude-opuss-5", "unlisted", "OpenRouter lists no", TO_OPUS5),
        (LISTED, "claude", "unlisted", "OpenRouter lists no claude.", ""),
        (LISTED, "gpt5.5", "unlisted", "lists no gpt5.5", "openrouter:openai/gpt-5.5"),
        # no text
        (LISTED, PAINTER, "text", "answers with no text.", ""),
        (changed(GPT55, outputs=["audio"]), GPT55, "text", "answers with no text.", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_model_and_what_mends_it(
    rows: list[Listed], named: Listed | str, kind: str, sentence: str, mend: str
) -> None:
    name = named if isinstance(named, str) else named.model
    (found,) = findings([use(name)], catalog(rows))
    assert found.kind == kind and sentence in found.sentence and found.sentence.startswith("A: ")
    if found.mend and kind == "text":  # whatever is near, it answers with text
        assert next(r for r in rows if r.model == found.mend.model).outputs is None
    else:
        assert (f"{found.mend.key}:{found.mend.model}" if found.mend else "") == mend


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        (OPUS5, OPUS5.model),
        (replace(OPUS5, outputs=["text", "image"]), OPUS5.model),
        (replace(OPUS5, expires_at=NOW + timedelta(days=60)), OPUS5.model),
        (replace(OPUS5, context_length=500), OPUS5.model),  # a seat reads no answers
    ],
)
def test_of_a_model_that_is_there_nothing_is_said(listed: Listed, named: str) -> None:
    assert findings([use(named)], catalog([listed])) == []


def test_what_a_server_takes_behind_a_name_is_no_other_model() -> None:
    assert findings([use("openai/gpt-5:free", plain="openai/gpt-5")], catalog(LISTED)) == []


def test_of_a_server_whose_list_is_not_known_nothing_is_missing() -> None:
    keys = KEYS | {"openrouter": replace(ROUTER, has_list=False)}
    assert findings([use("anything")], catalog([], keys)) == []


@pytest.mark.parametrize(
    ("key", "kind", "sentence"),
    [
        (replace(ROUTER, lacks="OpenRouter needs an API key."), "key", "A: OpenRouter needs"),
        (replace(ROUTER, cannot_pay=True), "unpaid", "A: OpenRouter is out of credit."),
    ],
)
@pytest.mark.parametrize(
    ("model", "mend"),
    [
        ("anthropic/claude-opus-5", "anthropic:claude-opus-5"),
        ("anthropic/claude-opus-4.1", "anthropic:claude-opus-5"),
        ("openai/gpt-5", ""),  # nobody else has it
    ],
)
def test_what_its_key_cannot_reach_another_key_does(
    key: Key, kind: str, sentence: str, model: str, mend: str
) -> None:
    (found,) = findings([use(model)], catalog(LISTED, KEYS | {"openrouter": key}))
    assert found.kind == kind and sentence in found.sentence
    assert (f"{found.mend.key}:{found.mend.model}" if found.mend else "") == mend
    assert ("of Anthropic" in found.mend_words) is bool(mend)


@pytest.mark.parametrize(
    ("window", "seats", "mend"),
    [
        (8_192, 3, "anthropic/claude-sonnet-5"),
        (8_192, 1, None),
        (16_384, 3, None),
        (32_768, 8, "anthropic/claude-sonnet-5"),
        (None, 8, None),
    ],
)
def test_a_judge_that_cannot_read_the_answers_is_found_and_one_with_room_is_offered(
    window: int | None, seats: int, mend: str | None
) -> None:
    small = row("anthropic/claude-old", days=900, context_length=window)
    rows = [
        small,
        replace(SONNET5, context_length=200_000),
        replace(GPT55, context_length=400_000),
        replace(OPUS5, context_length=4_000),
    ]
    room = window_needed([None] * seats)
    judge = Use("judge", "The judge", "openrouter", small.model, reads=room)
    found = findings([judge], catalog(rows))
    if mend is None:
        assert found == []
        return
    (one,) = found
    assert one.kind == "small" and one.mend and one.mend.model == mend
    assert f"reads {window:,} tokens at once" in one.sentence


def test_without_room_anywhere_no_mend_is_offered() -> None:
    small = replace(OPUS5, context_length=4_000)
    judge = Use("judge", "The judge", "openrouter", small.model, reads=window_needed([None] * 3))
    (found,) = findings([judge], catalog([small]))
    assert found.mend is None and found.mend_words == ""


@pytest.mark.parametrize(("reads", "mend"), [(0, "maker/talk-2"), (9000, "")])
def test_who_cannot_judge_is_offered_to_no_judge(reads: int, mend: str) -> None:
    rows = [row("maker/talk-1", days=90, **GONE), row("maker/talk-2", can_judge=False)]
    (found,) = findings(
        [Use("judge", "J", "openrouter", "maker/talk-1", reads=reads)], catalog(rows)
    )
    assert (found.mend.model if found.mend else "") == mend


def test_short_answers_need_little_room() -> None:
    assert window_needed([200, 200, 200], 600) < 4096 * 0.9


@pytest.mark.parametrize(
    ("one", "two", "is_one_line"),
    [
        ("claude-opus-4-20250514", "anthropic/claude-opus-4.1", True),
        ("~anthropic/claude-opus-latest", "anthropic/claude-opus-5", True),
        ("anthropic/claude-opus-4", "anthropic/claude-sonnet-5", False),
        ("gpt-4o", "gpt-5.5", True),
        ("gpt-4o-mini", "gpt-5-mini", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gemini-2.5-pro", "google/gemini-pro-latest", True),
        ("gemini-2.5-pro", "gemini-2.5-flash", False),
        ("o3", "o4-mini", False),
        ("llama-3.1-8b-instruct", "llama-3.3-70b-instruct", False),
        ("meta-llama/llama-3.1-70b-instruct", "meta-llama/llama-3.3-70b-instruct", True),
        ("qwen/qwen3-32b", "other/qwen3-32b", False),
        ("deepseek-chat-v3.1", "deepseek-chat-v4", True),
        ("mistral-large-2411", "mistral-large-3", True),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "anthropic/claude-opus-5", True),
        ("accounts/fireworks/models/deepseek-v3p1", "deepseek-ai/deepseek-v4", True),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "qwen/qwen3-72b", True),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.1-70b", True),
        ("gpt-4-turbo", "gpt-4", False),
        ("llama3.1:8b", "llama3.3:70b", False),
        ("llama3.1:8b-instruct-q4_K_M", "llama3.3:8b", True),
    ],
)
def test_lines_of_models_are_told_apart(one: str, two: str, is_one_line: bool) -> None:
    assert line_of(one).is_that_of(line_of(two)) is is_one_line


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("claude-opus-4", "claude-opus-4-1"),
        ("claude-opus-4.1-20250805", "claude-opus-5"),
        ("gpt-4o-2024-08-06", "gpt-5"),
        ("o3", "o4"),
        ("gemini-2.5-pro", "gemini-3-pro"),
        ("grok-4.20", "x-ai/grok-4.3"),
        ("gpt-5.3", "gpt-5.20"),
        ("us.anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4-1"),
        ("accounts/fireworks/models/deepseek-v3p1", "deepseek-v3.2"),
    ],
)
def test_versions_are_in_order(older: str, newer: str) -> None:
    assert line_of(older).version < line_of(newer).version


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("anthropic/claude-opus-4.1", "claude-opus-4-1", True),
        ("openai/gpt-5:free", "gpt-5", True),
        ("openai/gpt-5", "gpt-5-mini", False),
        ("anthropic/claude-opus-4", "claude-opus-4.1", False),
        ("us.anthropic.claude-opus-4-1-v1:0", "anthropic/claude-opus-4.1", True),
        ("accounts/fireworks/models/deepseek-v3p1", "deepseek/deepseek-v3.1", True),
        ("llama3.1:8b", "meta-llama/llama-3.1-70b-instruct", False),
        ("llama3.1:8b", "llama3.1:70b", False),
    ],
)
def test_a_model_is_known_again_at_another_server(one: str, two: str, same: bool) -> None:
    assert is_same(one, two) is same
