"""An answer that is long in coming: what keeps its client waiting, and what ends it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from console.api.openai.replies import ChatChunk
from tests.stack import until
from tests.upstream import Script

from .conftest import Api
from .test_chat_stream import streaming
from .test_same_failure import PATHS, body_of

MODEL = "openrouter:late"


@pytest.fixture(scope="module")
def impatient(api: Api) -> Iterator[Api]:
    """A web server whose minutes are seconds."""
    with api.another_web(
        FUSION_SAME_FAILURE_SECONDS="60",
        FUSION_OPEN_STATUS_SECONDS="1",
        FUSION_WHITE_SPACE_SECONDS="0.2",
        FUSION_EMPTY_CHUNK_SECONDS="0.5",
    ) as impatient:
        yield impatient


@pytest.fixture
def question() -> str:
    return f"Question {uuid.uuid4()}?"


def held(api: Api, script: Script) -> None:
    api.script("late", script)
    api.upstream.hold(everything=False)


def text_of(path: str, body: dict[str, Any]) -> str:
    if path == "/responses":
        return str(body["output"][-1]["content"][0]["text"])
    return str(body["choices"][0]["message"]["content"])


@pytest.mark.parametrize("path", PATHS)
def test_white_space_comes_before_an_answer_that_is_late(
    impatient: Api, path: str, question: str
) -> None:
    held(impatient, Script(text="One two three.", hold_after=0))
    body = body_of(path, question, model=MODEL)
    heard = b""
    with httpx.stream(
        "POST",
        impatient.url + path,
        json=body,
        headers={"Authorization": f"Bearer {impatient.key}"},
        timeout=30,
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-request-id"] and "content-length" not in response.headers
        for piece in response.iter_raw():
            heard += piece
            if heard == b"   ":
                impatient.upstream.release()
    assert heard.startswith(b"   ") and text_of(path, json.loads(heard)) == "One two three."
    # It was replied to: what asks the same now asks anew.
    again = impatient.post(path, json=body, headers={"x-stainless-retry-count": "1"})
    assert again.json()["id"] != json.loads(heard)["id"]


def test_the_openai_client_reads_past_the_white_space(impatient: Api, question: str) -> None:
    impatient.script("late", Script(text="One two.", first_token_after=2))
    with openai.OpenAI(base_url=impatient.url, api_key=impatient.key, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": question}]
        answer = client.chat.completions.create(model=MODEL, messages=messages)
        assert answer.choices[0].message.content == "One two."
        assert client.responses.create(model=MODEL, input=question).output_text == "One two."


@pytest.mark.parametrize("path", PATHS)
def test_a_run_that_fails_late_is_broken_off_and_its_repetition_has_the_real_status(
    impatient: Api, path: str, question: str
) -> None:
    held(impatient, Script(hold_after=0, error_after=0))
    body = body_of(path, question, model=MODEL)
    with (
        pytest.raises(httpx.TransportError),
        httpx.stream(
            "POST",
            impatient.url + path,
            json=body,
            headers={"Authorization": f"Bearer {impatient.key}"},
            timeout=30,
        ) as response,
    ):
        heard = b""
        for piece in response.iter_raw():
            heard += piece
            assert not heard.strip()
            impatient.upstream.release()
    again = impatient.post(path, json=body)
    assert again.status_code == 424 and int(again.headers["x-fusion-asked-anew-in"]) > 0
    asked = len(impatient.upstream.calls_of("late"))
    repeated = impatient.post(path, json=body, headers={"x-stainless-retry-count": "1"})
    assert repeated.status_code == 424
    assert len(impatient.upstream.calls_of("late")) == asked
    log = impatient.stack.log.read_text(errors="replace")
    assert "Exception inside application" not in log


def test_the_web_server_goes_on_looking_after_its_requests(impatient: Api, question: str) -> None:
    """Daphne's own watch over requests ended with the first reply that was broken off."""
    for number in range(2):
        held(impatient, Script(hold_after=0, error_after=0))
        body = body_of("/chat/completions", question, model=MODEL, seed=number)
        headers = {"Authorization": f"Bearer {impatient.key}"}
        with (
            pytest.raises(httpx.TransportError),
            httpx.stream(
                "POST", f"{impatient.url}/chat/completions", json=body, headers=headers, timeout=30
            ) as response,
        ):
            for _ in response.iter_raw():
                impatient.upstream.release()


def test_a_client_that_leaves_the_white_space_takes_its_run_along_if_it_said_so(
    impatient: Api, question: str
) -> None:
    held(impatient, Script(hold_after=0))
    body = body_of(
        "/chat/completions", question, model=MODEL, fusion={"cancel_on_disconnect": True}
    )
    headers = {"Authorization": f"Bearer {impatient.key}"}
    address = f"{impatient.url}/chat/completions"
    with httpx.stream("POST", address, json=body, headers=headers, timeout=30) as response:
        next(response.iter_raw())
    rows = impatient.get("/runs", params={"limit": 5}).json()["data"]
    (run_id,) = [row["id"] for row in rows if row["prompt"] == question]
    until(lambda: impatient.get(f"/runs/{run_id}").json()["status"] == "cancelled")


def test_a_silent_chat_has_empty_chunks_and_its_role_once(impatient: Api, question: str) -> None:
    held(impatient, Script(text="One two three.", hold_after=0))
    chunks = []
    body = body_of("/chat/completions", question, model=MODEL, stream=True)
    with streaming(impatient, **body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                chunks.append(json.loads(line.removeprefix("data: ")))
                told = ChatChunk.model_validate(chunks[-1]).payload()
                assert told == chunks[-1], "/v1/openapi.json knows every field of a chunk"
            if len(chunks) == 3:
                impatient.upstream.release()
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert deltas[:3] == [{"role": "assistant", "content": ""}, {"content": ""}, {"content": ""}]
    assert [d for d in deltas if "role" in d] == deltas[:1]
    assert "".join(d.get("content", "") for d in deltas) == "One two three."


def test_a_silent_response_says_again_that_it_is_in_progress(impatient: Api, question: str) -> None:
    held(impatient, Script(text="One two three.", hold_after=0))
    with openai.OpenAI(base_url=impatient.url, api_key=impatient.key, max_retries=0) as client:
        heard = []
        with client.responses.stream(model=MODEL, input=question) as events:
            for event in events:
                heard.append(event.type)
                if heard.count("response.in_progress") == 3:
                    impatient.upstream.release()
            assert events.get_final_response().output_text == "One two three."
    assert heard[:2] == ["response.created", "response.in_progress"]


async def test_langchain_waits_as_long_as_chunks_come(impatient: Api, question: str) -> None:
    """Its own limit is on the time between two of them."""
    impatient.script("late", Script(text="One two three.", first_token_after=6))
    for in_responses in (False, True):
        model = ChatOpenAI(
            model=MODEL,
            base_url=impatient.url,
            api_key=SecretStr(impatient.key),
            max_retries=0,
            stream_chunk_timeout=5,
            use_responses_api=in_responses,
        )
        pieces = [chunk.text async for chunk in model.astream(question)]
        assert "".join(pieces) == "One two three."
