"""The form that goes on from a run."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from console.engine.events import EventType
from console.engine.usage import Price
from console.models import Run
from console.record.asked import asked
from console.record.rows import state_from_rows
from console.services.estimates import Estimate
from console.services.expected import Expected

from .story import Story, a_spec


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def form_of(page: Client, run: Run) -> dict[str, str]:
    """What its hidden fields send along."""
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    form = html[html.index(f'action="/fusion/runs/{run.pk}/follow"') :].partition("</form>")[0]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', form)
    return {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}


def follow(page: Client, run: Run, prompt: str = "And then?", **form: str) -> HttpResponse:
    response: HttpResponse = page.post(f"/fusion/runs/{run.pk}/follow", {"prompt": prompt} | form)
    return response


def test_only_who_may_read_a_run_goes_on_from_it(
    client: Client, run: Run, bob: User, charlie: User
) -> None:
    assert follow(client, run)["Location"].startswith("/sign-in")
    client.force_login(bob)
    assert follow(client, run).status_code == 404
    Run.objects.filter(pk=run.pk).update(visibility="team")
    client.force_login(charlie)
    assert follow(client, run)["Location"].startswith("/sign-in")
    assert not run.followed_by.exists()
    client.force_login(bob)
    assert follow(client, run).status_code == 302
    assert run.followed_by.get().owner == bob


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_run(alice: User, run: Run) -> None:
    page = Client()
    page.force_login(alice)
    form, told = form_of(page, run), []

    def click() -> None:
        told.append(follow(page, run, **form)["Location"])
        connections.close_all()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert told == [f"/fusion/runs/{run.followed_by.get().pk}"] * 2


def test_the_same_form_with_other_words_is_another_run(page: Client, run: Run) -> None:
    form = form_of(page, run)
    follow(page, run, "And then?", **form)
    follow(page, run, "And before?", **form)
    follow(page, run, "And before?", **(form | {"from": "seat-1"}))
    assert sorted(r.prompt for r in run.followed_by.all()) == [
        "And before?",
        "And before?",
        "And then?",
    ]


def test_another_fusion_that_was_stopped_leaves_the_earlier_to_go_on_from(
    page: Client, run: Run
) -> None:
    run.fusions.create(number=2, status="cancelled", judge={}, synthesizer={})
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "There is no fused answer" not in html and "The fused answer." in html
    html = page.get(f"/fusion/runs/{run.pk}?fusion=2").content.decode()
    assert "There is no fused answer" not in html and "The earlier ones are kept" in html
    assert follow(page, run).status_code == 302
    said = asked(run.followed_by.get()).messages
    assert [m["content"] for m in said[1:]] == ["The fused answer.", "And then?"]


@pytest.mark.parametrize("source", ["fused", "seat-1", "own"])
def test_a_seat_whose_model_was_swapped_goes_on_with_the_new_one(
    alice: User, page: Client, source: str
) -> None:
    story = Story().whole()
    other = story.spec.panel[1].to_dict() | {"model": "maker/delta"}
    added = {"step": "panel", "seat": 1, "cause": "asked", "panelist": other}
    story.tell(EventType.CALL_ADDED, "panel-1-2", number=2, **added)
    story.tell(EventType.CALL_SENT, "panel-1-2").answer(1, "Delta's answer.", number=2)
    # A swap that failed has changed nothing.
    story.tell(EventType.CALL_ADDED, "panel-2-2", number=2, **(added | {"seat": 2}))
    story.tell(EventType.CALL_FAILED, "panel-2-2", reason="stalled", error="No text.")
    run = story.save(alice)
    assert follow(page, run, **{"from": source}).status_code == 302
    then = run.followed_by.get()
    assert [p.model for p in then.frozen_spec.panel] == [
        "maker/alpha",
        "maker/delta",
        "maker/gamma",
    ]
    if source == "own":
        assert asked(then).histories[1][1]["content"] == "Delta's answer."


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_deleted_meanwhile_is_said_to_be_gone(
    alice: User, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Client()
    page.force_login(alice)

    def clean_slowly(prompt: str) -> str:
        Run.objects.all().delete()
        return prompt

    monkeypatch.setattr("console.services.follow.clean_prompt", clean_slowly)
    with_answer = state_from_rows(run)
    monkeypatch.setattr("console.services.follow.state_from_rows", lambda run: with_answer)
    refused = follow(page, run)
    assert refused.status_code == 422
    assert "The run it goes on from is not there any more." in refused.content.decode()


@pytest.mark.parametrize("number", ["", "a\0b", "x" * 1000])
def test_a_form_without_a_number_of_its_own_asks_all_the_same(
    page: Client, run: Run, number: str
) -> None:
    assert follow(page, run, client_run_id=number).status_code == 302
    assert run.followed_by.get().client_run_id is None


@pytest.mark.parametrize("seat", ["-1", "3", "01", "0" * 20, "٢", "x", "", "9" * 5000])
def test_a_seat_that_is_none_is_refused(page: Client, run: Run, seat: str) -> None:
    refused = follow(page, run, **{"from": f"seat-{seat}"})
    assert refused.status_code == 422
    assert "Choose which answer to go on from." in refused.content.decode()
    assert not run.followed_by.exists()


def test_what_is_refused_is_given_back_to_whoever_wrote_it(page: Client, run: Run) -> None:
    refused = follow(page, run, prompt="Words </textarea> to keep", **{"from": "seat-9"})
    html = refused.content.decode()
    assert "Words &lt;/textarea&gt; to keep</textarea>" in html


def test_only_what_there_is_to_go_on_from_is_offered(page: Client, alice: User, run: Run) -> None:
    def offered(run: Run) -> str:
        return page.get(f"/fusion/runs/{run.pk}").content.decode()

    assert '<option value="fused">' in offered(run)
    unfused = Story().begin().answer(0, "One.").fail(1).fail(2)
    html = offered(unfused.save(alice, status="cancelled"))
    assert '<option value="fused">' not in html and '<option value="seat-0">' in html
    assert "Fuse these answers" in html
    stopped = Story().begin().answer(0, "One.").answer(1, "Two.").fail(2).judge()
    stopped.tell(EventType.RUN_CANCELLED)
    assert "Fuse these answers" in offered(stopped.save(alice))
    nothing = Story().begin().fail(0).fail(1).fail(2)
    html = offered(nothing.save(alice, status="failed"))
    assert "Follow up" not in html and "Fuse these answers" not in html


@pytest.mark.parametrize(
    ("follows_from", "said"),
    [
        ("fused", "from the fused answer"),
        ("seat-1", "from B"),
        ("own", "each seat from its own answer"),
    ],
)
def test_a_follow_up_says_what_it_goes_on_from_to_whoever_may_read_that(
    page: Client, alice: User, bob: User, run: Run, follows_from: str, said: str
) -> None:
    follow(page, run, **{"from": follows_from})
    after = run.followed_by.get()
    Run.objects.filter(pk=after.pk).update(visibility="team")

    def line() -> str:
        html = page.get(f"/fusion/runs/{after.pk}").content.decode()
        return html.partition('<div class="run-asked">')[2].partition("<h1")[0]

    assert f'href="/fusion/runs/{run.pk}"' in line() and said in line()
    page.force_login(bob)
    assert str(run.pk) not in line() and "Follow-up" not in line() and said not in line()


@pytest.mark.parametrize(
    ("reader", "seen"),
    [("alice", ["hers alone", "the team's"]), ("bob", ["the team's", "bob's own"]),
     ("ada", ["the team's"])],
)  # fmt: skip
def test_a_run_knows_what_goes_on_from_it_for_whoever_may_read_that(
    client: Client, alice: User, bob: User, ada: User, reader: str, seen: list[str]
) -> None:
    run = Story().whole().save(alice, visibility="team")
    Story().begin().save(alice, prompt="hers alone", follows=run, follows_from="fused")
    Story().begin().save(
        alice, prompt="the team's", visibility="team", follows=run, follows_from="seat-1"
    )
    Story().begin().save(bob, prompt="bob's own", follows=run, follows_from="own")
    Story().begin().save(bob, prompt="of another run", visibility="team")
    client.force_login({"alice": alice, "bob": bob, "ada": ada}[reader])
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    nav = html.partition('<nav id="thread"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="/fusion/runs/[^"]+" title="[^"]+" dir="auto">(.*?)</a>', nav)
    assert [unescape(prompt) for prompt in found] == seen


def test_who_has_a_link_is_told_nothing_of_what_goes_on(client: Client, alice: User) -> None:
    run = Story().whole().save(alice, visibility="link", share_token="by-link")
    Story().begin().save(alice, prompt="hers alone", follows=run, follows_from="fused")
    html = client.get("/fusion/shared/by-link").content.decode()
    assert 'id="thread"' not in html and "hers alone" not in html


def test_beside_ask_on_stands_the_price_that_is_noted_once_it_is_asked(
    page: Client, alice: User
) -> None:
    spec, price = a_spec(), Price(Decimal(2), Decimal(10))
    panel = tuple(replace(one, price=price) for one in spec.panel)
    run = Story(replace(spec, panel=panel, judge=panel[0])).whole().save(alice)
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    [said] = re.findall(r'class="follow-price[^>]*>([^<]+)<', html)
    follow(page, run, prompt="Why?")
    noted = Estimate.from_dict(run.followed_by.get().estimate)
    assert noted and said == Expected(noted.low, noted.high, noted.seconds).words
    assert "$" in said
