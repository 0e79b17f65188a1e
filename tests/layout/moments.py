"""Pages in the moments that people meet them in, as Django renders them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from console.models import Run
from console.services.links import run_share
from tests.layout.rich import rich, under_way

MOMENTS = ("compose", "history", "finished", "streaming", "shared", "compare")


def moments(name: str, seats: int = 5) -> dict[str, str]:
    """Each by its name; `name` owns the runs, and has gone with them."""
    owner = User.objects.create_user(name)
    signed_in, anybody = Client(), Client()
    signed_in.force_login(owner)
    ended, open_ = rich(seats).save(owner), under_way(seats).save(owner)
    token = run_share(run=ended, visibility="link", by=owner)
    # As many as the page for a new question lists.
    others = [rich(2).save(owner) for _ in range(5)]
    addresses = {
        "compose": (signed_in, "/fusion"),
        "history": (signed_in, "/fusion/runs"),
        "finished": (signed_in, f"/fusion/runs/{ended.pk}"),
        "streaming": (signed_in, f"/fusion/runs/{open_.pk}"),
        "shared": (anybody, f"/fusion/shared/{token}"),
        "compare": (signed_in, f"/fusion/runs/{ended.pk}/compare?left=A&right=B"),
    }
    pages = {moment: client.get(at).content.decode() for moment, (client, at) in addresses.items()}
    signed_in.logout()
    for run in (ended, open_, *others):
        Run.objects.filter(pk=run.pk).delete()
    owner.delete()
    return pages
