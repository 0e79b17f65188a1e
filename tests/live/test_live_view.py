"""What viewers see while a run goes on equals what they find after a reload."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live.conftest import PASSWORD
from tests.live.member import Member, View
from tests.prose import words
from tests.stack import Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live

TEXT = "".join(
    f"# Title\n\nFirst paragraph, *{words(8, of=part)}*.\n\n- one\n- two\n\n"
    f"```python\nprint(1)\n```\n\nLast words of {part}. "
    for part in "abcdef"
)


async def test_a_watched_run_a_late_tab_and_a_reload_show_the_same(
    alice: Member, upstream: Upstream
) -> None:
    upstream.script("writes", Script(text=TEXT, tokens_per_second=120))
    run = alice.ask("writes", "good")
    early, late = View(), View()
    async with alice.socket(run) as first:
        await early.follow(first, until=lambda v: "First paragraph" in v.text("seat-0"))
        async with alice.socket(run) as second:
            await asyncio.gather(early.follow(first), late.follow(second))
    page = alice.page(run)
    assert early.status == late.status == page.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert early.text(place) == late.text(place), place
        assert early.text(place).split() == page.texts[place].split(), place
    assert early.fragments == late.fragments


async def test_a_run_fused_again_is_seen_live_after_its_viewers_have_left_one_by_one(
    alice: Member, upstream: Upstream
) -> None:
    upstream.script("waits", Script(text="Hello there world", hold_after=1))
    upstream.hold(everything=False)
    run, staying, leaving = alice.ask("good", "waits"), View(), View()

    def there(view: View) -> bool:
        return "Hello" in view.text("seat-1")

    async with alice.socket(run) as first:
        async with alice.socket(run) as second:
            await asyncio.gather(staying.follow(first, there), leaving.follow(second, there))
        upstream.release()
        await staying.follow(first)
    assert staying.status == "completed"
    upstream.script("pen", Script(text="Written anew", hold_after=1))
    upstream.hold(everything=False)
    again, page = View(), f"/fusion/runs/{run}"
    alice.post(f"{page}/fuse", {"synthesizer": "pen", "seat": ["0", "1"]}, page)
    async with alice.socket(run) as socket:
        await again.follow(socket, until=lambda v: "Written" in v.text("fused"))
        upstream.release()
        await again.follow(socket)
    assert again.text("fused").strip() == "Written anew" and again.status == "completed"


@pytest.mark.parametrize("character", ["x", "+", "=", "é", "😀"])
async def test_a_long_text_comes_in_parts_and_whole(
    alice: Member, upstream: Upstream, character: str
) -> None:
    """Longer than what Daphne sends as one message."""
    text = f"Begin {character * 70_000} end"
    upstream.script("long-text", Script(deltas=[text]))
    run, view = alice.ask("long-text", "good"), View()
    async with alice.socket(run) as socket:
        await view.follow(socket)
    assert view.text("seat-0").strip() == text
    assert alice.page(run).texts["seat-0"].strip() == text


async def test_a_socket_cut_ten_times_loses_nothing(alice: Member, upstream: Upstream) -> None:
    upstream.script("cut-often", Script(text=TEXT, tokens_per_second=60))
    run = alice.ask("cut-often", "cut-often")
    shuffle = random.Random(5)
    for _ in range(10):
        async with alice.socket(run) as socket:
            with contextlib.suppress(TimeoutError):
                await View().follow(socket, seconds=shuffle.uniform(0.05, 0.25))
    view = View()
    async with alice.socket(run) as socket:
        await view.follow(socket)
    page = alice.page(run)
    for place in ("seat-0", "seat-1", "fused"):
        assert view.text(place).split() == page.texts[place].split()
    assert page.texts["seat-0"].split() == page.texts["seat-1"].split()


async def test_one_token_a_seat_is_on_every_page_before_there_is_a_second(
    alice: Member, upstream: Upstream
) -> None:
    upstream.script("waits", Script(text="Hello there world", hold_after=1))
    upstream.hold(everything=False)
    run = alice.ask("waits", "waits", "waits")
    views = [View(), View()]
    async with alice.socket(run) as one, alice.socket(run) as two:

        def all_there(view: View) -> bool:
            return all("Hello" in view.text(f"seat-{s}") for s in range(3))

        await asyncio.gather(
            views[0].follow(one, all_there, 60), views[1].follow(two, all_there, 60)
        )
        upstream.release()


async def test_the_run_goes_on_without_any_viewer(alice: Member) -> None:
    run = alice.ask("good-slow")
    async with alice.socket(run) as socket:
        await socket.recv()
    assert alice.until(run).status == "completed"


async def test_a_socket_from_another_origin_is_refused(alice: Member, stack: Stack) -> None:
    run = alice.ask("good")
    for origin in (
        "http://evil.example",
        f"http://127.0.0.1:{stack.port + 1}",
        f"https://127.0.0.1.evil.example:{stack.port}",
        "null",
        "",
    ):
        with pytest.raises(InvalidStatus):
            async with alice.socket(run, origin=origin):
                pass


async def test_a_socket_to_no_address_or_by_a_foreign_name_is_refused_without_an_error(
    stack: Stack,
) -> None:
    ours, foreign = f"127.0.0.1:{stack.port}", f"evil.example:{stack.port}"
    for path, name in (("nowhere", ours), ("ws/runs/1", ours), ("ws/shared/x", foreign)):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                f"ws://{name}/{path}",
                host="127.0.0.1",
                origin=f"http://{name}",  # type: ignore[arg-type]
            ):
                pass
        assert refused.value.response.status_code == 403
    assert "No route found" not in stack.log.read_text()


async def test_another_s_private_run_is_neither_a_page_nor_a_socket(
    alice: Member, bob: Member, anonymous: Member
) -> None:
    run = alice.ask("good")
    assert bob.http.get(f"/fusion/runs/{run}").status_code == 404
    assert "/sign-in" in str(anonymous.http.get(f"/fusion/runs/{run}").url)
    for stranger in (bob, anonymous):
        async with stranger.socket(run) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd and closed.value.rcvd.code == 4404


async def test_a_permission_taken_away_closes_the_open_socket(
    alice: Member, bob: Member, upstream: Upstream
) -> None:
    upstream.script("long", Script(text=words(400), tokens_per_second=40))
    run = alice.ask("long", visibility="team")
    async with bob.socket(run) as socket:
        await View().follow(socket, until=lambda v: "word" in v.text("seat-0"))
        alice.post(f"/fusion/runs/{run}/share", {"visibility": "private"}, "/fusion")
        with pytest.raises(ConnectionClosed) as closed:
            await View().follow(socket)
        assert closed.value.rcvd and closed.value.rcvd.code == 4404
    alice.post(f"/fusion/runs/{run}/cancel", {}, "/fusion")


async def test_signing_out_closes_the_sockets_that_are_open(
    stack: Stack, bob: Member, alice: Member, upstream: Upstream
) -> None:
    upstream.script("long", Script(text=words(400), tokens_per_second=40))
    run = alice.ask("long", visibility="team")
    with Member(stack, "bob", PASSWORD) as leaving:
        async with leaving.socket(run) as socket, bob.socket(run) as other:
            await View().follow(socket, until=lambda v: "word" in v.text("seat-0"))
            leaving.post("/sign-out", {}, "/fusion")
            with pytest.raises(ConnectionClosed) as closed:
                await View().follow(socket)
            assert closed.value.rcvd and closed.value.rcvd.code == 4404
            await View().follow(other, until=lambda v: "word" in v.text("seat-0"))
    alice.post(f"/fusion/runs/{run}/cancel", {}, "/fusion")


async def test_what_comes_from_a_page_is_a_number_or_ends_the_socket(
    alice: Member, stack: Stack, upstream: Upstream
) -> None:
    upstream.script("long", Script(text=words(400), tokens_per_second=40))
    run = alice.ask("long")
    for sent in ("[" * 60_000, "{}", "5", "nonsense", b"\xff", '{"ack": [1]}'):
        async with alice.socket(run) as socket:
            await socket.send(sent)
            with pytest.raises(ConnectionClosed) as closed:
                await View().follow(socket)
            assert closed.value.rcvd and closed.value.rcvd.code == 4400
    alice.post(f"/fusion/runs/{run}/cancel", {}, "/fusion")
    assert "Traceback" not in stack.log.read_text()


def test_stop_closes_every_connection(alice: Member, upstream: Upstream) -> None:
    upstream.script("endless", Script(text=words(4000), tokens_per_second=30))
    run = alice.ask("endless", "endless")
    until(lambda: all("word" in alice.page(run).texts[f"seat-{seat}"] for seat in range(2)))
    alice.post(f"/fusion/runs/{run}/cancel", {}, "/fusion")
    upstream.wait_until(lambda: all(c.closed_by_client for c in upstream.calls_of("endless")), 60)
    page = alice.until(run)
    assert page.status == "cancelled" and "word" in page.texts["seat-0"]


def test_three_seats_are_asked_at_once(alice: Member, stack: Stack, upstream: Upstream) -> None:
    upstream.script("two-seconds", Script(text="a b c d e", first_token_after=2))
    run = alice.ask("two-seconds", "two-seconds", "two-seconds")
    assert alice.until(run).status == "completed"
    state = stack.state(run)
    panel = [c for c in state.calls.values() if c.step == "panel"]
    starts = [c.started_at or 0 for c in panel]
    ends = [c.finished_at or 0 for c in panel]
    assert max(starts) < min(ends)


def test_half_of_the_panel_refusing_still_gives_a_fused_answer(
    alice: Member, upstream: Upstream
) -> None:
    run = alice.ask("good", "fault-reset-at-once", "good", "fault-503")
    page = alice.until(run)
    assert page.status == "completed" and page.texts["fused"].strip()
    assert page.html.count("The connection was lost") >= 1
