"""What a token may do in a minute, at once, and in a day."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.stack import until
from tests.upstream import Script

from .conftest import Api, tool_call
from .test_chat import ASK

pytestmark = pytest.mark.database


def test_requests_per_minute_are_counted_down_and_then_refused(api: Api) -> None:
    key = api.token("--requests-per-minute", "3")
    lefts = []
    for _ in range(3):
        response = api.get("/models/fusion", key)
        assert response.status_code == 200
        assert response.headers["x-ratelimit-limit-requests"] == "3"
        assert response.headers["x-ratelimit-reset-requests"].endswith("s")
        lefts.append(response.headers["x-ratelimit-remaining-requests"])
    assert lefts == ["2", "1", "0"]
    refused = api.get("/models/fusion", key)
    assert refused.status_code == 429
    said = refused.json()["error"]
    assert (said["type"], said["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert api.get("/models/fusion").status_code == 200, "each token has its own"


def test_no_more_runs_go_on_at_once_than_allowed(api: Api) -> None:
    key = api.token("--concurrent-runs", "2", "--requests-per-minute", "0")
    api.script("good", Script(text="a b c", hold_after=1))
    api.upstream.hold(everything=False)
    headers = {"Authorization": f"Bearer {key}"}
    answers = []

    def ask() -> None:
        answers.append(api.post(json=ASK | {"model": "good"}, headers=headers))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) == 4, 90)
    api.upstream.wait_until(lambda: len(api.upstream.calls) == 2)
    api.upstream.release()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200, 200, 429, 429, 429, 429]
    refused = next(a for a in answers if a.status_code == 429)
    assert refused.json()["error"]["code"] == "concurrency_limit"
    assert refused.headers["Retry-After"]
    assert api.post(json=ASK | {"model": "good"}, headers=headers).status_code == 200


def test_a_day_is_over_when_its_budget_is_spent(api: Api) -> None:
    key = api.token("--spending-per-day", "0.60", "--requests-per-minute", "0")
    headers = {"Authorization": f"Bearer {key}"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.3}
    api.script("good", Script(usage=usage))
    body = ASK | {"model": "good"}
    assert [api.post(json=body, headers=headers).status_code for _ in range(3)] == [200, 200, 402]
    refused = api.post(json=body | {"stream": True}, headers=headers)
    assert refused.status_code == 402
    said = refused.json()["error"]
    assert (said["type"], said["code"]) == ("insufficient_quota", "spending_limit")
    assert "$0.6 a day" in said["message"] and int(refused.headers["Retry-After"]) > 0
    assert len(api.upstream.calls) == 2
    assert api.get("/models", key).status_code == 200, "reading costs nothing"


def test_a_run_that_is_there_already_is_no_new_one(api: Api) -> None:
    """Who repeats a request within limits that are used up gets its run, not a refusal."""
    key = api.token("--spending-per-day", "0.20", "--requests-per-minute", "0")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.3}
    api.script("good", Script(usage=usage))
    body = ASK | {"model": "good"}
    first, again = (api.post(json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json()["id"] == again.json()["id"]


def test_a_request_that_was_let_in_is_not_sent_away_before_its_panel(api: Api) -> None:
    """The deciding model has been paid by then, and a client would send a 429 again."""
    key = api.token("--concurrent-runs", "1", "--requests-per-minute", "0")
    deciding = tool_call("ask_fusion_panel")

    def outer(body: dict[str, Any]) -> Script:
        if not body.get("tools"):
            return Script(text="Fused.")
        # Meanwhile its place goes to another: the next start would find none free.
        taken = f"ApiToken.objects.filter(prefix={key[:10]!r}).update(concurrent_runs=0)"
        api.shell(f"from console.models import ApiToken\nsaid = {taken}")
        return deciding

    api.script("outer", outer)
    body = ASK | {"model": "outer", "tools": [{"type": "openrouter:fusion"}]}
    answer = api.post(json=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fusion"]["deliberated"] is True
    refused = api.post(json=body, headers={"Authorization": f"Bearer {key}"})
    assert refused.json()["error"]["metadata"]["code"] == "concurrency_limit"


@pytest.mark.chaos
def test_without_redis_reading_goes_on_and_spending_waits(api: Api) -> None:
    key = api.token("--requests-per-minute", "100")
    api.stack.valkey.kill()
    try:
        assert api.get("/models", key).status_code == 200
        refused = api.post(json=ASK | {"model": "good"}, headers={"Authorization": f"Bearer {key}"})
        assert refused.status_code == 503 and refused.headers["Retry-After"]
        assert json.loads(refused.text)["error"]["code"] == "not_ready"
        assert not api.upstream.calls
    finally:
        api.stack.valkey.start()
        until(api.stack.is_ready, 60)
