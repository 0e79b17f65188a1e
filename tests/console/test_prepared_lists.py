"""A list's SQL that is made once says what it says when it is made for who reads."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models.sql.compiler import SQLCompiler

from console.models import Run, Visibility
from console.pages.starting import start_context
from console.pages.views import questions, rows
from console.record.newest import Bookmark, _next_of
from console.services.lately import presets_used_lately
from console.services.prompts import asked_before, prompt_save

from .story import a_spec

pytestmark = pytest.mark.database
LISTS = {"rows": rows._ROWS, "questions": questions._QUESTIONS}


def asked_by(owner: User, visibility: str = Visibility.PRIVATE) -> Run:
    return Run.objects.create(
        owner=owner, visibility=visibility, prompt="Why?", messages=[], spec=a_spec().to_dict(),
        preset="quality", preset_name="Quality",
    )  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_it_is_the_query_of_who_reads(name: str, alice: User, bob: User) -> None:
    kept = LISTS[name]
    mark = Bookmark.of(asked_by(alice))
    for reader in (alice, bob):
        given = {"reader": reader.pk, "moment": mark.moment, "run": mark.run}
        for before, after in ((None, None), (mark, None), (None, mark)):
            queries = kept._queries(3, before is not None, after is not None)
            meant = _next_of(kept._branches_of(reader), 3, before, after)
            for query, plain in zip(queries, meant, strict=True):
                assert query.rows(**given) == [*plain]
                sql, params = plain.query.sql_with_params()
                made = query._read[connection.vendor][2]
                assert made.sql.replace("(%s)", "%s") == sql.replace("(%s)", "%s")
                assert made.filled(given, connection) == [*params]


def test_of_one_query_each_reader_has_their_own_list(
    monkeypatch: pytest.MonkeyPatch, alice: User, bob: User, ada: User
) -> None:
    assert not (presets_used_lately(ada) or asked_before(ada))
    templates = {r: prompt_save(by=r, name=r.username, text="Why?") for r in (alice, bob)}
    for reader in (alice, ada, bob):
        own = [templates[reader]] if reader in templates else []
        assert start_context(reader)["templates"] == own
    private = {reader.pk: asked_by(reader) for reader in (alice, bob)}
    shared = asked_by(alice, Visibility.TEAM)
    for reader in (alice, bob, ada, bob, alice):
        own = [private[reader.pk]] if reader.pk in private else []
        for read in (rows.page_of_rows, questions.page_of_questions):
            page = read(reader, 5)
            assert page.runs == [shared, *own] and page.runs[0].owner == alice
            assert not page.older and [run.prompt for run in page.runs] == ["Why?"] * len(page.runs)
    page = questions.page_of_questions(alice, 1)
    older = questions.page_of_questions(alice, 1, before=page.older)
    assert page.runs == [shared] and older.runs == [private[alice.pk]]
    assert questions.page_of_questions(alice, 1, after=older.newer).runs == [shared]
    with monkeypatch.context() as patched:
        patched.setattr(SQLCompiler, "as_sql", None)  # nothing is made anew
        assert questions.page_of_questions(bob, 5).runs == [shared, private[bob.pk]]
        assert start_context(bob)["templates"] == [templates[bob]]
        assert presets_used_lately(bob) == ["quality"]
        assert [one.run_id for one in asked_before(alice)] == [shared.pk]
    alice.is_active = False
    for nobody in (alice, AnonymousUser()):
        assert rows.page_of_rows(nobody, 5).runs == []
        assert questions.page_of_questions(nobody, 5).runs == []
