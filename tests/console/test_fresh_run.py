"""What it costs from the question to the end: the page of a run that has just begun, and what its
end brings. Between them there are only frames."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.engine.state import RunStatus
from console.fragments import renderings
from console.models import Run
from console.services.habits import history

from .story import Story

pytestmark = pytest.mark.database

# Who asks (2), the run, its thread, its fusions and its calls, and of the header how many
# are under way.
QUERIES = 8
# Its end also brings what another fusion may cost, by the prices of all who would be asked (2),
# what was found best, and presets to fuse again by.
AT_ITS_END = 12
LONG = "A long answer, and everything in it is *said*.\n\n" * 400


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    history()  # what calls usually use is looked up once a minute, for every page
    return client


def asked(client: Client, run: Run, **how: Any) -> tuple[str, int]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/fusion/runs/{run.pk}", **how)
    assert answer.status_code == 200
    return answer.content.decode(), len(queries)


def test_the_page_of_a_fresh_run_is_small(signed_in: Client, alice: User) -> None:
    fresh, queries = asked(signed_in, Story().save(alice))
    assert queries <= QUERIES
    ended, _ = asked(signed_in, Story().whole(answer=LONG).save(alice))
    # It waits for its frames: no text, no claim, nothing of what follows an end.
    assert len(fresh.encode()) < 30_000 < len(ended.encode())
    for place in ('data-text="seat-0"', 'data-text="fused"'):
        assert f"{place}><div data-final></div><div data-block></div>" in fresh
    assert 'id="follow-prompt"' not in fresh and "worth" not in fresh


def test_its_end_brings_what_follows_and_renders_no_text_again(
    signed_in: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    render = renderings.rendered._make

    def counted(text: str, **beside: Any) -> Any:
        rendered.append(text)
        return render(text, **beside)

    monkeypatch.setattr(renderings.rendered, "_make", counted)
    run = Story().whole(answer=LONG, fused=LONG).save(alice)
    assert run.status == RunStatus.COMPLETED
    part, queries = asked(signed_in, run, headers={"HX-Request": "true"})
    assert queries <= AT_ITS_END
    assert rendered == []
    assert "<main" not in part and "A long answer" not in part
    assert 'id="follow-prompt"' in part and 'id="afterwards"' in part
    page, _ = asked(signed_in, run)
    assert page.count("A long answer") >= 400
    assert rendered, "the page itself has them"


def test_a_run_that_goes_on_from_another_still_names_it(signed_in: Client, alice: User) -> None:
    first = Story().whole().save(alice)
    second = Story().save(alice, follows=first, follows_from="fused")
    page, queries = asked(signed_in, second)
    assert f'Follow-up 1 of <a href="/fusion/runs/{first.pk}"' in page
    assert queries <= QUERIES
