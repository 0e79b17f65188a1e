"""What can be done to an API token, and what it may be used for."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from ..engine.provider import Message
from ..engine.spec import Panelist, Spec
from ..engine.state import CallState
from ..models import ApiToken, Fusion, Project, Purse, Run
from ..models.money import DAY, PERSON, PROJECT, SITE, TOKEN
from ..models.runs import Origin, is_unfinished
from ..models.tokens import Scope
from ..money.amounts import dollars, nano
from ..money.purses import purse_set, run_budget, used_up
from .attaching import ToAttach
from .brought import Brought
from .errors import Refused
from .estimates import is_passed_through
from .fusions import run_fuse, run_turn
from .habits import history
from .look_ups import claim_look_up
from .rulings import PLAIN, ReaderWish
from .runs import ApiOrigin, run_start
from .token_defaults import NOTHING_SAID, TokenDefaults, checked
from .wish import Who

PREFIX = "fus_"
PREFIX_SHOWN = 10
DEFAULT_DAYS = 90
_ALPHABET = string.digits + string.ascii_letters
_FORM = re.compile(rf"{PREFIX}[\w-]{{43}}[0-9a-zA-Z]{{6}}", re.ASCII)


class OverLimit(Refused):
    """A limit of the token stands in the way. `retry_after` is in seconds."""

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


def token_create(
    *,
    owner: User,
    name: str = "",
    scopes: Sequence[str] = tuple(Scope.values),
    expires_at: datetime | None = None,
    requests_per_minute: int | None = 120,
    concurrent_runs: int | None = 20,
    spending_per_day: Decimal | None = None,
    spending_per_run: Decimal | None = None,
    defaults: TokenDefaults = NOTHING_SAID,
    **terms: Any,
) -> tuple[ApiToken, str]:
    """The row, and the token itself, which is nowhere to be had again; `terms` are the columns
    of `AskedTerms`. Raises Refused."""
    defaults = checked(defaults)
    unknown = set(scopes) - set(Scope.values)
    if unknown or not scopes:
        raise Refused(f"Scopes are {', '.join(Scope.values)}; choose at least one.")
    if not owner.is_active:
        raise Refused("This account is deactivated.")
    secret = new_secret()
    with transaction.atomic():
        token = ApiToken.objects.create(
            owner=owner,
            name=(name.strip() or "API token")[:60],
            prefix=secret[:PREFIX_SHOWN],
            secret_hash=_hash(secret),
            scopes=[s for s in Scope.values if s in scopes],
            expires_at=expires_at,
            requests_per_minute=requests_per_minute,
            concurrent_runs=concurrent_runs,
            defaults=defaults.to_stored(),
            run_budget_nano=None if spending_per_run is None else nano(spending_per_run),
            **terms,
        )
        if spending_per_day is not None:
            token_budget(token=token, spending_per_day=spending_per_day)
    return token, secret


def token_budget(*, token: ApiToken, spending_per_day: Decimal | None) -> None:
    """In US dollars; None: no limit."""
    purse_set(kind=TOKEN, subject=str(token.pk), period=DAY, limit=spending_per_day)


def token_defaults(
    *, token: ApiToken, defaults: TokenDefaults, spending_per_run: Decimal | None
) -> None:
    """Of its requests from now on. Raises Refused."""
    token.defaults = checked(defaults).to_stored()
    token.run_budget_nano = None if spending_per_run is None else nano(spending_per_run)
    token.save(update_fields=["defaults", "run_budget_nano"])


def token_revoke(*, token: ApiToken) -> None:
    """From the next request on; streams that are open notice within seconds."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def token_find(secret: str) -> ApiToken | None:
    """The usable token of an active person that this is; its use is noted to the minute."""
    if not well_formed(secret):
        return None
    token = ApiToken.objects.select_related("owner").filter(secret_hash=_hash(secret)).first()
    now = timezone.now()
    if token is None or not token.is_usable(now) or not token.owner.is_active:
        return None
    minute = now.replace(second=0, microsecond=0)
    if token.last_used_at is None or token.last_used_at < minute:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=minute)
    return token


def token_is_usable(token_id: int) -> bool:
    """Asked again and again while a stream is open, so nothing else of it is read."""
    asked = ApiToken.objects.filter(pk=token_id, owner__is_active=True)
    token = asked.only("revoked_at", "expires_at").first()
    return token is not None and token.is_usable(timezone.now())


def token_run_start(
    *,
    token: ApiToken,
    prompt: str,
    spec: Spec,
    answers: Sequence[Brought] = (),
    messages: list[dict[str, object]] | None = None,
    request_hash: str = "",
    idempotency_key: str | None = None,
    repeated_since: datetime | None = None,
    goes_on: bool = False,
    visibility: str = "private",
    max_cost: Decimal | None = None,
    files: Sequence[ToAttach] = (),
    project: Project | None = None,
    taken: Sequence[CallState] = (),
) -> Run:
    """Start a run within the token's limits. Raises OverLimit and Refused.

    `repeated_since`: the same request may have started one since then, which is joined where it
    has had no reply.
    `goes_on`: it has started one, which has ended; another request may have taken its place since,
    but a request that has been let in is not sent away.
    """
    if not is_passed_through(spec, Origin.API):
        history()  # its price goes by that, and is said while the token is held
    with transaction.atomic():
        # Of several repetitions at once one starts the run.
        locked, has_budgets = _locked(token)
        if repeated_since:
            same = Run.objects.filter(token=token, request_hash=request_hash, replied_at=None)
            since = same.filter(created_at__gt=repeated_since)
            if first := since.order_by("-created_at").first():
                return first
        its = project.pk if project else None
        _within_limits(locked, has_budgets, its, has_place=goes_on)
        return run_start(
            owner=token.owner,
            prompt=prompt,
            spec=spec,
            answers=answers,
            origin=Origin.API,
            visibility=visibility,
            messages=messages,
            api=ApiOrigin(token, request_hash, idempotency_key),
            max_cost=_at_most(locked, max_cost),
            files=files,
            project=project,
            taken=taken,
        )


def token_run_fuse(
    *,
    token: ApiToken,
    run: Run,
    judge: Who,
    synthesizer: Who,
    criteria: str,
    seats: Sequence[int] | None,
    wish: ReaderWish = PLAIN,
    request_hash: str = "",
    idempotency_key: str | None = None,
    max_cost: Decimal | None = None,
) -> Fusion:
    """Fuse a run's answers again within the token's limits. The same `idempotency_key` again is
    the same fusion. Raises OverLimit and Refused."""
    with transaction.atomic():
        locked, has_budgets = _locked(token)
        if idempotency_key:
            asked = Fusion.objects.filter(token=token, idempotency_key=idempotency_key)
            if first := asked.first():
                return first
        _within_limits(locked, has_budgets, run.project_id)
        fusion = run_fuse(
            run=run,
            judge=judge,
            synthesizer=synthesizer,
            criteria=criteria,
            seats=seats,
            wish=wish,
            api=ApiOrigin(token, request_hash, idempotency_key),
        )
        if (most := _at_most(locked, max_cost)) is not None:
            run_budget(run_id=run.pk, more=most)
        return fusion


def token_look_up(*, token: ApiToken, run: Run, fusion: int, claim: str) -> int:
    """A claim is looked up within the token's limits. Raises OverLimit and Refused."""
    with transaction.atomic():
        locked, has_budgets = _locked(token)
        _within_limits(locked, has_budgets, run.project_id)
        return claim_look_up(run=run, fusion=fusion, claim=claim, token=token.pk, terms=token.terms)


def token_run_turn(
    *,
    token: ApiToken,
    run: Run,
    after: int,
    messages: list[Message],
    request: dict[str, Any],
    writer: Panelist,
    request_hash: str = "",
    idempotency_key: str | None = None,
    max_cost: Decimal | None = None,
) -> Fusion:
    """The writer's next call within an agent's turn. Raises OverLimit and Refused."""
    with transaction.atomic():
        locked, has_budgets = _locked(token)
        _within_limits(locked, has_budgets, run.project_id)
        fusion = run_turn(
            run=run,
            after=after,
            messages=messages,
            request=request,
            writer=writer,
            api=ApiOrigin(token, request_hash, idempotency_key),
        )
        if (most := _at_most(locked, max_cost)) is not None:
            run_budget(run_id=run.pk, more=most)
        return fusion


def _locked(token: ApiToken) -> tuple[ApiToken, bool]:
    """The token, so that of many requests at once no more are let through than its limits say,
    and whether there is any budget to ask for."""
    budgets = Purse.objects.filter(kind__in=(TOKEN, PERSON, PROJECT, SITE))
    rows = ApiToken.objects.select_for_update().annotate(has_budgets=Exists(budgets))
    locked = rows.get(pk=token.pk)
    return locked, locked.has_budgets


def _at_most(token: ApiToken, max_cost: Decimal | None) -> Decimal | None:
    """What its run may cost: whatever a request says, the token's own budget of a run holds."""
    if token.run_budget_nano is None:
        return max_cost
    own = dollars(token.run_budget_nano)
    return own if max_cost is None else min(own, max_cost)


def _within_limits(
    token: ApiToken, has_budgets: bool, project_id: int | None, *, has_place: bool = False
) -> None:
    """Whoever has nothing left is told so before a run is begun; what a call may cost is held
    when it is sent (`money.book`). `has_place`: no further run begins."""
    if has_budgets and (closed := used_up(token.owner_id, token.pk, project_id)):
        raise OverLimit("spending_limit", closed.sentence, closed.seconds or 60)
    if has_place or token.concurrent_runs is None:
        return
    runs = Run.objects.filter(is_unfinished(), token=token)
    fusions = Fusion.objects.filter(is_unfinished(), is_unfinished("run__status"), token=token)
    fusions = fusions.exclude(run__token=token)
    if runs.count() + fusions.count() >= token.concurrent_runs:
        raise OverLimit(
            "concurrency_limit",
            f"This token may have {token.concurrent_runs} runs going on at once, and has.",
            5,
        )


def new_secret() -> str:
    """The prefix and the checksum let scanners find a leaked one without asking us."""
    body = PREFIX + secrets.token_urlsafe(32)
    return body + _checksum(body)


def well_formed(secret: str) -> bool:
    """Spares the database whatever no token can be."""
    return bool(_FORM.fullmatch(secret)) and _checksum(secret[:-6]) == secret[-6:]


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
