"""Files that go with a question: attached, shown to whoever it is shown, gone with its last run."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from console.api.http.bodies import largest
from console.api.http.errors import ApiError
from console.api.planning.conversation import conversation
from console.api.planning.schemas import ChatMessage, Part
from console.engine.attachments import amount
from console.files.attached import attached_to
from console.files.store import path_of, remove_unused
from console.models import Call, CatalogModel, Credential, File, Run, RunFile
from console.record.asked import Followed, asked
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.attaching import ToAttach, file_bring, files_of
from tests.files import making

from .story import Story, link_to

pytestmark = pytest.mark.database


@pytest.fixture
def page(client: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
    client.force_login(alice)
    return client


def upload(data: bytes, name: str = "report.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def bring(client: Client, *files: SimpleUploadedFile) -> Any:
    return client.post("/fusion/files", {"files": files})


def tickets(response: Any) -> list[str]:
    return re.findall(r'name="attached" value="([^"]+)"', response.content.decode())


def ask(client: Client, **fields: Any) -> Any:
    form = {"prompt": "What is it?", "preset": "quality", "client_run_id": str(uuid.uuid4())}
    return client.post("/fusion", form | fields)


def attached(run: Run, data: bytes, name: str, number: int = 1) -> RunFile:
    file = file_bring(name=name, data=data)
    return RunFile.objects.create(run=run, file_id=file.hash, name=name, number=number)


def test_a_file_is_brought_and_its_chip_names_it(page: Client) -> None:
    response = bring(page, upload(making.pdf(["Rain."] * 12), "C:\\x\\report.pdf"))
    html = response.content.decode()
    assert response.status_code == 200
    assert ">report.pdf<" in html and "PDF, 12 pages" in html
    assert len(tickets(response)) == 1


def test_what_cannot_be_read_is_said_and_is_no_chip(page: Client) -> None:
    response = bring(page, upload(b"%PDF-1.4 broken"), upload(making.picture(), "photo.png"))
    assert response.status_code == 422
    assert "“report.pdf” is no PDF that can be read" in response.content.decode()
    assert len(tickets(response)) == 1


def test_nobody_brings_files_who_has_not_signed_in_or_comes_from_elsewhere(alice: User) -> None:
    stranger = Client(enforce_csrf_checks=True)
    assert bring(stranger, upload(b"x", "a.txt"))["Location"].startswith("/sign-in")
    stranger.force_login(alice)
    assert bring(stranger, upload(b"x", "a.txt")).status_code == 403
    assert not File.objects.exists()


def test_what_is_too_large_is_refused_with_its_limit(page: Client, settings: Any) -> None:
    settings.FILE_BYTES = 1_000_000
    response = bring(page, upload(b"x" * 1_000_001, "long.txt"))
    assert "“long.txt” is too large: a file may have 1 MB." in response.content.decode()


def test_a_question_is_asked_about_what_was_attached(page: Client) -> None:
    named = tickets(
        bring(page, upload(b"Rain is wet.", "a.txt"), upload(making.picture(), "b.png"))
    )
    response = ask(page, attached=named)
    run = Run.objects.get()
    assert response["Location"] == f"/fusion/runs/{run.pk}"
    parts = run.messages[0]["content"]
    assert [part["type"] for part in parts] == ["file", "file", "text"]
    assert (run.prompt, parts[2]["text"]) == ("What is it?", "What is it?")
    assert [(row.number, row.name) for row in run.files.all()] == [(1, "a.txt"), (2, "b.png")]
    html = page.get(response["Location"]).content.decode()
    assert f"/fusion/runs/{run.pk}/files/1" in html and "b.png" in html
    assert f"/fusion/runs/{run.pk}/files/2/thumbnail" in html


def test_a_pdf_shows_its_first_page_and_a_text_none(client: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    attached(run, making.pdf(["Rain"]), "report.pdf")
    attached(run, b"Rain", "a.txt", number=2)
    client.force_login(alice)
    first, second = (client.get(reverse("file-thumbnail", args=[run.pk, n])) for n in (1, 2))
    assert (first.status_code, first["Content-Type"]) == (200, "image/jpeg")
    assert second.status_code == 404
    follow_up = Story().whole().save(alice, follows=run)
    RunFile.objects.create(run=follow_up, file=run.files.get(number=1).file, name="r.pdf", number=1)
    html = client.get(f"/fusion/runs/{follow_up.pk}").content.decode()
    assert f"/fusion/runs/{follow_up.pk}/files/1/thumbnail" in html


def test_who_takes_no_pictures_is_asked_without_what_was_scanned(page: Client) -> None:
    kinds = {"image": ["text", "image"], "file": ["text", "file"], "none": ["text"]}
    scan = file_bring(name="scan.pdf", data=making.scanned(2))
    text = file_bring(name="a.pdf", data=making.pdf(["Rain is wet, and it falls all day long."]))
    assert [scan.can_be_taken(frozenset(kinds[k])) for k in kinds] == [True, True, False]
    assert all(text.can_be_taken(frozenset(kinds[k])) for k in kinds)


def test_a_follow_up_has_files_of_its_own_beside_those_from_before(
    page: Client, alice: User
) -> None:
    before = Story().whole().save(alice)
    attached(before, b"Rain is wet.", "before.txt")
    address = f"/fusion/runs/{before.pk}/follow"
    [ticket] = tickets(bring(page, upload(making.picture(), "photo.png")))
    form = {"prompt": "And this?", "client_run_id": str(uuid.uuid4())}
    sent = page.post(address, form | {"attached": ticket, "files": upload(b"Sun is dry.", "b.txt")})
    run = before.followed_by.get()
    assert sent["Location"] == f"/fusion/runs/{run.pk}"
    rows = [(row.name, row.is_earlier) for row in run.files.all()]
    assert rows == [("before.txt", True), ("photo.png", False), ("b.txt", False)]
    hashes = [row.file_id for row in run.files.all()]
    last = asked(run).messages[-1]["content"]
    assert last == [
        {"type": "file", "hash": hashes[1]},
        {"type": "file", "hash": hashes[2]},
        {"type": "text", "text": "And this?"},
    ]
    # Sent twice it is one; with another file it is another.
    page.post(address, form | {"attached": ticket, "files": upload(b"Sun is dry.", "b.txt")})
    assert before.followed_by.count() == 1
    page.post(address, form | {"attached": ticket})
    assert before.followed_by.count() == 2
    # Whoever goes on from there is asked with all of them in their places.
    key = str(before.calls.filter(step="synthesis").values_list("key", flat=True)[0])
    said = {"key": key, "step": "synthesis", "number": 1, "text": "It is dry.", "panelist": {}}
    Call.objects.create(run=run, **said)
    followed = Followed((key,), fusion=1).to_dict()
    how = {"follows_calls": followed, "prompt": "Why?", "messages": [], "spec": run.spec}
    after = run.followed_by.create(**how)
    on = asked(after).messages
    assert [message["role"] for message in on] == ["user", "assistant"] * 2 + ["user"]
    assert (on[2]["content"], on[4]["content"]) == (last, "Why?")


def test_a_follow_up_with_a_file_that_is_refused_is_not_asked_and_keeps_what_was_written(
    page: Client, alice: User
) -> None:
    before = Story().whole().save(alice)
    form = {"prompt": "And this?", "files": upload(b"MZ\x00", "run.exe")}
    sent = page.post(f"/fusion/runs/{before.pk}/follow", form)
    html = sent.content.decode()
    assert sent.status_code == 422 and "“run.exe” is a program." in html and "And this?" in html
    assert not before.followed_by.exists()
    assert largest(f"/fusion/runs/{before.pk}/follow") > largest(f"/fusion/runs/{before.pk}/fuse")
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(alice)
    assert stranger.post(f"/fusion/runs/{before.pk}/follow", form).status_code == 403


def test_without_scripts_the_form_brings_the_files_itself(page: Client) -> None:
    assert 'type="file" name="files" multiple' in page.get("/fusion").content.decode()
    ask(page, files=[upload(b"Rain is wet.", "a.txt")])
    assert [row.name for row in Run.objects.get().files.all()] == ["a.txt"]


def test_a_form_with_a_broken_file_comes_back_with_the_others(page: Client) -> None:
    named = tickets(bring(page, upload(b"Rain is wet.", "a.txt")))
    response = ask(page, attached=named, files=[upload(b"MZ\x00", "b.exe")])
    html = response.content.decode()
    assert response.status_code == 422 and "“b.exe” is a program." in html
    assert "What is it?" in html and len(tickets(response)) == 1
    assert not Run.objects.exists()


def test_what_nobody_asks_about_has_a_limit_for_each_and_for_all(
    page: Client, alice: User, bob: User, settings: Any
) -> None:
    settings.UNASKED_BYTES, settings.UNASKED_SITE_BYTES = 1_000, 2_500
    [first] = tickets(bring(page, upload(b"x" * 1_200, "a.txt")))
    assert len(tickets(bring(page, upload(b"x" * 1_200, "a.txt")))) == 0
    refused = bring(page, upload(b"y" * 10, "b.txt")).content.decode()
    assert "nothing was asked about" in refused
    page.force_login(bob)
    assert len(tickets(bring(page, upload(b"z" * 1_400, "c.txt")))) == 1
    ada_too = bring(page, upload(b"w" * 10, "d.txt")).content.decode()
    assert "nothing was asked about" in ada_too
    page.force_login(alice)
    # What is asked about counts no more; what was taken away neither.
    ask(page, attached=[first])
    assert len(tickets(bring(page, upload(b"y" * 900, "b.txt")))) == 1
    User.objects.filter(pk=bob.pk).delete()
    settings.UNASKED_SITE_BYTES = 2_000
    assert "No file can be attached now" in bring(page, upload(b"v", "e.txt")).content.decode()
    remove_unused(now=True)
    assert len(tickets(bring(page, upload(b"v", "e.txt")))) == 1


def test_nobody_attaches_what_another_has_brought(page: Client, bob: User) -> None:
    named = tickets(bring(page, upload(b"Of alice.", "a.txt")))
    page.force_login(bob)
    ask(page, attached=named)
    assert not RunFile.objects.exists()
    assert ask(page, attached=["made-up"]).status_code == 422


def test_files_are_for_whoever_may_read_the_run(
    client: Client, alice: User, bob: User, charlie: User, ada: User
) -> None:
    run = Story().whole().save(alice, visibility="private")
    attached(run, making.picture(), "photo.png")
    pages = [reverse(name, args=[run.pk, 1]) for name in ("file-of-run", "file-thumbnail")]

    def seen(path: str) -> list[int]:
        found = []
        for person in (alice, bob, ada, charlie):
            client.force_login(person)
            found.append(client.get(path).status_code)
        return found

    for path in pages:
        assert seen(path) == [200, 404, 404, 302]
    Run.objects.update(visibility="team")
    for path in pages:
        assert seen(path) == [200, 200, 200, 302]
    client.force_login(alice)
    assert client.get(reverse("file-of-run", args=[run.pk, 2])).status_code == 404


@pytest.mark.parametrize(
    ("data", "name", "type", "how"),
    [
        (making.picture() + b"<script>", "a.html", "image/png", "inline"),
        (
            b"<svg><script>alert(1)</script></svg>",
            "a.svg",
            "application/octet-stream",
            "attachment",
        ),
        (b"<script>alert(1)</script>", "a.html", "application/octet-stream", "attachment"),
        (making.pdf(["x"]), "a.pdf", "application/octet-stream", "attachment"),
    ],
)
def test_nothing_that_a_browser_would_run_is_served_to_be_run(
    client: Client, alice: User, data: bytes, name: str, type: str, how: str
) -> None:
    run = Story().whole().save(alice)
    attached(run, data, name)
    client.force_login(alice)
    response = client.get(reverse("file-of-run", args=[run.pk, 1]))
    assert response.content == data
    assert response["Content-Type"] == type
    assert response["Content-Disposition"] == f"{how}; filename*=UTF-8''{name}"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_file_goes_with_the_last_run_that_has_it(alice: User) -> None:
    first, second = (Story().whole().save(alice) for _ in range(2))
    row = attached(first, making.picture(), "a.png")
    attached(second, making.picture(), "b.png")
    first.delete()
    assert (remove_unused(now=True), path_of(row.file_id).exists()) == (0, True)
    second.delete()
    assert remove_unused() == 0  # somebody may just be attaching it again
    assert remove_unused(now=True) == 1
    kinds = ("bytes", "text", "thumbnail")
    assert not any(path_of(row.file_id, kind).exists() for kind in kinds)
    assert not File.objects.exists()


def test_who_cannot_see_is_named_before_anything_is_asked(page: Client) -> None:
    named = tickets(bring(page, upload(making.picture(), "photo.png")))
    router = Credential.objects.get(slug="openrouter")
    CatalogModel.objects.create(credential=router, model="sees", inputs=["text", "image"])
    CatalogModel.objects.create(credential=router, model="blind", inputs=["text"])
    form = {
        "preset": "custom",
        "panel": ["openrouter:sees", "openrouter:blind"],
        "judge": "openrouter:sees",
        "attached": named,
        "prompt": "What is it?",
    }
    html = page.post("/fusion?quote", form, headers={"HX-Request": "true"}).content.decode()
    assert "B (blind) takes no pictures and is asked without “photo.png”." in html
    assert '<data class="seat-blind" value="1" hidden>takes no pictures: not “photo.png”<' in html
    form |= {"as_text": ["1", "9", "x"]}
    html = page.post("/fusion?quote", form, headers={"HX-Request": "true"}).content.decode()
    assert "seat-blind" not in html and "is asked without" not in html
    assert '<data class="seat-textual" value="1" hidden>gets text instead of “photo.png”<' in html
    # It is kept with the run, and with who asks it again.
    ask(page, **form)
    run = Run.objects.get()
    assert [row.as_text for row in run.files.all()] == [[1]]
    assert [file.as_text for file in files_of(run)] == [frozenset({1})]
    assert attached_to(run.pk)[named_hash(run)].as_text == frozenset({1})


def named_hash(run: Run) -> str:
    return str(run.files.values_list("file_id", flat=True)[0])


def test_what_was_brought_is_shown_small_to_who_brought_it(page: Client, bob: User) -> None:
    html = bring(page, upload(making.picture(), "photo.png"), upload(b"x", "a.txt")).content
    [address] = re.findall(r'src="(/fusion/files/small[^"]+)" alt="" width="24"', html.decode())
    served = page.get(address)
    assert served["Content-Type"] == "image/png" and served.content[:4] == b"\x89PNG"
    page.force_login(bob)
    assert page.get(address).status_code == 404
    assert page.get("/fusion/files/small?of=made-up").status_code == 404


def test_what_is_taken_along_names_the_files(client: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    row = attached(run, making.pdf(["Rain."]), "report.pdf")
    content = [{"type": "file", "hash": row.file_id}, {"type": "text", "text": run.prompt}]
    Run.objects.update(messages=[{"role": "user", "content": content}])
    client.force_login(alice)
    for form in ("md", "html"):
        taken = client.get(f"/fusion/runs/{run.pk}/export?format={form}").content.decode()
        assert "Attached: “report.pdf” (PDF, 1 page)" in taken


def with_files(alice: User, **fields: Any) -> Run:
    """Asked about a report and two pictures of one name, of which B takes none."""
    story = Story().whole()
    report = {"name": "report.pdf", "type": "application/pdf", "given": "text"}
    photo = {"name": "photo.png", "type": "image/png", "given": "as_it_is"}
    blind = photo | {"given": "not_given", "why": "it takes no pictures"}
    calls = story.state.calls
    calls["panel-0-1"].files = [report | {"shown": "page 1 of 2, which fits"}, photo, photo]
    calls["panel-1-1"].files = [report, blind, photo]
    run = story.save(alice, **fields)
    attached(run, making.pdf(["Rain."]), "report.pdf")
    attached(run, making.picture(), "photo.png", number=2)
    row = attached(run, making.picture(41, 30), "photo.png", number=3)
    content = [{"type": "file", "hash": row.file_id}, {"type": "text", "text": run.prompt}]
    Run.objects.filter(pk=run.pk).update(messages=[{"role": "user", "content": content}])
    return Run.objects.get(pk=run.pk)


def in_sources(html: str) -> list[str]:
    _, _, listed = html.partition('<div id="source-files"')
    listed, _, _ = listed.partition("</ul>")
    items = listed.split("<li")[1:]
    return [" ".join(re.sub("<[^>]*>", " ", f"<li{item}").split()) for item in items]


def test_files_stand_among_the_sources_with_who_was_given_them(client: Client, alice: User) -> None:
    run = with_files(alice)
    client.force_login(alice)
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    sizes = [row.file.size for row in run.files.select_related("file")]
    assert in_sources(html) == [
        f"report.pdf PDF, 1 page, {amount(sizes[0])} A as text, page 1 of 2, which fits B as text",
        f"photo.png PNG, 40 × 30, {amount(sizes[1])} A as it is B not given: it takes no pictures",
        f"photo.png PNG, 41 × 30, {amount(sizes[2])} A B as it is",
    ]
    assert f'src="/fusion/runs/{run.pk}/files/2/thumbnail"' in html.partition("source-files")[2]
    assert 'data-part="sources"' in html
    assert (
        "source-files" not in client.get(f"/fusion/runs/{Story().save(alice).pk}").content.decode()
    )


def test_a_link_that_hides_the_prompt_hides_its_files(client: Client, alice: User) -> None:
    run = with_files(alice, visibility="link")
    link = link_to(run, "shown")
    html = client.get("/fusion/shared/shown").content.decode()
    assert len(in_sources(html)) == 3 and f"/fusion/runs/{run.pk}/files" not in html
    link.hides = ["costs", "prompt"]
    link.save()
    html = client.get("/fusion/shared/shown").content.decode()
    assert not in_sources(html) and "report.pdf" not in html


def test_programs_and_exports_are_told_who_was_given_a_file(client: Client, alice: User) -> None:
    run = with_files(alice)
    told = run_object(run, run.frozen_spec, state_from_rows(run)).model_dump(mode="json")["files"]
    first, second, _ = told
    rows = run.files.select_related("file")
    assert [(f["name"], f["hash"], f["bytes"]) for f in told] == [
        (row.name, row.file_id, row.file.size) for row in rows
    ]
    assert first["given"][0] == {
        "seat": "A",
        "given": "text",
        "shown": "page 1 of 2, which fits",
        "why": None,
    }
    assert [(g["seat"], g["given"]) for g in second["given"]] == [
        ("A", "as_it_is"),
        ("B", "not_given"),
    ]
    bare = Story().whole().save(alice)
    assert "files" not in run_object(bare, bare.frozen_spec, state_from_rows(bare)).model_dump()
    client.force_login(alice)
    for form in ("md", "html"):
        taken = client.get(f"/fusion/runs/{run.pk}/export?format={form}").content.decode()
        assert "A: as it is; B: not given: it takes no pictures" in taken


def test_a_follow_up_has_the_files_of_what_it_goes_on_from(client: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    attached(run, making.picture(), "photo.png")
    client.force_login(alice)
    client.post(f"/fusion/runs/{run.pk}/follow", {"prompt": "And then?"})
    after = Run.objects.get(follows=run)
    assert [(row.name, row.is_earlier) for row in after.files.all()] == [("photo.png", True)]
    assert "attached before" in client.get(f"/fusion/runs/{after.pk}").content.decode()
    run.delete()
    assert remove_unused(now=True) == 0


def test_of_a_program_s_files_no_more_are_read_than_go_with_a_question(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would have a process of its own."""
    kept = file_bring(name="notes.txt", data=b"Rain.")
    read: list[object] = []

    def file_of(part: object, *_: object, **__: object) -> ToAttach:
        read.append(part)
        return kept

    monkeypatch.setattr("console.api.planning.conversation.file_of", file_of)
    part = Part(type="file", file_data="data:;base64,eA==")
    asked = [ChatMessage(role="user", content=[part] * 11)]
    with pytest.raises(ApiError, match="At most 10 files go with a question"):
        conversation(asked, with_tools=True, owner=alice)
    assert len(read) == 10
