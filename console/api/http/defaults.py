"""What a request does not say, as its token says it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from ...models import ApiToken
from ...services.token_defaults import TokenDefaults

Body = TypeVar("Body", bound=BaseModel)
FIELDS = ("visibility", "fanout", "cancel_on_disconnect", "project")


def with_defaults(body: Body, token: ApiToken) -> Body:
    """With the token's word for each of those fields of `fusion` that it does not name."""
    own = getattr(body, "fusion", None)
    if not token.defaults or not isinstance(own, BaseModel):
        return body
    said = TokenDefaults.of(token.defaults)
    filled = {name: getattr(said, name) for name in FIELDS if name not in own.model_fields_set}
    if not filled.get("project"):
        filled.pop("project", None)  # said by nobody: the preset may
    return body.model_copy(update={"fusion": own.model_copy(update=filled)})
