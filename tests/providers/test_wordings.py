"""One refusal in the words of many servers, and words that only sound like it.

`refusals.jsonl` has them as those servers write them, shortened where a body only repeats
itself; names and numbers are made up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.providers.wire.refusals import Refusal, refusal
from console.providers.wire.wordings import WORDINGS
from tests.providers.asking import Got, collect
from tests.upstream import Script

PASSES = {Reason.RATE_LIMITED, Reason.UPSTREAM_ERROR}


@dataclass(frozen=True)
class Row:
    server: str
    status: int
    reason: str
    body: Any
    only_sounds_like_it: bool = False

    def __str__(self) -> str:
        return f"{self.server} {self.status} {self.reason}"


LINES = (Path(__file__).parent / "refusals.jsonl").read_text().splitlines()
ROWS = [Row(**json.loads(line)) for line in LINES]


def read(status: int, body: Any, prompt: str = "Why is rain wet?") -> ProviderError:
    sent = {"model": "x/kite", "messages": [{"role": "user", "content": prompt}]}
    return refusal(status, {}, json.dumps(body, ensure_ascii=False).encode(), str, sent)


def plain(message: str) -> dict[str, Any]:
    return {"message": message}


def openai(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None} | more}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_refusal_means_the_same_in_every_server_s_words(row: Row) -> None:
    error = read(row.status, row.body)
    assert error.reason == row.reason
    assert error.retryable == (error.reason in PASSES)


def sentence(body: Any) -> str:
    body = body[0] if isinstance(body, list) else body
    error = body.get("error", body)
    return str(error if isinstance(error, str) else error.get("message") or error["detail"])


def by_words() -> list[str]:
    """Those sentences that are enough by themselves."""
    rows = [(sentence(row.body), row.reason) for row in ROWS if not row.only_sounds_like_it]
    return [words for words, reason in rows if read(400, plain(words)).reason == reason]


@pytest.mark.parametrize("words", by_words())
def test_the_same_words_quoted_from_the_prompt_mean_nothing(words: str) -> None:
    prompt = f"{words} What does that mean?"
    for message in (
        f"Cannot parse the message: {prompt}",
        f"Invalid content '{prompt}' in messages[0]",
        f"Invalid JSON near {json.dumps(prompt[: len(words) - 2])}…",
        f'Bad input: {{"role": "user", "content": {json.dumps(prompt)}}}',
    ):
        assert read(400, openai(message), prompt).reason == Reason.BAD_REQUEST, message


LONG = [words for words in by_words() if len(words) > 24 and words.count(" ") > 2]


@pytest.mark.parametrize("words", LONG)
def test_nor_a_passage_of_it_from_the_middle(words: str) -> None:
    prompt = f"I got this today:\n\n> {words}\n\nWhat now?"
    for message in (
        f"Rejected near line 3: {words}",
        json.dumps({"prompt": prompt}) + " is no JSON",
    ):
        assert read(400, openai(message), prompt).reason == Reason.BAD_REQUEST, message


@pytest.mark.parametrize("words", by_words())
def test_nor_in_another_field(words: str) -> None:
    for beside in (
        {"input": words},
        {"request": {"messages": [{"content": words}]}},
        {"hint": words},
    ):
        assert read(400, {"error": {"message": "No."} | beside}).reason == Reason.BAD_REQUEST
        assert read(400, {"detail": [{"msg": "No.", "loc": ["body"]} | beside]}).reason == (
            Reason.BAD_REQUEST
        )


async def test_nor_in_an_answer(ask: Any) -> None:
    for words in by_words():
        got: Got = await ask(Script(text=words))
        assert (got.text, got.error) == (words, None)


def test_a_refusal_that_says_what_the_prompt_says_too_is_still_read() -> None:
    prompt = "This model's maximum context length is what a server says when it is asked too much."
    message = (
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
    )
    assert read(400, plain("The prompt is too long."), "The prompt is too long.").reason == (
        Reason.CONTEXT_LENGTH
    )
    assert read(400, openai(message, code="context_length_exceeded"), prompt).reason == (
        Reason.CONTEXT_LENGTH
    )


def test_a_part_of_the_prompt_that_is_quoted_is_a_quotation() -> None:
    prompt = "A log file:\n12:00 context length exceeded, giving up\n12:01 done"
    message = "Cannot read line 2: '12:00 context length exceeded, giving up'"
    assert read(400, plain(message), prompt).reason == Reason.BAD_REQUEST


def test_names_of_fields_and_long_prompts_hide_no_refusal() -> None:
    prompt = (
        "stream_options and response_format are fields. The prompt is too long, it says. " * 500
    )
    message = "Error from upstream: The prompt is too long, it has 9000 tokens."
    assert read(400, openai(message), prompt).reason == Reason.CONTEXT_LENGTH
    for name in ("stream_options", "max_completion_tokens"):
        refused = read(400, openai(f"Unsupported parameter: '{name}'"), f"What is {name} about?")
        assert isinstance(refused, Refusal) and name in refused.body.message


def test_what_a_list_of_faults_repeats_of_the_request_is_not_shown() -> None:
    body = {"detail": [{"loc": ["body", "seed"], "msg": "too old", "input": "a secret question"}]}
    error = read(422, body)
    assert error.message.endswith("It said: body.seed: too old")


def test_an_error_within_an_error_is_told_in_its_own_words() -> None:
    inner = json.dumps({"error": {"message": "prompt is too long: 9 tokens > 8", "type": "x"}})
    behind = {"error": {"message": "Provider returned error", "metadata": {"raw": inner}}}
    assert read(400, behind).message.endswith(
        "It said: Provider returned error: prompt is too long: 9 tokens > 8"
    )
    assert read(400, {"error": {"message": inner}}).message.endswith(
        "It said: prompt is too long: 9 tokens > 8"
    )


async def test_a_refused_key_is_asked_with_once_whatever_the_status(ask: Any, up: Any) -> None:
    body = [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]
    got: Got = await ask(Script(status=400, body=json.dumps(body)))
    assert (got.reason, got.error and got.error.retryable) == (Reason.UNAUTHORIZED, False)
    assert len(up.calls) == 1


async def test_an_error_within_an_answer_is_read_by_its_words_too(provider: Any, up: Any) -> None:
    body = {"error": {"code": 429, "message": "Your prepayment credits are depleted."}}
    up.script("alpha", Script(body=json.dumps(body)))
    assert (await collect(provider)).reason == Reason.INSUFFICIENT_CREDITS


def test_every_wording_says_where_it_can_be_read() -> None:
    for wording in WORDINGS:
        assert wording.source.startswith("https://"), wording
        assert bool(wording.codes or wording.says), wording
