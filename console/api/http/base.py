"""What every endpoint does before and after its own work."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ConfigDict, ValidationError

from ...engine.calls.aside import aside
from ...engine.spec_versions import SpecTooNew
from ...engine.text import storable_all
from ...models import ApiToken, Fusion, Run
from ...models.tokens import Scope
from ...providers.nearby import SIGN
from ...services.errors import Refused
from ...services.tokens import OverLimit, token_find
from .db import db
from .defaults import with_defaults
from .errors import ApiError
from .limits import take
from .openrouter import in_openrouters_words, openrouters_body
from .operations import Operation, describe
from .reading import read_json, size_of
from .wishes import refuse_wishes

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

log = logging.getLogger(__name__)

Params = ParamSpec("Params")
Body = TypeVar("Body", bound=BaseModel)
T = TypeVar("T", bound=BaseModel)

_TYPE = re.compile(r"(constrained-)?str|float|bool|int|(list|dict)\[.*\]|PanelSeat")
# Fields that hold one: agents shorten what they are told is too long.
_CONVERSATIONS = ("messages", "input")
MAX_FAULTS = 10_000
DEPTH_HEADERS = ("x-fusion-depth", "x-openrouter-fusion-depth")


class Schema(BaseModel):
    """Of a request's body: what clients send beyond it is ignored."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class StrictSchema(Schema):
    """Of a body that changes something of ours: what is not known would not be done, and the
    reply would not say so."""

    model_config = ConfigDict(extra="forbid")


class NoBody(Schema):
    pass


@dataclass
class ApiCall(Generic[Body]):
    """One request: who asks, what for, and what its answer's headers will say."""

    request: HttpRequest
    id: str
    token: ApiToken
    body: Body
    data: dict[str, Any]  # the body as it came
    headers: dict[str, str] = field(default_factory=dict)
    started: list[Run | Fusion] = field(default_factory=list)  # or joined
    has_asked: bool = False  # a model; whoever sends the request again may pay again
    began_at: datetime = field(default_factory=timezone.now)

    @property
    def depth(self) -> int:
        """How many fusions this request is already within."""
        return depth_of(self.request)

    @cached_property
    def in_openrouters_words(self) -> bool:
        return in_openrouters_words(self.request, self.data)

    def query(self, schema: type[T]) -> T:
        """The address's own parameters. Raises ApiError."""
        return parse(schema, storable_all(self.request.GET.dict()))

    @property
    def hash(self) -> str:
        """The same for the same request again."""
        canonical = json.dumps(self.data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{self.request.path}\n{canonical}".encode()).hexdigest()

    @property
    def idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key", "").strip()
        if len(key) > 200 or not key.isprintable():
            told = "An Idempotency-Key has at most 200 characters, of ASCII that is printed."
            raise ApiError("invalid_request", told)
        return key or None


View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def endpoint(
    scope: Scope, *, body: type[Body] | None = None, spending: bool = False, **described: Any
) -> Callable[
    [Callable[Concatenate[ApiCall[Body], Params], Awaitable[HttpResponseBase]]],
    Callable[Concatenate[HttpRequest, Params], Coroutine[Any, Any, HttpResponseBase]],
]:
    """`async def view(call: ApiCall[Body], …)` as a Django view.

    With `spending`, requests are refused while their number cannot be counted, and wishes about
    data and money that cannot be granted before anything else is read. `described`
    are further fields of `Operation`.
    """
    schema = cast("type[Body]", body or NoBody)

    def wrap(
        view: Callable[Concatenate[ApiCall[Body], Params], Awaitable[HttpResponseBase]],
    ) -> Callable[Concatenate[HttpRequest, Params], Coroutine[Any, Any, HttpResponseBase]]:
        async def endpoint_view(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            request_id, began_at = f"req_{uuid.uuid4().hex}", timezone.now()
            headers: dict[str, str] = {}
            call: ApiCall[Body] | None = None
            data: dict[str, Any] | None = None
            try:
                token = await authenticate(request)
                headers |= await take(token, spending=spending)
                if scope not in token.scopes:
                    raise ApiError(
                        "insufficient_scope", f"This token does not have the scope “{scope}”."
                    )
                size = size_of(request) if body else 0
                data = await aside(size, read_json, request) if body else {}
                if spending:
                    await aside(size, refuse_wishes, data, schema.model_fields)
                asked = with_defaults(await aside(size, parse, schema, data), token)
                call = ApiCall(request, request_id, token, asked, data, headers, began_at=began_at)
                response = await view(call, *args, **kwargs)
            except Exception as error:
                failure = error_of(error, request_id)
                if call and call.has_asked and failure.invites_repetition:
                    failure = ApiError(
                        "run_failed", failure.message, headers={"x-should-retry": "false"}
                    )
                in_its_words = in_openrouters_words(request, data)
                response = failure.response(openrouters_body(failure) if in_its_words else None)
            if call and not response.streaming:
                await note_reply(call)
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            response["x-request-id"] = request_id
            response[SIGN] = "1"
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        says = " ".join((view.__doc__ or "").split())
        describe(endpoint_view, Operation(scope, body, spending=spending, says=says, **described))
        return endpoint_view

    return wrap


async def note_reply(call: ApiCall[Any]) -> None:
    """The request has its whole reply, an error or not: what asks the same again is another."""

    def note() -> None:
        for row in call.started:
            row.replied_at = timezone.now()
            rows: Any = type(row).objects
            rows.filter(pk=row.pk).update(replied_at=row.replied_at)

    if call.started:
        try:
            await db(note)
        except DatabaseError:
            log.warning("the reply to request %s could not be noted", call.id, exc_info=True)


def by_method(**views: View) -> View:
    """One address, a view for each method; any other is 405 in JSON."""
    if "GET" in views:
        views.setdefault("HEAD", views["GET"])

    async def dispatch(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        view = views.get(request.method or "")
        if view is None:
            allowed = ", ".join(views)
            error = ApiError("method_not_allowed", headers={"Allow": allowed})
            return stamped(error.response())
        response = await view(request, *args, **kwargs)
        response.headers.setdefault("x-request-id", f"req_{uuid.uuid4().hex}")
        return response

    return csrf_exempt(dispatch)


async def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """An address with a slash too many, as settings of clients often have one, is the one
    without it."""
    path = "/" + re.sub(r"/+", "/", request.path_info).strip("/")
    if path != request.path_info:
        request.path = request.path.removesuffix(request.path_info) + path
        request.path_info = path
        view, args, kwargs = resolve(path)
        response: HttpResponseBase = await view(request, *args, **kwargs)
        return response
    return stamped(ApiError("not_found").response())


nothing_here_view = csrf_exempt(nothing_here)


def stamped(response: JsonResponse) -> JsonResponse:
    response["x-request-id"] = f"req_{uuid.uuid4().hex}"
    response[SIGN] = "1"
    return response


async def authenticate(
    request: HttpRequest, *, ask: Callable[..., Awaitable[Any]] = db
) -> ApiToken:
    """The one way in: cookies, query strings and other headers never count."""
    header = request.headers.get("Authorization", "")
    kind, _, secret = header.partition(" ")
    challenge = {"WWW-Authenticate": "Bearer"}
    if kind.casefold() != "bearer" or not secret.strip():
        raise ApiError("missing_api_key", headers=challenge)
    token: ApiToken | None = await ask(token_find, secret.strip())
    if token is None:
        raise ApiError("invalid_api_key", headers=challenge)
    return token


def depth_of(request: HttpRequest) -> int:
    depths = [request.headers.get(name, "") for name in DEPTH_HEADERS]
    return max((_depth(d) for d in depths), default=0)


def _depth(text: str) -> int:
    # What is no number was still meant to say that this comes from a fusion.
    text = text.strip()
    if not text:
        return 0
    return min(int(text), 99) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def parse(schema: type[Body], data: dict[str, Any]) -> Body:
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise fault_in(error) from None


def fault_in(error: ValidationError) -> ApiError:
    """What is wrong with what was sent, in one sentence, without what was sent."""
    if error.error_count() > MAX_FAULTS:  # each would be looked at, to name one
        return ApiError("invalid_request", f"More than {MAX_FAULTS:,} things are wrong in it.")
    first = _telling(error.errors(include_url=False, include_input=False, include_context=False))
    param = ".".join(str(part) for part in first["loc"] if not _names_a_type(part))
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "There is no such field here."
    is_too_long = first["type"] == "too_long" and param in _CONVERSATIONS
    code = "context_length_exceeded" if is_too_long else "invalid_request"
    message = f"{param}: {message}" if param else message
    return ApiError(code, message, param=param or None)


def _telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """The first; of a field that may have several types, where each says why it is not that
    one, what is said of the type that was meant: it goes deepest, or is about more than the type.
    """
    loc = errors[0]["loc"]
    field = next((n for n, part in enumerate(loc) if _names_a_type(part)), len(loc))
    of_field = [e for e in errors if e["loc"][:field] == loc[:field]]
    return max(of_field, key=lambda e: (len(e["loc"]), not e["type"].endswith("_type")))


def _names_a_type(part: int | str) -> bool:
    """pydantic's mark of which of several types an error is about; no field has such a name."""
    return isinstance(part, str) and bool(_TYPE.fullmatch(part))


def error_of(error: Exception, request_id: str) -> ApiError:
    """Any exception as the error that the caller is told."""
    match error:
        case ApiError():
            return error
        case OverLimit():
            return ApiError(error.code, str(error), headers={"Retry-After": str(error.retry_after)})
        case SpecTooNew():
            # Repeated at once, it would fare the same.
            return ApiError("needs_newer_version", headers={"x-should-retry": "false"})
        case Refused():
            return ApiError("invalid_request", str(error))
        case Http404():
            return ApiError("not_found")
        case OperationalError() | InterfaceError():
            log.error("request %s was not answered without the database: %s", request_id, error)
            return ApiError("not_ready", headers={"Retry-After": "5"})
    log.error("request %s failed in an unforeseen way", request_id, exc_info=error)
    return ApiError("internal_error")
