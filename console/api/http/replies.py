"""What replies of several endpoints have in common."""

from __future__ import annotations

from typing import Any

from ...record.parts import Told


class Reply(Told):
    """Whatever is answered to a request."""

    def payload(self) -> dict[str, Any]:
        """Without the fields that it was made without."""
        return self.model_dump(exclude_unset=True)


class Error(Reply):
    message: str
    type: str
    param: str | None
    code: str | int
    metadata: dict[str, Any] | None = None


class ErrorReply(Reply):
    error: Error
