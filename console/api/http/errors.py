"""Every way in which the API says no: condition -> HTTP status, type, code and message.

`ApiError` names a condition of `TABLE`; the code is what programs switch on,
so its spelling never changes. Clients repeat 408, 409, 429 and 5xx of their
own accord, so nothing under such a status is ever answered once a panel has
been asked: what happens after that is 424 or, in a stream, an error chunk.
docs/api.md shows this table to people; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import JsonResponse

from ...engine.errors import SENTENCES, Reason


@dataclass(frozen=True)
class Condition:
    status: int
    type: str
    message: str


_INVALID, _FAILED = "invalid_request_error", "run_failed"


def too_large(limit: int) -> str:
    """In one wording, at whatever address and by whoever it is refused; `limit` is in bytes."""
    size = f"{limit / 1e6:.0f} MB" if limit >= 1_000_000 else f"{limit // 1024} KB"
    return f"What was sent is too large: at most {size} are read."


TABLE: dict[str, Condition] = {
    # the request
    "invalid_json": Condition(400, _INVALID, "The body is not valid JSON."),
    "invalid_request": Condition(400, _INVALID, "The request does not have the required form."),
    "unsupported_content": Condition(
        400, _INVALID, "This cannot be asked about: text, pictures and files can."
    ),
    "context_length_exceeded": Condition(400, _INVALID, SENTENCES[Reason.CONTEXT_LENGTH]),
    "recursion_refused": Condition(
        400, _INVALID, "A fusion cannot be asked for from within a fusion: one level only."
    ),
    "preset_unavailable": Condition(400, _INVALID, "This preset cannot run at present."),
    "no_credential": Condition(400, _INVALID, "No provider is set up for this model."),
    "no_judge": Condition(
        400,
        _INVALID,
        "No model can judge these answers and write from them yet. Name one (fusion.judge), or "
        "have them set side by side by /v1/runs, which takes no model.",
    ),
    "not_found": Condition(404, _INVALID, "There is nothing at this address."),
    "model_not_found": Condition(404, _INVALID, "There is no such model."),
    "method_not_allowed": Condition(405, _INVALID, "This address does not take this method."),
    "run_under_way": Condition(
        409, _INVALID, "The run is under way. Wait for its end, or stop it first."
    ),
    "request_timeout": Condition(
        408, _INVALID, "What was sent came too slowly: less than 8 KB a second."
    ),
    "request_too_large": Condition(413, _INVALID, too_large(settings.API_BODY_BYTES)),
    "unsupported_encoding": Condition(415, _INVALID, "The body is packed in a way unknown here."),
    "idempotency_mismatch": Condition(
        422, _INVALID, "This Idempotency-Key was used with another request."
    ),
    # the token
    "missing_api_key": Condition(
        401, "authentication_error", "Send a token: Authorization: Bearer fus_…"
    ),
    "invalid_api_key": Condition(
        401, "authentication_error", "This token is unknown, expired or revoked."
    ),
    "insufficient_scope": Condition(
        403, "permission_error", "This token's scopes do not allow this."
    ),
    "forbidden_origin": Condition(
        403, "permission_error", "Pages of other sites may not ask this."
    ),
    "spending_limit": Condition(402, "insufficient_quota", "This token's budget is used up."),
    "budget_exceeded": Condition(402, "insufficient_quota", SENTENCES[Reason.BUDGET_EXCEEDED]),
    "rate_limit_exceeded": Condition(
        429, "rate_limit_error", "This token has made too many requests. Wait a little."
    ),
    "concurrency_limit": Condition(
        429, "rate_limit_error", "This token has too many runs going on."
    ),
    # the run
    "all_panels_failed": Condition(424, _FAILED, SENTENCES[Reason.ALL_PANELS_FAILED]),
    "synthesis_failed": Condition(424, _FAILED, SENTENCES[Reason.SYNTHESIS_FAILED]),
    "insufficient_credits": Condition(424, _FAILED, SENTENCES[Reason.INSUFFICIENT_CREDITS]),
    "rate_limited": Condition(424, _FAILED, SENTENCES[Reason.RATE_LIMITED]),
    "cancelled": Condition(424, _FAILED, "The run was stopped."),
    "run_failed": Condition(424, _FAILED, "The run failed."),
    # Fusion itself
    "bad_request": Condition(400, _INVALID, "The request could not be read."),
    "internal_error": Condition(500, "server_error", SENTENCES[Reason.INTERNAL]),
    "needs_newer_version": Condition(501, "server_error", SENTENCES[Reason.NEEDS_NEWER_VERSION]),
    "not_ready": Condition(503, "server_error", "Fusion is not ready. Try again in a moment."),
}


class ApiError(Exception):
    """Raised anywhere in an endpoint; `param` names the field that is at fault."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.condition = TABLE[code]
        self.message = message or self.condition.message
        self.param = param
        self.headers = headers or {}
        self.extra = extra or {}
        super().__init__(self.message)

    @property
    def invites_repetition(self) -> bool:
        """Clients send such a request again of their own accord."""
        return self.condition.status in (408, 409, 429) or self.condition.status >= 500

    def body(self) -> dict[str, Any]:
        error = {
            "message": self.message,
            "type": self.condition.type,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error | self.extra}

    def response(self, body: dict[str, Any] | None = None) -> JsonResponse:
        """`body`: told in other words than ours."""
        return JsonResponse(body or self.body(), status=self.condition.status, headers=self.headers)
