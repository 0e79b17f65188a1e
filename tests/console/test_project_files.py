"""Files of a project: who adds them, who gets at them, and what is found in them."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from console.api.http.bodies import largest
from console.engine.spec import Research
from console.files.store import path_of, remove_unused
from console.models import File, Project, ProjectFile, SearchEntry
from console.search import find, read_query
from console.search.of_files import find_in_files
from console.services.attaching import file_bring
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.project_files import looked_into, project_file_add, project_file_remove
from console.services.projects import project_delete, project_save
from console.services.runs import run_start

from .story import Story, a_spec

pytestmark = pytest.mark.database

RULES = "".join(
    f"{rule}\n" * 40
    for rule in (
        "Invoices are sent on the first working day.",
        "A reminder costs five euros, a second one ten.",
        "Les résumés sont gardés dix ans. 退款需要七天。",
    )
)


@pytest.fixture
def project(alice: User, settings: Settings, tmp_path: Any) -> Project:
    settings.FILES_DIR = str(tmp_path)
    return project_save(by=alice, name="Billing")


def added(project: Project, by: User, text: str = RULES, name: str = "rules.md") -> ProjectFile:
    return project_file_add(project=project, file=file_bring(name=name, data=text.encode()), by=by)


def test_files_are_added_on_its_page_by_who_may_change_it(
    client: Client, project: Project, alice: User, bob: User, charlie: User, ada: User
) -> None:
    path = f"/fusion/projects/{project.slug}/files"
    statuses = {}
    for user in (alice, bob, ada):
        client.force_login(user)
        upload = BytesIO(f"Written by {user}.".encode())
        upload.name = f"{user}.txt"
        statuses[user] = client.post(path, {"files": upload}).status_code
    assert statuses == {alice: 302, bob: 404, ada: 302}
    file = ProjectFile.objects.get(added_by=alice)
    page = client.get(f"/fusion/projects/{project.slug}").content.decode()
    assert "alice.txt" in page and "ada.txt" in page
    assert file.address == f"http://testserver/fusion/projects/{project.slug}/files/{file.pk}"
    client.force_login(bob)
    got = client.get(f"{path}/{file.pk}")
    assert got.content == b"Written by alice."
    assert got["Content-Disposition"].startswith("attachment") and "sandbox" in str(got.headers)
    assert "Take away" not in client.get(f"/fusion/projects/{project.slug}").content.decode()
    assert client.post(f"{path}/{file.pk}/remove").status_code == 404
    other = project_save(by=bob, name="Other")
    assert client.post(f"/fusion/projects/{other.slug}/files/{file.pk}/remove").status_code == 404
    assert Client().get(f"{path}/{file.pk}").status_code == 302
    client.force_login(alice)
    assert client.post(f"{path}/{file.pk}/remove").status_code == 302
    assert not ProjectFile.objects.filter(pk=file.pk).exists()


def test_a_form_with_files_may_be_as_large_as_they_may(settings: Settings) -> None:
    for path in (
        reverse("project-file-add", args=["billing-2"]),
        reverse("run-follow", args=[uuid.uuid4()]),
        reverse("file-bring"),
    ):
        assert largest(path) > settings.FILE_BYTES, path
    assert largest(reverse("project-edit", args=["billing-2"])) < settings.FILE_BYTES


def test_a_project_s_files_take_no_room_of_those_that_nobody_asked_about(
    project: Project, settings: Settings, alice: User
) -> None:
    settings.UNASKED_BYTES = settings.UNASKED_SITE_BYTES = 100
    brought = file_bring(name="rules.md", data=RULES.encode(), by=alice)
    with pytest.raises(Refused, match="nothing was"):
        file_bring(name="more.md", data=b"More.", by=alice)
    project_file_add(project=project, file=brought, by=alice)
    assert file_bring(name="more.md", data=b"More.", by=alice)


def test_what_has_no_words_is_there_or_is_too_much_is_refused(
    project: Project, alice: User, settings: Settings
) -> None:
    added(project, alice)
    with pytest.raises(Refused, match="“rules.md” is there already"):
        added(project, alice)
    with pytest.raises(Refused, match="no text that can be looked up"):
        added(project, alice, " \n", "empty.txt")
    settings.PROJECT_FILES_BYTES = 10
    with pytest.raises(Refused, match="at most 0 MB together"):
        added(project, alice, "More.", "more.txt")


def test_its_words_are_found_in_its_project_alone_and_in_no_list(
    project: Project, alice: User
) -> None:
    file = added(project, alice)
    other = added(project_save(by=alice, name="Other"), alice, "Reminders are free.", "o.txt")
    for words, is_found in (
        ("how much is a second reminder", True),
        ("RESUMES gardes", True),
        ("退款", True),
        ("zeppelin", False),
    ):
        found = find_in_files(project.pk, words, 8)
        assert {one.file for one in found} == ({file.pk} if is_found else set()), words
    assert find_in_files(other.project_id, "free", 8)[0].file == other.pk
    assert not find(alice, read_query("reminder"), count=9).hits


def test_the_likeliest_part_comes_first(project: Project, alice: User) -> None:
    lines = [f"Line {n} says nothing." for n in range(400)]
    lines[333] = "The zebra crossing opens at nine; nothing else opens."
    file = added(project, alice, "\n".join(lines), "long.txt")
    first, *_ = find_in_files(project.pk, "when does the zebra crossing say it opens", 8)
    entry = SearchEntry.objects.get(kind="project-file", object=str(file.pk), part=first.part)
    assert "zebra" in entry.rest


def test_a_file_is_gone_with_its_project_and_its_bytes_with_their_last_use(
    project: Project, alice: User
) -> None:
    gone, kept = added(project, alice, "One.", "1.txt"), added(project, alice, "Two.", "2.txt")
    assert remove_unused(now=True) == 0
    project_file_remove(file=gone)
    assert remove_unused(now=True) == 1 and not path_of(gone.file_id).exists()
    assert path_of(kept.file_id).exists()
    project_delete(project=project)
    assert not SearchEntry.objects.filter(kind="project-file").exists()
    assert remove_unused(now=True) == 1 and not File.objects.exists()


def test_runs_of_a_project_with_files_look_into_them(project: Project, alice: User) -> None:
    assert looked_into(a_spec(), project).research is None
    file = added(project, alice)
    assert looked_into(a_spec(), project).research == Research(way="files")
    web = a_spec(research=Research())
    assert looked_into(web, project).research == Research()
    run = run_start(owner=alice, prompt="Why?", spec=a_spec(), project=project)
    assert run.frozen_spec.research == Research(way="files")
    assert run_start(owner=alice, prompt="Why?", spec=a_spec()).frozen_spec.research is None
    told = Story(run.frozen_spec).whole().save(alice, project=project)
    project_file_remove(file=file)
    after = run_follow(run=told, owner=alice, prompt="And then?")
    assert after.frozen_spec.research is None
