"""What can go wrong with a call or a run, as fixed strings.

    Exception
    +-- ProviderError      one call failed; `reason` is one of `Reason`
    +-- LeaseLost          another worker has taken the run over: stop, write nothing

A reason is stored, shown, counted and sent to programs, so its spelling never
changes. `SENTENCES` says the same to a person.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    # the call never reached the model
    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    CONFIGURATION = "configuration"
    UNAUTHORIZED = "unauthorized"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    FORBIDDEN = "forbidden"
    INVALID_MODEL = "invalid_model"
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    RATE_LIMITED = "rate_limited"
    REDIRECT = "redirect"
    # the model's server failed
    UPSTREAM_ERROR = "upstream_error"
    BAD_RESPONSE = "bad_response"
    DISCONNECTED = "disconnected"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    CONTENT_FILTER = "content_filter"
    # the text says nothing more
    REPEATS_ITSELF = "repeats_itself"
    ECHOES_PROMPT = "echoes_prompt"
    # time ran out
    TIMEOUT = "timeout"
    STALLED = "stalled"
    CUT_OFF = "cut_off"
    # our own
    BUDGET_EXCEEDED = "budget_exceeded"
    WORKER_LOST = "worker_lost"
    WORKER_STOPPED = "worker_stopped"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    NEEDS_NEWER_VERSION = "needs_newer_version"
    # of a step or a run
    ALL_PANELS_FAILED = "all_panels_failed"
    JUDGE_NOT_VALID_JSON = "judge_not_valid_json"
    JUDGE_SCHEMA_MISMATCH = "judge_schema_mismatch"
    JUDGE_UPSTREAM_ERROR = "judge_upstream_error"
    JUDGE_EMPTY_COMPLETION = "judge_empty_completion"
    SYNTHESIS_FAILED = "synthesis_failed"


SENTENCES: dict[Reason, str] = {
    Reason.UNREACHABLE: "The provider could not be reached.",
    Reason.DNS: "The provider's host name was not found.",
    Reason.TLS: "The provider's certificate could not be trusted.",
    Reason.CONFIGURATION: "This model is not set up correctly. An admin can mend it.",
    Reason.UNAUTHORIZED: "The provider refused the key. An admin can replace it.",
    Reason.INSUFFICIENT_CREDITS: "The provider account is out of credit.",
    Reason.FORBIDDEN: "The provider does not allow this request.",
    Reason.INVALID_MODEL: "The provider does not know this model.",
    Reason.BAD_REQUEST: "The provider did not accept the request.",
    Reason.CONTEXT_LENGTH: "The prompt is too long for this model.",
    Reason.RATE_LIMITED: "The provider is limiting requests at the moment.",
    Reason.REDIRECT: "The provider answered with a redirect, which is not followed.",
    Reason.UPSTREAM_ERROR: "The provider reported an error.",
    Reason.BAD_RESPONSE: "The provider sent something that is not an answer.",
    Reason.DISCONNECTED: "The connection was lost. What had arrived is kept.",
    Reason.TRUNCATED: "The answer ended without a finish mark. What had arrived is kept.",
    Reason.EMPTY: "The model returned an empty answer.",
    Reason.TOO_LARGE: "The answer was cut because it grew too large.",
    Reason.CONTENT_FILTER: "The provider filtered this answer.",
    Reason.REPEATS_ITSELF: "The text repeats itself and was ended. What had arrived is kept.",
    Reason.ECHOES_PROMPT: "The text repeats what its writer was told, in place of an answer. "
    "What had arrived is kept.",
    Reason.TIMEOUT: "The model took too long.",
    Reason.STALLED: "The model stopped sending. What had arrived is kept.",
    Reason.CUT_OFF: "Cut off: enough other answers were in. It was not compared.",
    Reason.BUDGET_EXCEEDED: "A limit of this run was reached before this call.",
    Reason.WORKER_LOST: "The worker was lost in the middle of this run.",
    Reason.WORKER_STOPPED: "The worker was stopped in the middle of this run; another took over.",
    Reason.CANCELLED: "Stopped.",
    Reason.INTERNAL: "Something went wrong inside Fusion. The log has the details.",
    Reason.NEEDS_NEWER_VERSION: "This run needs a newer version of Fusion than the one that runs "
    "here.",
    Reason.ALL_PANELS_FAILED: "No panelist gave a usable answer.",
    Reason.JUDGE_NOT_VALID_JSON: "The judge did not return valid JSON.",
    Reason.JUDGE_SCHEMA_MISMATCH: "The judge's analysis did not have the required form.",
    Reason.JUDGE_UPSTREAM_ERROR: "The judge could not be asked.",
    Reason.JUDGE_EMPTY_COMPLETION: "The judge returned nothing.",
    Reason.SYNTHESIS_FAILED: "The fused answer could not be written.",
}


class ProviderError(Exception):
    """One call failed.

    `message` is in plain words and free of secrets; it may quote the provider,
    so whoever shows it escapes it. `retryable` answers the caller's one
    question: nothing was sent or billed, and another try may go better.
    `retry_after` is in seconds. `unconfirmed`: the request was sent and nothing
    came back, so it may have been billed. `adapted`: the provider has learned from
    the refusal, and its next request will lack what this one was refused for.
    """

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        retryable: bool = False,
        status_code: int | None = None,
        retry_after: float | None = None,
        unconfirmed: bool = False,
        adapted: bool = False,
    ) -> None:
        super().__init__(message or SENTENCES[reason])
        self.reason = reason
        self.message = message or SENTENCES[reason]
        self.retryable = retryable
        self.status_code = status_code
        self.retry_after = retry_after
        self.unconfirmed = unconfirmed
        self.adapted = adapted


class LeaseLost(Exception):
    """Another worker has taken the run over: close the connections, write nothing."""
