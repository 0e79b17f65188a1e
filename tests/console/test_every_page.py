"""Every address of the console, asked by everybody; a new one must be entered here.

The admin's are followed from link to link in test_admin_access.py, and each page's own
tests say what is on it.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from console.models import OwnPreset, Project, PromptTemplate, Run
from console.services.offering import kept_offer
from console.urls import urlpatterns

from .story import Story

pytestmark = pytest.mark.database

VISITOR, CHARLIE, BOB, ALICE, ADA = PEOPLE = ("visitor", "charlie", "bob", "alice", "ada")
SIGN_IN, THERE, HOME, NOWHERE, GONE = "sign-in", 200, "/fusion", 404, 410
# What is done by a form's POST and is no page: nobody finds anything by looking.
DONE = {
    *(
        "run-verdict",
        "run-cancel",
        "run-share",
        "run-order",
        "run-delete",
        "run-put-back",
        "runs-chosen",
        "run-fuse-now",
        "run-fuse",
        "run-go-on",
        "fusion-poll",
        "run-follow",
        "run-ask-again",
    ),
    *("seat-add", "seat-stop", "seat-ask", "token-revoke", "sign-out"),
    *("first-key", "sample-away", "preset-renew", "preset-mend", "file-bring", "file-text"),
    *("preset-offer", "preset-copy", "prompt-offer", "model-star"),
    *("project-file-add", "project-file-remove", "claim-look-up", "source-read"),
}
# For machines, the same for everybody. (Redis is away here.)
MACHINES = {"healthz": THERE, "readyz": 503, "robots": THERE, "claim": NOWHERE}
MEMBERS = {VISITOR: SIGN_IN, CHARLIE: SIGN_IN, BOB: THERE, ALICE: THERE, ADA: THERE}
PAGES: dict[str, dict[str, str | int]] = {
    "console": MEMBERS,
    # Without a ticket there is nothing to look at.
    "file-small": MEMBERS | dict.fromkeys((BOB, ALICE, ADA), NOWHERE),
    "run-list": MEMBERS,
    "runs-under-way": MEMBERS,
    "run-import": MEMBERS,
    "preset-list": MEMBERS,
    "preset-new": MEMBERS,
    "model-list": MEMBERS,
    "project-list": MEMBERS,
    "project-new": MEMBERS,
    "prompt-list": MEMBERS,
    "prompt-new": MEMBERS,
    "run-deleted": MEMBERS,
    "others": MEMBERS,
    "tokens": MEMBERS,
    "budgets": MEMBERS,
    "budgets-file": MEMBERS,
    "password": MEMBERS,
    "keys": MEMBERS | {BOB: 403, ALICE: 403},
    "servers": MEMBERS | {BOB: "/fusion/keys", ALICE: "/fusion/keys"},
    "sign-in": {VISITOR: THERE, CHARLIE: THERE, BOB: HOME, ALICE: HOME, ADA: HOME},
    **{name: dict.fromkeys(PEOPLE, status) for name, status in MACHINES.items()},
}
RUN_PAGES = ("run-detail", "run-compare", "run-export", "run-receipt")
SHARED_PAGES = ("run-shared", "shared-compare", "shared-export")
# Of a preset that alice has saved.
OWN_PRESET_PAGES = ("preset-edit", "preset-delete", "preset-versions")
# Of a template that alice keeps.
PROMPT_PAGES = ("prompt-edit", "prompt-delete")
# Of a project that alice has made.
PROJECT_PAGES = {
    "project-detail": MEMBERS,
    "project-edit": MEMBERS | {BOB: NOWHERE},
    "project-delete": MEMBERS | {BOB: NOWHERE},
}
HERS = MEMBERS | {BOB: NOWHERE, ADA: NOWHERE}
RUNS: dict[str, dict[str, str | int]] = {
    "private": MEMBERS | {BOB: NOWHERE, ADA: NOWHERE},
    "link": MEMBERS | {BOB: NOWHERE, ADA: NOWHERE},
    "team": MEMBERS,
}


@pytest.fixture
def readers(alice: User, bob: User, charlie: User, ada: User) -> dict[str, Client]:
    """charlie was signed in when the account was deactivated."""
    clients = {name: Client() for name in PEOPLE}
    User.objects.filter(pk=charlie.pk).update(is_active=True)
    for user in User.objects.filter(username__in=PEOPLE):
        clients[user.username].force_login(user)
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    return clients


def found(client: Client, path: str) -> str | int:
    response = client.get(path)
    if response.status_code != 302:
        return response.status_code
    to: str = response["Location"].partition("?")[0]
    return SIGN_IN if to == reverse("sign-in") else to


def everybody(readers: dict[str, Client], path: str) -> dict[str, str | int]:
    return {name: found(client, path) for name, client in readers.items()}


def arguments(pattern: URLPattern, run: Run) -> dict[str, object]:
    values = {
        "run_id": run.pk,
        "number": 1,
        "seat": 0,
        "token": "none",
        "token_id": 1,
        "prompt_id": 1,
        "file_id": 1,
        "slug": "quality",
        "act": run.pk,
    }
    return {name: values[name] for name in pattern.pattern.converters}


def test_every_address_is_known_here() -> None:
    names = {p.name for p in urlpatterns if isinstance(p, URLPattern) and p.name}
    frames = {"run-frames", "shared-frames"}  # tests/live/test_asking_for_frames.py
    files = {
        "file-of-run",
        "file-thumbnail",
        "project-file",
    }  # test_files.py, test_project_files.py
    of_sources = {"run-source"}  # tests/console/test_run_source.py
    elsewhere = {*frames, *files, *of_sources}
    of_one = {*RUN_PAGES, *SHARED_PAGES, *OWN_PRESET_PAGES, *PROMPT_PAGES, *PROJECT_PAGES}
    assert names == {*PAGES, *DONE, *elsewhere, *of_one}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_for_whom_it_is_meant(readers: dict[str, Client], page: str) -> None:
    path = reverse(page, kwargs={"token": "none"} if page == "claim" else None)
    assert everybody(readers, path) == PAGES[page]


@pytest.mark.parametrize("page", OWN_PRESET_PAGES)
def test_a_saved_preset_is_its_owners(readers: dict[str, Client], alice: User, page: str) -> None:
    made = OwnPreset.objects.create(owner=alice, slug="alice-mine", name="Mine", content={})
    assert everybody(readers, reverse(page, args=[made.slug])) == HERS


@pytest.mark.parametrize("page", PROMPT_PAGES)
def test_a_template_is_its_owners_and_once_offered_the_admins_too(
    readers: dict[str, Client], alice: User, page: str
) -> None:
    made = PromptTemplate.objects.create(owner=alice, name="Mine", text="Why?")
    path = reverse(page, args=[made.pk])
    assert everybody(readers, path) == HERS
    kept_offer(kept=made, is_offered=True)
    assert everybody(readers, path) == HERS | {ADA: THERE}


@pytest.mark.parametrize("page", PROJECT_PAGES)
def test_a_project_is_the_teams_and_changed_by_who_made_it(
    readers: dict[str, Client], alice: User, page: str
) -> None:
    made = Project.objects.create(made_by=alice, slug="mine", name="Mine")
    assert everybody(readers, reverse(page, args=[made.slug])) == PROJECT_PAGES[page]


@pytest.mark.parametrize("visibility", RUNS)
def test_a_run_is_for_whom_its_owner_lets_see_it(
    readers: dict[str, Client], alice: User, visibility: str
) -> None:
    run = Story().whole().save(alice, visibility=visibility, share_token="by-link")
    for page in RUN_PAGES:
        assert everybody(readers, reverse(page, args=[run.pk])) == RUNS[visibility]
    shared = THERE if visibility == "link" else GONE
    for page in SHARED_PAGES:
        by_link = everybody(readers, reverse(page, args=["by-link"]))
        assert by_link == dict.fromkeys(PEOPLE, shared)


def test_nothing_is_done_by_looking(readers: dict[str, Client], alice: User) -> None:
    run = Story().begin().save(alice)
    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern) and pattern.name in DONE:
            path = reverse(pattern.name, kwargs=arguments(pattern, run))
            seen = set(everybody(readers, path).values())
            assert seen <= {405, SIGN_IN, NOWHERE}, f"{path}: {seen}"
    run.refresh_from_db()
    assert run.cancel_requested_at is run.fuse_requested_at is None
