"""What a request of one model asks of the database until a worker is rung for: counted, so that
nobody adds a round trip unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.test import AsyncClient

from console.api.http import db
from console.models import Credential, Run
from console.services import runs as services
from console.services.build_spec import build
from console.services.tokens import token_create
from console.services.wish import Wish
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

# Whose token it is; keys, which lists are due, what they say of the model; whether the request was
# there before; the token, locked, and its runs and fusions; the run, and its entry in the search.
QUERIES = 10
TURNS = 2  # who asks; all else


@pytest.fixture
def listed(upstream: Upstream, credential: Credential) -> None:
    rows = [{"id": f"model-{n}", "context_length": 9000} for n in range(99)]
    upstream.script("/v1/models", Script(body=json.dumps({"data": rows})))
    build(Wish(judge="model-1", is_direct=True))  # reads the list


@pytest.mark.parametrize("model", ["model-7", "test:model-7"])
def test_one_model_is_rung_for_after_two_turns_and_ten_queries(
    model: str, listed: None, valkey: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = valkey
    _, secret = token_create(owner=User.objects.create_user("alice"), requests_per_minute=None)
    queries: list[str] = []
    at_ring: list[tuple[int, int]] = []
    turns: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: CursorWrapper, sql: Any, *args: Any) -> Any:
        if str(sql).startswith(("SELECT", "INSERT", "UPDATE")):
            queries.append(str(sql))
        return execute(self, sql, *args)

    def in_turn(work: Callable[..., Any]) -> Any:
        turns.append(str(work))
        return sync_to_async(work)

    def ring(_: object) -> bool:
        at_ring.append((len(turns), len(queries)))
        return True

    monkeypatch.setattr(CursorWrapper, "execute", counted)
    monkeypatch.setattr(db, "sync_to_async", in_turn)
    monkeypatch.setattr(services, "ring", ring)

    def body(question: str) -> dict[str, object]:
        messages = [{"role": "user", "content": question}]
        return {"model": model, "stream": True, "messages": messages}

    async def post() -> int:
        client = AsyncClient()
        headers = {"Authorization": f"Bearer {secret}"}
        for question in ("Why?", "Why not?"):  # the first notes that the token was used
            queries.clear()
            turns.clear()
            answer = await client.post(
                "/v1/chat/completions",
                body(question),
                content_type="application/json",
                headers=headers,
            )
        return answer.status_code

    assert async_to_sync(post)() == 200
    assert Run.objects.count() == 2
    made, asked = at_ring[-1]
    assert made == TURNS
    assert asked <= QUERIES, "\n".join(queries[:asked])
