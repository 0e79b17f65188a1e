"""A planted key is in no page, log line, broker message or frame."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.live.conftest import PLANTED
from tests.live.member import Member, View
from tests.stack import Stack
from tests.upstream import Upstream

pytestmark = pytest.mark.live


async def test_a_planted_key_goes_to_the_provider_and_nowhere_else(
    ada: Member, alice: Member, stack: Stack, upstream: Upstream
) -> None:
    run = alice.ask("good", "fault-401", "fault-500", "hostile", "echo", "fault-html")
    view = View()
    async with alice.socket(run) as socket:
        await view.follow(socket)
    assert any(PLANTED in str(call.headers) for call in upstream.calls)
    pages = ["/fusion", f"/fusion/runs/{run}", "/fusion/runs", "/fusion/keys", "/admin/", "/readyz"]
    pages += [f"/admin/console/{m}/" for m in ("credential", "preset", "run")]
    pages += [f"/admin/console/run/{run}/change/", "/fusion?models="]
    seen = "".join(ada.http.get(p).text + alice.http.get(p).text for p in pages)
    seen += str(view.places) + str(view.fragments) + stack.log.read_text()
    with Redis.from_url(stack.valkey.url) as redis:
        for key in redis.scan_iter():
            seen += str(redis.dump(key))
    if stack.database:
        seen += stack.database.text()
    else:
        files = [stack.dir / "fusion.sqlite3", *stack.dir.glob("fusion.sqlite3-*")]
        seen += "".join(path.read_bytes().decode("latin-1") for path in files)
    assert len(seen) > 20_000
    assert PLANTED not in seen and PLANTED[10:] not in seen


def test_every_page_carries_the_strict_policy(
    ada: Member, alice: Member, anonymous: Member
) -> None:
    for member in (ada, alice, anonymous):
        for path in ("/fusion", "/fusion/runs", "/sign-in", "/nowhere", "/admin/", "/readyz"):
            policy = member.http.get(path).headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "script-src 'self'" in policy
            assert "unsafe" not in policy and "*" not in policy
