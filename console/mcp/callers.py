"""For whom a tool acts: what it may do, whose runs it starts and reads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse

from .. import access
from ..api.http.base import depth_of
from ..api.http.errors import ApiError
from ..api.planning.idempotency import run_url
from ..engine.spec import Spec
from ..engine.terms import NONE, Terms
from ..models import ApiToken, Project, Run
from ..models.runs import Origin, Visibility
from ..models.tokens import Scope
from ..search import FoundRun, Query, find, find_of_the_team, read_query, shown
from ..services.attaching import ToAttach
from ..services.brought import Brought
from ..services.runs import run_start
from ..services.token_defaults import NOTHING_SAID, TokenDefaults
from ..services.tokens import token_is_usable, token_run_start
from ..site.public_url import public_url
from ..worker.health import is_up

RECURSION = "This request comes from within a fusion: one level only. Answer it yourself."


class Caller(Protocol):
    """All of it is synchronous and asks the database."""

    def must_have(self, scope: Scope) -> None:
        """Raises ApiError. Asked again while a run is waited for."""

    @property
    def reader_id(self) -> int | None:
        """Whose own verdicts are called so."""

    @property
    def terms(self) -> Terms:
        """On which each of its runs is made."""

    @property
    def person(self) -> User | None:
        """Whose own presets may be named."""

    @property
    def defaults(self) -> TokenDefaults:
        """What holds where it says nothing."""

    @property
    def name(self) -> str:
        """Whose name is on what it brings along; "": nobody in particular."""

    def start(
        self,
        prompt: str,
        spec: Spec,
        answers: Sequence[Brought],
        max_cost: Decimal | None = None,
        project: Project | None = None,
        files: Sequence[ToAttach] = (),
    ) -> Run:
        """Raises Refused and ApiError."""

    def run(self, run_id: uuid.UUID) -> Run:
        """Raises Http404, for what is not there and for what this caller may not read."""

    def find(self, words: str, count: int) -> tuple[Query, list[FoundRun]]:
        """Of what it may read."""

    def url(self, run: Run) -> str:
        """Where people read it."""


@dataclass(frozen=True)
class Program:
    """Over HTTP, with a token: it acts as the token's owner, within the token's limits."""

    token: ApiToken
    request: HttpRequest

    def must_have(self, scope: Scope) -> None:
        if not token_is_usable(self.token.pk):
            raise ApiError("invalid_api_key")
        if scope not in self.token.scopes:
            raise ApiError("insufficient_scope", f"This token does not have the scope “{scope}”.")

    @property
    def reader_id(self) -> int | None:
        return self.token.owner_id

    @property
    def terms(self) -> Terms:
        return self.token.terms

    @property
    def person(self) -> User | None:
        return self.token.owner

    @property
    def defaults(self) -> TokenDefaults:
        return TokenDefaults.of(self.token.defaults)

    @property
    def name(self) -> str:
        return self.token.owner.get_username()

    def start(
        self,
        prompt: str,
        spec: Spec,
        answers: Sequence[Brought],
        max_cost: Decimal | None = None,
        project: Project | None = None,
        files: Sequence[ToAttach] = (),
    ) -> Run:
        if depth_of(self.request):
            raise ApiError("recursion_refused", RECURSION)
        return token_run_start(
            token=self.token,
            prompt=prompt,
            spec=spec,
            answers=answers,
            visibility=self.defaults.visibility,
            max_cost=max_cost,
            project=project,
            files=files,
        )

    def run(self, run_id: uuid.UUID) -> Run:
        return access.run_visible_to(self.token.owner, run_id)

    def find(self, words: str, count: int) -> tuple[Query, list[FoundRun]]:
        return _found(self.token.owner, words, count)

    def url(self, run: Run) -> str:
        return run_url(self.request, run.pk)


@dataclass(frozen=True)
class Shell:
    """Over stdio: as `manage.py fuse`, for nobody (then a run is the team's) or for a user."""

    user: User | None = None

    def must_have(self, scope: Scope) -> None:
        if not is_up():
            raise ApiError("not_ready", "Fusion is not running here. Start it: manage.py up")

    @property
    def reader_id(self) -> int | None:
        return self.user.pk if self.user else None

    @property
    def terms(self) -> Terms:
        return NONE

    @property
    def person(self) -> User | None:
        return self.user

    @property
    def defaults(self) -> TokenDefaults:
        return NOTHING_SAID

    @property
    def name(self) -> str:
        return self.user.get_username() if self.user else ""

    def start(
        self,
        prompt: str,
        spec: Spec,
        answers: Sequence[Brought],
        max_cost: Decimal | None = None,
        project: Project | None = None,
        files: Sequence[ToAttach] = (),
    ) -> Run:
        return run_start(
            owner=self.user,
            prompt=prompt,
            spec=spec,
            answers=answers,
            origin=Origin.SHELL,
            visibility=Visibility.PRIVATE if self.user else Visibility.TEAM,
            max_cost=max_cost,
            project=project,
            files=files,
        )

    def run(self, run_id: uuid.UUID) -> Run:
        if self.user:
            return access.run_visible_to(self.user, run_id)
        return access.run_of_the_team(run_id)

    def find(self, words: str, count: int) -> tuple[Query, list[FoundRun]]:
        if self.user:
            return _found(self.user, words, count)
        query = read_query(words)
        return query, shown(find_of_the_team(query, count=count), query, access.runs_of_the_team())

    def url(self, run: Run) -> str:
        return public_url(reverse("run-detail", args=[run.pk]))


def _found(user: User, words: str, count: int) -> tuple[Query, list[FoundRun]]:
    query = read_query(words)
    return query, shown(find(user, query, count=count), query, access.runs_visible_to(user))
