"""What admins have chosen for the whole site."""

from __future__ import annotations

from ..catalog.prices import price_of
from ..engine.spec import Panelist
from ..models import Credential, SiteChoices
from ..models.prepared import Prepared


def chosen_for_the_site() -> SiteChoices | None:
    """None while nobody has chosen anything."""
    return next(iter(_CHOICES.rows()), None)


_CHOICES = Prepared(
    lambda: SiteChoices.objects.select_related("reference_credential").order_by("pk")[:1]
)


def reference_of(chosen: SiteChoices | None) -> Panelist | None:
    """With whom runs are compared, at today's price; None: each with its own writer."""
    if chosen is None or chosen.reference_credential is None or not chosen.reference_model:
        return None
    credential: Credential = chosen.reference_credential
    price = price_of(credential, chosen.reference_model)
    return Panelist(chosen.reference_model, credential.slug, price=price)


def reference() -> Panelist | None:
    return reference_of(chosen_for_the_site())
