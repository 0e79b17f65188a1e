"""Kinds of providers, and the address each is called at.

What is known of each kind stands in `kinds`. Its module is loaded when it is first used:
it has a `make(*, base_url, api_key, client, traits)`, and may have `list_models` and
`test_credential`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Provider

from . import kinds
from .secret import Secret
from .traits import Traits

if TYPE_CHECKING:
    import httpx

    from .listing import CredentialTest, ModelInfo

OLLAMA_PORT = 11434
# What is pasted from an example of a request rather than from the settings.
ENDPOINT = re.compile(
    r"/(?:chat/completions|completions|responses|embeddings|messages)$", re.IGNORECASE
)


def make_provider(
    kind: str,
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    traits: Traits | None = None,
) -> Provider:
    """`traits` are of the models at `base_url`. Raises ProviderError when the kind is not
    known."""
    make = _module(kind).make
    return cast(Provider, make(base_url=base_url, api_key=api_key, client=client, traits=traits))


async def list_models(
    kind: str,
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    timeout: float = 15,
) -> list[ModelInfo]:
    """What the provider offers, in its own order; nothing where its kind cannot be asked.
    Raises ProviderError."""
    function = getattr(_module(kind), "list_models", None)
    if function is None:
        return []
    models = await function(base_url=base_url, api_key=api_key, client=client, timeout=timeout)
    return cast("list[ModelInfo]", models)


async def test_credential(
    kind: str,
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    timeout: float = 15,
) -> CredentialTest:
    """Asks the provider something that costs nothing. Raises nothing."""
    from .listing import CredentialTest

    try:
        function = getattr(_module(kind), "test_credential", None)
    except ProviderError as error:
        return CredentialTest(False, error.message, 0)
    if function is None:
        return CredentialTest(False, "A key of this kind cannot be tried without paying.", 0)
    result = await function(base_url=base_url, api_key=api_key, client=client, timeout=timeout)
    return cast(CredentialTest, result)


async def can_pay(
    kind: str,
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    timeout: float = 15,
) -> bool | None:
    """Whether anything can be paid with this key; None where nobody says. Raises
    ProviderError."""
    function = getattr(_module(kind), "can_pay", None)
    if function is None:
        return None
    answer = await function(base_url=base_url, api_key=api_key, client=client, timeout=timeout)
    return cast("bool | None", answer)


@lru_cache(maxsize=256)  # asked of every credential for all that is wanted of it
def normalise_base_url(text: str, *, ollama: bool = False) -> str:
    """What a person or a variable gave, as the address that calls are made under.

    With `ollama` it is read as OLLAMA_HOST is: host and port may stand alone,
    and `/v1` is where Ollama speaks this wire format. Raises ValueError in
    words for whoever typed it.
    """
    text = text.strip()
    if not text:
        raise ValueError("An address is needed, as in https://api.example.com/v1.")
    if re.search(r"[\s\x00-\x1f\\]", text):
        raise ValueError("The address holds a space or another character that cannot be there.")
    if "://" not in text:
        if not ollama:
            raise ValueError("The address must start with https:// or http://.")
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("The address has a host or a port that cannot be.") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError("The address must start with https:// or http://.")
    if "@" in parts.netloc:
        raise ValueError("The address must not hold a user name or password: enter the key apart.")
    if "?" in text or "#" in text:
        raise ValueError("The address must end with its path: nothing from ? or # on.")
    if ollama and host in ("", "0.0.0.0", "::"):  # what a server listens on is no place to call
        host = "127.0.0.1"
    if not host:
        raise ValueError("The address names no host.")
    path = parts.path.rstrip("/")
    if ollama:
        explicit = text.startswith("https:") or (port is None and path)
        port = port or (None if explicit else OLLAMA_PORT)
        path = path or "/v1"
    path = ENDPOINT.sub("", path)
    netloc = f"[{host}]" if ":" in host else host
    return f"{parts.scheme.lower()}://{netloc}{f':{port}' if port else ''}{path}"


def _module(kind: str) -> ModuleType:
    known = kinds.KINDS.get(kind)
    if known is None:
        raise ProviderError(Reason.CONFIGURATION, kinds.unknown(kind))
    return import_module(known.module)
