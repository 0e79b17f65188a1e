"""What an admin does to a preset on the page where it is chosen."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from ...access import is_admin
from ...models import Preset
from ...services.errors import Refused
from ...services.places import places_renewed
from ...services.preset_checks import preset_mend
from .cards import preset_cards
from .fragment import by_htmx


@login_required
@never_cache
@require_POST
def renew(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the newest models of their lines into its places."""
    preset = _preset(request, slug)
    renewed = places_renewed(preset=preset, by=request.user)  # type: ignore[arg-type]
    names = ", ".join(offer.name for offer in renewed)
    if not by_htmx(request):
        done = f"{preset.name} asks {names} now." if names else "Nothing is newer."
        messages.success(request, done)
    return _back(request, preset)


@login_required
@never_cache
@require_POST
def mend(request: HttpRequest, slug: str) -> HttpResponse:
    """Do what was offered against one thing that is wrong with it."""
    preset = _preset(request, slug)
    try:
        done = preset_mend(preset=preset, name=request.POST.get("mend", ""), by=request.user)  # type: ignore[arg-type]
    except Refused as refused:
        said, sentence = messages.warning, str(refused)
    else:
        said, sentence = messages.success, f"{preset.name}: {done.who} has {done.mended} now."
    if not by_htmx(request):
        said(request, sentence)
    if "admin" in request.POST:
        return redirect("admin:console_preset_change", preset.pk)
    return _back(request, preset)


def _preset(request: HttpRequest, slug: str) -> Preset:
    if not is_admin(request.user):
        raise Http404("No such page.")
    return get_object_or_404(Preset, slug=slug)


def _back(request: HttpRequest, preset: Preset) -> HttpResponse:
    """To the page, or its card as it is now."""
    if not by_htmx(request):
        return redirect("console")
    preset = Preset.objects.get(pk=preset.pk)
    (card,) = preset_cards([preset], for_admin=True)
    context = {"card": card, "form": {"preset": {"value": request.POST.get("preset", "")}}}
    return render(request, "console/compose/_preset_card.html", context)
