"""A wish that is refused, as the API says it: the field of the request is named."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.spec import Spec
from ...models import Credential
from ...services.brought import TooFewOrMany
from ...services.build_spec import build
from ...services.errors import NameRefused, PolicyRefused, Refused, TermsRefused
from ...services.wish import Wish
from ..http.errors import ApiError


def built(wish: Wish, places: Mapping[str, str]) -> Spec:
    """`places` tells which field of the request a part of the wish comes from. Raises ApiError."""
    try:
        return build(wish)
    except PolicyRefused as refused:
        raise ApiError("invalid_request", str(refused), param=f"fusion.{refused.field}") from None
    except TooFewOrMany as refused:
        raise ApiError("invalid_request", str(refused), param="fusion.answers") from None
    except TermsRefused as refused:
        param = _param_of_terms(refused, places)
        message = f"{refused} Nothing was sent ({param})."
        raise ApiError("invalid_request", message, param=param) from None
    except NameRefused as refused:
        raise ApiError(_code(refused), str(refused), param=_param(refused, places)) from None
    except Refused as refused:
        raise ApiError(_code(refused), str(refused), param=places["panel"]) from None


def _param(refused: NameRefused, places: Mapping[str, str]) -> str:
    if refused.seat is None:
        return places[refused.field]
    of_fallback = ".fallback" if refused.field == "fallback" else ""
    return f"{places['panel']}.{refused.seat}{of_fallback}"


def _param_of_terms(refused: TermsRefused, places: Mapping[str, str]) -> str:
    """Where the wish stands; that of a preset or token, whom it is about."""
    of_seat = places.get(f"terms.{refused.seat}.{refused.promise}")
    return of_seat or places.get(f"terms.{refused.promise}") or _param(refused, places)


def _code(refused: Refused) -> str:
    """Whether the model is unknown, or known and not to be had."""
    credentials = list(Credential.objects.all())
    nobody = not any(c.is_ready for c in credentials)
    is_unready = nobody or any(c.lacks == str(refused) for c in credentials)
    return "no_credential" if is_unready else "model_not_found"
