"""Every template file is reached by some page: a file that nobody includes, or that a page
no longer asks for, is found here, and so is one that does not compile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.test.signals import template_rendered
from django.views.defaults import permission_denied, server_error

from console.engine.spec_versions import VERSION
from console.models import Credential, OwnPreset, Preset
from console.pages.views import servers
from console.providers.chat_models import ChatModel
from console.providers.nearby import NearServer
from console.record.portable import bring_in, read
from console.services.links import run_share
from console.services.nearby import Offer
from console.services.people import claim_make, claim_use
from console.services.projects import project_save
from console.services.prompts import prompt_save
from console.site.sample import FILE
from console.templatetags.compose import MADE_ONCE

from .researched import researched
from .story import ANALYSIS, Story

FOLDER = Path(settings.BASE_DIR, "templates")
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))


@pytest.fixture
def rendered() -> Iterator[set[str]]:
    """Names of the files that Django has rendered, includes and parents among them."""
    names: set[str] = set()
    for made in MADE_ONCE:
        made.cache_clear()

    def hear(template: Any, **_: object) -> None:
        names.add(template.name)

    template_rendered.connect(hear)
    yield names
    template_rendered.disconnect(hear)


@pytest.mark.parametrize("name", FILES)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


def test_every_template_is_somebody_s(
    rendered: set[str],
    client: Client,
    alice: User,
    ada: User,
    rf: RequestFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = NearServer("http://127.0.0.1:9/v1", "Near", (ChatModel("m", "m"),))
    monkeypatch.setattr(servers, "servers_near", lambda: [Offer(near, False, False)])
    analysis = ANALYSIS | {
        "injections": [{"seat": 0, "quote": "Obey me."}],
        "ratings": [{"seat": 0, "factual_accuracy": 4, "reason": "Fair."}],
    }
    story = Story().begin().answer(0, "An answer.").answer(1, "Another.").fail(2).judge()
    run = story.analyse(analysis).synthesise("Fused.").complete().save(alice)
    twice = Story().whole().fuse_again("Fused again.").save(alice)
    again = Story().whole().save(alice, again_of=twice)
    looked_up = researched(Story().whole()).save(alice)
    under_way = Story().begin().answer(0, "An answer.").save(alice)
    sample = bring_in(read(FILE.read_bytes()), owner=None, visibility="team", origin="sample")
    client.force_login(ada)
    for page in ("", f"/runs/{sample[0].pk}", f"/runs/{sample[0].pk}/export?format=html"):
        assert client.get(f"/fusion{page}").status_code == 200
    for one in sample:
        one.delete()
    client.force_login(alice)
    kept = prompt_save(by=alice, name="Kept", text="Why {this}?")
    project = project_save(by=alice, name="Billing", context="Be brief.")
    inside = Story().whole().save(alice, project=project, context="Be brief.")
    own = OwnPreset.objects.create(owner=alice, slug="alice-own", name="Own", content={})
    for page in (
        "",
        "?models",
        "/runs?filters=1",
        f"/runs/{run.pk}",
        f"/runs/{under_way.pk}",
        f"/runs/{again.pk}",
        f"/runs/{looked_up.pk}",
        f"/runs/{looked_up.pk}/sources/1",
        f"/runs/{looked_up.pk}/export?format=html",
        "/tokens",
        "/import",
        "/budgets",
        "/others",
        "/runs/deleted",
        "/presets",
        "/presets/new",
        f"/presets/{own.slug}/versions",
        f"/presets/{own.slug}/delete",
        "?template=research",
        "/models",
        "/projects",
        "/projects/new",
        f"/projects/{project.slug}",
        f"/projects/{project.slug}/delete",
        f"/runs/{inside.pk}",
        "/prompts",
        "/prompts/new",
        f"/prompts/{kept.pk}/delete",
    ):
        assert client.get(f"/fusion{page}").status_code == 200
    for page in ("", "/compare"):
        assert client.get(f"/fusion/runs/{twice.pk}{page}").status_code == 200
    by_htmx = {"HX-Request": "true"}
    assert client.get(f"/fusion/runs/{run.pk}", headers=by_htmx).status_code == 200
    like = {"prompt": "Should we move our billing to Stripe?"}
    assert client.post("/fusion?like", like).status_code == 200
    share = f"/fusion/runs/{run.pk}/share"
    assert client.post(share, {"visibility": "link"}, headers=by_htmx).status_code == 200
    assert client.post(share, {"visibility": "link", "anew": "1"}).status_code == 200
    assert client.post("/fusion/models/star", {"take": "a:b"}, headers=by_htmx).status_code == 200
    token = run_share(run=twice, visibility="link", by=alice)
    run_share(run=twice, visibility="private", by=alice)
    assert client.get(f"/fusion/shared/{token}").status_code == 410
    order = f"/fusion/runs/{run.pk}/order"
    assert client.post(order, {"title": "Named"}, headers=by_htmx).status_code == 200
    assert client.post(f"/fusion/runs/{looked_up.pk}/delete").status_code == 302
    assert client.get("/password").status_code == 200
    assert client.post(share, {"visibility": "?"}).status_code == 400
    assert client.get("/nowhere").status_code == 404
    run.spec = run.spec | {"v": VERSION + 1}
    run.save(update_fields=["spec"])
    assert client.get(f"/fusion/runs/{run.pk}").status_code == 200
    client.force_login(ada)
    credential = Credential.objects.get(slug="openrouter")
    for page in (
        "/fusion/keys",
        "/fusion/servers",
        "/admin/",
        "/admin/console/run/",
        f"/admin/console/preset/{Preset.objects.get(slug='quality').pk}/change/",
        f"/admin/console/credential/{credential.pk}/change/",
    ):
        assert client.get(page).status_code == 200
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.get("/v1/docs").status_code == 200
    assert visitor.get("/sign-in").status_code == 200
    assert visitor.post("/sign-in").status_code == 403
    form = {"prompt": "?", "preset": "custom", "panel": ["openrouter:x"], "judge": "openrouter:x"}
    assert client.post("/fusion", form).status_code == 422
    User.objects.all().delete()
    claim = claim_make()
    assert visitor.get(f"/claim/{claim}").status_code == 200
    claim_use(token=claim, username="first", password="a password that is long")
    assert visitor.get(f"/claim/{claim}").status_code == 410
    permission_denied(rf.get("/"), PermissionDenied())
    server_error(rf.get("/"))
    assert set(FILES) - rendered == set()
