"""Compare first: a button beside Fuse, and a run that waits for whoever asked, with its price."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.events import EventType
from console.engine.usage import Price
from console.models import Run

from .story import Story, a_spec

PRICED = Price(Decimal(10), Decimal(20))


def compared(*, price: Price | None = PRICED, seats: int = 3) -> Story:
    spec = a_spec(*("maker/alpha", "maker/beta", "maker/gamma")[:seats])
    spec = replace(spec, stop_after="panel", judge=replace(spec.judge, price=price))
    story = Story(spec).begin()
    for seat in range(seats):
        story.answer(seat, "An answer.")
    return story.tell(EventType.RUN_COMPLETED)


def page_of(client: Client, run: Run) -> str:
    return client.get(f"/fusion/runs/{run.pk}").content.decode()


def test_the_compose_page_has_a_button_for_it_and_no_box(client: Client, alice: User) -> None:
    client.force_login(alice)
    html = client.get("/fusion").content.decode()
    buttons = re.findall(r'<button type="submit"([^>]*)>(Fuse|Compare first)</button>', html)
    # The first is there for Enter alone, before the buttons of what one may start from.
    assert [name for _, name in buttons] == ["Fuse", "Fuse", "Compare first"]
    assert [said.strip() for said, _ in buttons[:1]] == ["hidden"], "Enter means the first"
    assert 'name="stop_after_panel" value="on"' in buttons[2][0]
    assert "stop_after_panel" not in buttons[1][0] and 'type="checkbox" name="stop' not in html


def test_it_waits_in_its_answers_with_a_button_that_says_the_price(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-of-a-test")
    run = compared().save(alice)
    client.force_login(alice)
    html = page_of(client, run)
    assert 'data-look="answers"' in html
    (button,) = re.findall(r"Fuse these <span[^>]*>(.*?)</span>", html)
    assert re.fullmatch(r"· (≈ )?\$[\d.]+(–[\d.]+)?( · \d+ s)?", button)
    form = html.split('id="fuse-these"')[1].split("</form>")[0]
    seats = re.findall(r'name="seat" value="(\d)"', form)
    assert seats == ["0", "1", "2"]
    assert client.post(f"/fusion/runs/{run.pk}/fuse", {"seat": seats}).status_code == 302
    assert run.fusions.get().number == 1


def test_a_price_that_nobody_knows_is_said_not_to_be_known(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "· price not known" in page_of(client, compared(price=None).save(alice))


def test_it_is_offered_to_the_owner_alone_and_only_while_nothing_was_fused(
    client: Client, alice: User, bob: User
) -> None:
    run = compared().save(alice, visibility="link", share_token="by-link")
    assert "Fuse these" not in client.get("/fusion/shared/by-link").content.decode()
    Run.objects.filter(pk=run.pk).update(visibility="team")
    client.force_login(bob)
    assert "Fuse these" not in page_of(client, run)
    client.force_login(alice)
    for story in (Story().whole(), compared(seats=1)):
        html = page_of(client, story.save(alice))
        assert 'id="fuse-these"' in html and "Fuse these <" not in html


@pytest.mark.parametrize("story", [Story(), Story().begin(), compared(), Story().whole()])
def test_four_steps_are_named_whatever_runs(client: Client, alice: User, story: Story) -> None:
    client.force_login(alice)
    line = page_of(client, story.save(alice)).split('id="phases"')[1].split("</ol>")[0]
    names = re.findall(r'class="phase-name">([^<]+)<', line)
    assert names == ["Sources", "Answers", "Analysis", "Fused answer"]
    assert "no sources" in line
