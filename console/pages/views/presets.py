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
from ...services.places import places_renewed
from .console import preset_card
from .fragment import by_htmx


@login_required
@never_cache
@require_POST
def renew(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the newest models of their lines into its places."""
    if not is_admin(request.user):
        raise Http404("No such page.")
    preset = get_object_or_404(Preset, slug=slug)
    renewed = places_renewed(preset=preset)
    if by_htmx(request):
        card = preset_card(preset)
        chosen = {"preset": {"value": request.POST.get("preset", "")}}
        context = {"card": card, "form": chosen}
        return render(request, "console/compose/_preset_card.html", context)
    names = ", ".join(offer.name for offer in renewed)
    messages.success(request, f"{preset.name} asks {names} now." if names else "Nothing is newer.")
    return redirect("console")
