"""Titles and tags, which are a run's owner's; stars and the archive, which are each reader's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Run, RunDeletion, RunMark
from console.services.errors import Refused
from console.services.order import clean_tags, run_tags, run_title, tags_typed
from console.services.tokens import token_create

from .story import Story, link_to

pytestmark = pytest.mark.database

PROMPT = "Should the quagga come back? Say why."


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice, prompt=PROMPT, visibility="team")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def keep(client: Client, run: Run, **form: Any) -> int:
    return client.post(f"/fusion/runs/{run.pk}/order", form).status_code


def listed(client: Client, query: str = "") -> str:
    return client.get(f"/fusion/runs{query}").content.decode()


def test_a_title_is_told_wherever_the_question_has_one_line(page: Client, run: Run) -> None:
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "<title>Should the quagga come back? · Fusion</title>" in html
    assert keep(page, run, title="  Back to\nlife ", tags="Animals, #ethics") == 302
    for at in ("", "/compare"):
        html = page.get(f"/fusion/runs/{run.pk}{at}").content.decode()
        assert "Back to life · Fusion</title>" in html
        assert '<h1 class="prompt" dir="auto">Back to life</h1>' in html or at
        assert PROMPT in html  # whole, one press away
    assert "Back to life" in listed(page) and "quagga" not in listed(page)
    keep(page, run, title="", tags="")
    assert "quagga" in listed(page) and "ethics" not in listed(page)


def test_without_the_prompt_a_link_tells_no_title_either(page: Client, run: Run) -> None:
    keep(page, run, title="About quaggas")
    Run.objects.update(visibility="link")
    link_to(run, "open")
    link_to(run, "closed", hides=["prompt"])
    assert "About quaggas" in Client().get("/fusion/shared/open").content.decode()
    assert "quagga" not in Client().get("/fusion/shared/closed").content.decode()


def test_others_star_and_archive_what_they_may_read_for_themselves(
    page: Client, run: Run, bob: User, charlie: User
) -> None:
    other = Client()
    other.force_login(bob)
    keep(page, run, title="Alice's", tags="kept")
    assert keep(other, run, title="Bob's", tags="gone", star="on", archive="on") == 302
    run.refresh_from_db()
    assert run.title == "Alice's" and [t.name for t in run.tags.all()] == ["kept"]
    assert "Alice" not in listed(other) and "Alice" in listed(other, "?archived=1")
    assert "Alice" in listed(page) and 'aria-label="Starred"' not in listed(page)
    assert (
        "Title" not in other.get(f"/fusion/runs/{run.pk}").content.decode().split("More")[1][:900]
    )
    Run.objects.update(visibility="private")
    assert keep(other, run, star="on") == 404
    assert "Alice" not in listed(other, "?archived=1")
    assert keep(Client(), run, star="on") == 302  # to sign in
    assert charlie.run_marks.count() == 0


def test_the_list_is_narrowed_by_its_address(page: Client, run: Run, alice: User) -> None:
    Story().whole().save(alice, prompt="Something else?")
    keep(page, run, tags="animals & co", star="on")
    for query in ("?tag=animals+%26+co", "?star=1", "?tag=animals+%26+co&star=1"):
        assert "quagga" in listed(page, query) and "Something else" not in listed(page, query)
    for query in ("?tag=animals", "?archived=1", "?star=1&archived=1"):
        assert "Nothing that you may read fits." in listed(page, query)
    keep(page, run, archive="on")
    assert "quagga" not in listed(page) and "quagga" in listed(page, "?archived=1")
    assert "quagga" not in page.get("/fusion").content.decode()
    assert page.get(f"/fusion/runs/{run.pk}").status_code == 200


def test_pages_of_a_narrowed_list_stay_narrowed(page: Client, alice: User) -> None:
    for _ in range(21):
        run_tags(run=Story().begin().save(alice), names=["many"])
    assert 'href="?tag=many&amp;below=' in listed(page, "?tag=many")


def test_tags_are_cleaned_and_bounded() -> None:
    assert clean_tags(tags_typed(" #One, two words ;one,,THREE\n")) == ["One", "two words", "THREE"]
    for wrong in (["x" * 41], [str(n) for n in range(21)], ["a,b"]):
        with pytest.raises(Refused):
            clean_tags(wrong)


def test_what_is_refused_is_said_and_changes_nothing(page: Client, run: Run) -> None:
    response = page.post(f"/fusion/runs/{run.pk}/order", {"title": "x" * 201})
    assert response.status_code == 400 and b"at most 200 characters" in response.content
    with pytest.raises(Refused):
        run_title(run=run, title="x" * 201)
    run.refresh_from_db()
    assert run.title == ""


def test_by_htmx_the_head_changes_in_place(page: Client, run: Run) -> None:
    html = page.post(
        f"/fusion/runs/{run.pk}/order",
        {"title": "Named", "star": "on"},
        headers={"HX-Request": "true"},
    ).content.decode()
    assert '<span id="run-labels" class="run-labels" hx-swap-oob="true"><span class="star"' in html
    assert '<div id="run-asked-for" class="run-asked-for" hx-disable hx-swap-oob="true">' in html
    assert '<h1 class="prompt" dir="auto">Named</h1>' in html
    assert "Saved." in html and "Starred" in html and "<main" not in html


# what is chosen in the list


def choose(client: Client, do: str, *runs: Run, **form: Any) -> str:
    chosen = {"do": do, "run": [run.pk for run in runs], "back": "/fusion/runs?star=1"}
    return client.post("/fusion/runs/chosen", chosen | form, follow=True).content.decode()


def test_what_is_chosen_is_archived_tagged_and_deleted_with_its_number(
    page: Client, alice: User
) -> None:
    runs = [Story().whole().save(alice, prompt=f"Number {n}?") for n in range(3)]
    assert 'name="run"' in listed(page) and 'id="chosen"' in listed(page)
    assert "2 questions archived." in choose(page, "archive", *runs[:2])
    assert RunMark.objects.count() == 2
    assert "1 question back in the list." in choose(page, "unarchive", runs[0])
    run_tags(run=runs[0], names=["had"])
    assert "2 questions tagged." in choose(page, "tag", *runs[:2], tag="new, newer")
    assert [t.name for t in runs[0].tags.all()] == ["had", "new", "newer"]
    html = choose(page, "delete", *runs)
    assert "Deleted: " in html and "and 2 more" in html and "Put back" in html
    assert RunDeletion.objects.values("act").distinct().count() == 1


@pytest.mark.parametrize(
    ("do", "sentence"),
    [("", "Choose what to do with them."), ("tag", "Write a tag first.")],
)
def test_nothing_is_done_that_was_not_chosen(
    page: Client, run: Run, do: str, sentence: str
) -> None:
    assert sentence in choose(page, do, run)
    assert "Choose some questions first." in choose(page, do)


def test_what_is_not_one_s_own_is_left_and_said_to_be(
    page: Client, run: Run, alice: User, bob: User
) -> None:
    own = Story().whole().save(alice)
    bobs = Story().whole().save(bob, visibility="team")
    hidden = Story().whole().save(bob)
    html = choose(page, "delete", own, bobs, hidden)
    assert "1 of them are not yours to change." in html
    assert [*RunDeletion.objects.values_list("run", flat=True)] == [own.pk]
    choose(page, "tag", bobs, tag="mine")
    assert not bobs.tags.exists()
    choose(page, "archive", bobs, hidden)
    assert [*RunMark.objects.values_list("run", flat=True)] == [bobs.pk]


def test_the_way_back_leads_to_the_list_alone(page: Client, run: Run) -> None:
    for back in ("https://elsewhere.example/fusion/runs", "//elsewhere.example", "/admin/"):
        told = page.post("/fusion/runs/chosen", {"do": "archive", "run": run.pk, "back": back})
        assert told.headers["Location"] == "/fusion/runs"


def test_all_that_fit_are_chosen_on_all_pages_with_their_number(page: Client, alice: User) -> None:
    runs = [Story().whole().save(alice, prompt=f"Number {n}?") for n in range(23)]
    for run in runs[:22]:
        run_tags(run=run, names=["many"])
    Story().whole().save(alice, prompt="And then?", follows=runs[0], follows_from="fused")
    html = listed(page, "?tag=many")
    assert 'href="?tag=many&amp;all=1"' in html
    html = listed(page, "?tag=many&all=1")
    assert "All 22 chosen" in html and 'name="all" value="22"' in html
    assert html.count("checked disabled") == 20
    form = {"all": "22", "back": "/fusion/runs?tag=many&all=1"}
    late = page.post("/fusion/runs/chosen", form | {"do": "delete", "all": "21"}, follow=True)
    assert "meanwhile there are 22 questions, not 21" in late.content.decode()
    assert not RunDeletion.objects.exists()
    gone = page.post("/fusion/runs/chosen", form | {"do": "delete"})
    assert gone.headers["Location"].startswith("/fusion/runs?tag=many&deleted=")
    assert RunDeletion.objects.count() == 23  # with the follow-up
    assert "All 1 chosen" in listed(page, "?all=1")


def test_more_than_can_be_chosen_at_a_time_are_the_newest_of_them(
    page: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        Story().whole().save(alice, prompt=f"Number {n}?")
    monkeypatch.setattr("console.pages.views.questions.MOST_CHOSEN", 3)
    for query in ("?all=1", "?state=completed&all=1"):
        assert "The newest 3 chosen" in listed(page, query)


def test_an_admin_deletes_a_question_and_not_what_others_asked_on_it(
    client: Client, alice: User, bob: User, ada: User
) -> None:
    first = Story().whole().save(alice, visibility="team")
    by_bob = Story().whole().save(bob, visibility="team", follows=first, follows_from="fused")
    client.force_login(ada)
    choose(client, "delete", by_bob)
    assert [*RunDeletion.objects.values_list("run", flat=True)] == [first.pk]


def test_an_archived_question_that_goes_on_is_back_in_the_list(
    page: Client, run: Run, bob: User
) -> None:
    for reader in (run.owner, bob):
        RunMark.objects.create(run=run, person=reader, kind="archive")
    path = f"/fusion/runs/{run.pk}/follow"
    assert page.post(path, {"prompt": "And when?"}).status_code == 302
    assert not RunMark.objects.exists()
    assert "quagga" in listed(page) and "quagga" not in listed(page, "?archived=1")


def test_a_tag_in_the_list_narrows_it_and_time_groups_it(page: Client, run: Run) -> None:
    run_tags(run=run, names=["a & b"])
    old = Run.objects.get(pk=Story().whole().save(run.owner).pk)
    Run.objects.filter(pk=old.pk).update(created_at=datetime(2024, 5, 6, tzinfo=UTC))
    html = listed(page)
    assert '?tag=a%20%26%20b"' in html
    assert html.index("<h2>Today</h2>") < html.index("<h2>May 2024</h2>")


# programs


def ask(alice: User, method: str, path: str, body: Any = None, **token: Any) -> Any:
    _, secret = token_create(owner=alice, requests_per_minute=None, **token)
    headers = {"authorization": f"Bearer {secret}"}
    kind = {"content_type": "application/json"} if body is not None else {}
    return getattr(Client(), method)(path, body, headers=headers, **kind)


def test_a_program_names_tags_stars_and_archives(alice: User, run: Run) -> None:
    path = f"/v1/runs/{run.pk}"
    kept = {"title": "Named", "tags": ["one", "two"], "starred": True, "archived": False}
    told = ask(alice, "patch", path, kept).json()
    told_apart = {"id": str(run.pk), "object": "run.order", "project": None}
    assert told == told_apart | kept
    assert ask(alice, "patch", path, {}).json() == told
    assert ask(alice, "patch", path, {"tags": [], "starred": False}).json() == told | {
        "tags": [],
        "starred": False,
    }
    refused = ask(alice, "patch", path, {"tags": ["a,b"]})
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "tags"


def test_what_a_change_does_not_know_is_refused_by_its_name(alice: User, run: Run) -> None:
    path = f"/v1/runs/{run.pk}"
    refused = ask(alice, "patch", path, {"title": "Named", "visibility": "team"})
    told = refused.json()["error"]
    assert refused.status_code == 400 and told["param"] == "visibility"
    assert told["message"] == "visibility: There is no such field here."
    assert ask(alice, "patch", path, {}).json()["title"] != "Named"
    for rest, body in (
        ("fusions", {"judge_model": "good"}),
        ("look-ups", {"claim": "consensus-1", "number": 2}),
        ("verdict", {"best": "A", "seat": "A"}),
    ):
        refused = ask(alice, "post", f"{path}/{rest}", body)
        last = [*body][-1]
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, last)


def test_a_program_lists_by_tag_star_and_archive(alice: User, run: Run) -> None:
    other = Story().whole().save(alice, prompt="Something else?")
    ask(alice, "patch", f"/v1/runs/{run.pk}", {"tags": ["one"], "starred": True, "archived": True})

    def found(query: str) -> set[str]:
        return {one["id"] for one in ask(alice, "get", f"/v1/runs{query}").json()["data"]}

    both = {str(run.pk), str(other.pk)}
    assert found("") == both
    for query in ("?tag=one", "?starred=true", "?archived=true", "?tag=one&starred=true&own=true"):
        assert found(query) == {str(run.pk)}
    assert found("?archived=false") == {str(other.pk)} and found("?tag=two") == set()


def test_a_program_deletes_its_owner_s_runs(alice: User, bob: User, run: Run) -> None:
    path = f"/v1/runs/{run.pk}"
    assert ask(bob, "delete", path).status_code == ask(bob, "patch", path, {}).status_code == 404
    only_started = {"scopes": ["run"]}
    assert ask(alice, "delete", path, **only_started).status_code == 404
    assert ask(alice, "delete", path, scopes=["read"]).status_code == 403
    gone = ask(alice, "delete", path)
    assert gone.status_code == 204 and gone.content == b""
    assert ask(alice, "delete", path).status_code == ask(alice, "get", path).status_code == 404
    assert ask(alice, "get", "/v1/runs").json()["data"] == []
