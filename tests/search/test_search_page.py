"""The list of questions: folded, searched, narrowed, and what a hit opens."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.models import Run, SearchEntry, SearchFill
from console.pages.search_form import USUAL
from console.search import find, index, read_query
from console.search.filling import begin_anew
from console.services.deletion import runs_delete, runs_put_back
from console.services.order import run_tags, run_title, runs_mark
from tests.console.story import Story, a_spec

pytestmark = pytest.mark.django_db


def page(client: Client, query: str = "", **headers: str) -> str:
    reply = client.get(f"/fusion/runs{query}", headers=headers)
    assert reply.status_code == 200
    return reply.content.decode()


def titles(html: str) -> list[str]:
    return re.findall(r'class="question-title"><a [^>]*>([^<]*)', html)


def follow_up(owner: User, first: Run, prompt: str, fused: str = "Yes.") -> Run:
    story = Story().whole(fused=fused)
    return story.save(owner, prompt=prompt, follows=first, follows_from="fused")


@pytest.fixture
def mine(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


# questions


def test_a_question_has_its_follow_ups_folded_in(mine: Client, alice: User) -> None:
    first = (
        Story()
        .whole(fused="# So\n\nThey **dance** to court.")
        .save(alice, prompt="Why do cranes dance?", cost="0.10")
    )
    Story().whole().save(alice, prompt="Who clatters?")
    second = follow_up(alice, first, "And herons?")
    third = follow_up(alice, second, "And storks?")
    Run.objects.filter(pk__in=(second.pk, third.pk)).update(cost="0.20")
    html = page(mine)
    assert titles(html) == ["Why do cranes dance?", "Who clatters?"]
    assert f'href="/fusion/runs/{third.pk}" title="Opens the last">2 follow-ups</a>' in html
    assert "They dance to court." in html and "$0.5000" in html


def test_what_one_may_not_read_of_a_question_is_not_told(
    client: Client, alice: User, bob: User
) -> None:
    first = Story().whole().save(alice, prompt="Why do cranes dance?", visibility="team")
    follow_up(alice, first, "And herons, in private?")
    client.force_login(bob)
    html = page(client)
    assert titles(html) == ["Why do cranes dance?"]
    assert "1 follow-up" not in html and "herons" not in html


def test_a_follow_up_of_what_one_may_not_read_stands_for_itself(
    client: Client, alice: User, bob: User
) -> None:
    first = Story().whole().save(alice, prompt="Why do cranes dance?")
    follow_up(bob, first, "And herons?")
    client.force_login(bob)
    assert titles(page(client)) == ["And herons?"]


def test_a_line_names_models_and_who_is_missing(mine: Client, alice: User) -> None:
    story = Story(a_spec("maker/alpha", "maker/beta")).begin().answer(0, "Yes.").fail(1).judge()
    story.synthesise("Yes.").complete().save(alice)
    html = page(mine)
    assert "alpha, beta" in html and "without B" in html


# searched


def test_a_hit_shows_its_passage_and_opens_there(mine: Client, alice: User) -> None:
    text = "Much else. " * 60 + "In the end a **heron** wades slowly, and storks clatter."
    run = Story().begin().answer(0, "No.").answer(1, text).answer(2, "No.").judge().analyse({})
    saved = run.synthesise("Nothing.").complete().save(alice, prompt="Which bird?")
    html = page(mine, "?q=héron+wades")
    assert "<mark>heron</mark>" in html and '<span class="question-place">B</span>' in html
    address = unescape(re.search(r'question-title"><a [^>]*?href="([^"]*)', html)[1])  # type: ignore[index]
    assert address.startswith(f"/fusion/runs/{saved.pk}?look=answers&part=seat-1&q=h")
    assert address.endswith("#found-1")
    opened = mine.get(address.partition("#")[0]).content.decode()
    assert '<strong><span id="found-1" data-said="found" data-number="1">heron</span>' in opened
    assert opened.count('id="found-1"') == 1


def test_a_phrase_is_marked_as_a_whole_and_what_models_wrote_stays_text(
    mine: Client, alice: User
) -> None:
    fused = "So <script>alert(1)</script> the cranes\ndance & bow."
    run = Story().whole(answer="No.", fused=fused).save(alice, prompt="Which?")
    html = page(mine, '?q="cranes+dance"')
    assert "<mark>cranes dance</mark> &amp; bow." in html and "<script>alert" not in html
    opened = mine.get(f"/fusion/runs/{run.pk}", {"look": "result", "q": '"cranes dance"'})
    assert 'data-said="found"' in opened.content.decode()
    assert "<script>alert" not in opened.content.decode()


def test_a_hit_in_a_follow_up_says_which_and_opens_it(mine: Client, alice: User) -> None:
    first = Story().whole().save(alice, prompt="Why do cranes dance?")
    second = follow_up(alice, first, "And herons?", fused="Herons stalk.")
    html = page(mine, "?q=stalk")
    assert titles(html) == ["Why do cranes dance?"]
    assert "follow-up 1, fused" in html and f'href="/fusion/runs/{second.pk}?look=result' in html


def test_a_follow_up_is_found_by_its_title_and_tags_and_opened(mine: Client, alice: User) -> None:
    first = Story().whole().save(alice, prompt="Why do cranes dance?")
    second = follow_up(alice, first, "And herons?")
    run_title(run=second, title="The grey ones")
    run_tags(run=second, names=["water birds"])
    for words, said in (("grey", "title"), ("birds", "tag")):
        html = page(mine, f"?q={words}")
        assert titles(html) == ["Why do cranes dance?"]
        assert f"follow-up 1, {said}" in html and f'href="/fusion/runs/{second.pk}?q=' in html
    run_title(run=first, title="Dances")
    assert "question-passage" not in page(mine, "?q=dances"), "said by the row itself"


def test_what_was_deleted_stays_forgotten_however_it_is_read_in(mine: Client, alice: User) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?")
    act = runs_delete(runs=[run], by=alice)
    index(run.pk)
    assert not SearchEntry.objects.exists()
    runs_put_back(act=act, person=alice)
    assert titles(page(mine, "?q=cranes")) == ["Why do cranes dance?"]


def test_words_around_what_is_bold_stay_apart(mine: Client, alice: User) -> None:
    Story().whole(fused="It is a **grey heron** that wades.").save(alice)
    assert "It is a <mark>grey heron</mark> that wades." in page(mine, '?q="grey+heron"')


def test_a_question_is_one_line_however_many_of_its_runs_say_it(mine: Client, alice: User) -> None:
    first = Story().whole(fused="Cranes bow.").save(alice, prompt="Why do cranes dance?")
    follow_up(alice, first, "And when do cranes rest?")
    assert titles(page(mine, "?q=cranes")) == ["Why do cranes dance?"]


def test_nothing_found_is_said_so_and_what_could_not_be_looked_for(
    mine: Client, alice: User
) -> None:
    Story().whole().save(alice)
    assert "Nothing that you may read says this." in page(mine, "?q=xyzzy")
    assert "Nothing has been asked yet" not in page(mine, "?q=xyzzy")
    assert "no letter and no digit" in page(mine, "?q=!!!")
    assert "a beginning has at least 3 letters" in page(mine, "?q=mo*+billing")
    assert "Only the first 300 characters" in page(mine, f"?q={'word ' * 100}")


def test_pages_go_on_and_carry_what_was_asked(mine: Client, alice: User) -> None:
    for n in range(45):
        Story(a_spec("m/a")).begin().answer(0, "Cranes.").save(alice, prompt=f"question {n:02}")
    seen, at = [], "?q=cranes&model=m%2Fa"
    while at and len(seen) < 100:
        html = page(mine, at)
        seen += titles(html)
        older = re.search(r'rel="next" href="([^"]*)"', html)
        at = unescape(older[1]) if older else ""
        assert not at or "q=cranes&model=m%2Fa&below=" in at
    assert seen == [f"question {n:02}" for n in reversed(range(45))]


def test_the_best_of_the_newest_are_asked_for_in_the_address(mine: Client, alice: User) -> None:
    Story().whole().save(alice, prompt="Cranes, cranes, cranes!")
    Story().whole(answer="One crane, or cranes.").save(alice, prompt="Which?")
    assert titles(page(mine, "?q=cranes")) == ["Which?", "Cranes, cranes, cranes!"]
    html = page(mine, "?q=cranes&order=best")
    assert titles(html) == ["Cranes, cranes, cranes!", "Which?"]
    assert re.search(r"The best of the newest [\d,]+ matches", html)


# narrowed


def test_filters_combine_stand_in_the_address_and_go_one_by_one(mine: Client, alice: User) -> None:
    Story().whole().save(alice, prompt="Whole")
    Story().begin().answer(0, "Yes.").answer(1, "No.").fail(2).judge().analyse().synthesise(
        "So."
    ).complete().save(alice, prompt="Without one")
    day = f"{timezone.localdate():%Y-%m-%d}"
    html = page(mine, f"?state=completed&degraded=on&contradictions=on&since={day}&until={day}")
    assert titles(html) == ["Without one"]
    links = [unescape(link) for link in re.findall(r'class="search-chip" href="([^"]*)"', html)]
    assert (
        len(links) == 5 and f"?state=completed&since={day}&until={day}&contradictions=on" in links
    )
    assert titles(page(mine, "?state=failed")) == []


def test_what_is_archived_is_found_and_said_to_be(mine: Client, alice: User) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?")
    runs_mark(runs=[run], person=alice, kind="archive", on=True)
    badge = '<span class="badge">Archived</span>'
    html = page(mine, "?q=cranes&preset=quality")
    assert titles(html) == ["Why do cranes dance?"] and badge in html
    assert "</span>Quality <span" in html, "by the preset's name"
    assert badge not in page(mine, "?archived=1")


def test_every_filter_is_offered_with_what_there_is(
    mine: Client, alice: User, bob: User, django_assert_max_num_queries: object
) -> None:
    Story().whole().save(bob, visibility="team")
    html = page(mine, "?filters=1&person=bob&preset=gone")
    assert '<option value="bob" selected>bob</option>' in html
    assert '<option value="gone" selected>gone</option>' in html
    for name in ("state", "cost", "since", "until", "model", "order", "rulings", "best"):
        assert f'name="{name}"' in html, name
    # What is set is shown; what is neither usual nor set stands behind *More*.
    shown, more = page(mine, "?filters=1&state=failed").split('<details class="search-more">')
    assert all(f'name="{name}"' in shown for name in (*USUAL, "state"))
    assert 'name="state"' not in more and 'name="cost"' in more and 'name="cost"' not in shown
    # PostgreSQL's newest are looked at before its index is asked.
    most = 22 if connection.vendor == "postgresql" else 21
    with django_assert_max_num_queries(most):  # type: ignore[operator]
        page(mine, "?filters=1&q=billing&person=bob")


@pytest.mark.parametrize(
    "query",
    [
        "?state=lost", "?cost=free", "?since=never", "?since=0001-01-01", "?until=9999-12-31",
        "?below=nonsense&q=billing", "?below=9999999999999999999&q=billing", "?q=%00", "?q=%FF",
        "?order=worst", "?q=billing&person=%00", "?model=%22%27%5C", "?preset=" + "x" * 50,
        "?q=%22", "?q=*", "?q=billing&below=-5", "?since=2026-02-30",
    ],
)  # fmt: skip
def test_an_address_that_somebody_has_typed_is_no_error(
    mine: Client, alice: User, query: str
) -> None:
    Story().whole().save(alice)
    page(mine, query)
    page(mine, f"{query}&filters=1")


def test_who_searches_by_htmx_gets_the_middle_of_the_page(mine: Client, alice: User) -> None:
    Story().whole().save(alice, prompt="Why do cranes dance?")
    part = page(mine, "?q=cranes", **{"HX-Request": "true"})
    assert titles(part) == ["Why do cranes dance?"] and "<html" not in part


def test_as_long_as_older_questions_are_read_in_the_page_says_so(mine: Client, alice: User) -> None:
    begin_anew()
    assert "still being read into the search" in page(mine, "?q=cranes")
    SearchFill.objects.update(is_done=True)
    assert "still being read into the search" not in page(mine, "?q=cranes")


def test_what_the_index_still_names_is_not_shown_to_who_may_not_read_it(
    client: Client, alice: User, bob: User
) -> None:
    run = Story().whole().save(alice, prompt="Why do cranes dance?", visibility="team")
    Run.objects.filter(pk=run.pk).update(visibility="private")  # and the index was not told
    assert find(bob, read_query("cranes"), count=5).hits
    client.force_login(bob)
    assert titles(page(client, "?q=cranes")) == []


def test_a_page_of_hits_asks_no_more_for_twenty_than_for_one(
    mine: Client, alice: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        Story().whole().save(alice)
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        page(mine, "?q=billing&state=completed")
