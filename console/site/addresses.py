"""Whose address a request comes from: the client's, also behind proxies that are ours.

Anybody may send `X-Forwarded-For`, so it counts only from whoever is named in
FUSION_TRUSTED_PROXIES, and of what stands in it only what such a proxy wrote: from its end back to
the first address that is none of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(maxsize=8)
def networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    """Raises ValueError."""
    return tuple(ip_network(name.strip(), strict=False) for name in names)


def read(text: str) -> Address | None:
    """An address as proxies write it: with a port or without."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def client_of(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """`forwarded`: the header's lines, as they came. What nobody of ours wrote counts for nothing,
    and neither does what is no address: then it is the proxy that asks."""
    found = read(peer)
    hops = [hop for line in forwarded for hop in line.split(",")]
    while found is not None and hops and any(found in network for network in trusted):
        further = read(hops.pop())
        if further is None:
            break
        found = further
    return peer if found is None else str(found)


def counted(address: str) -> str:
    """What limits by address count by: whoever has one of IPv6 has 2⁶⁴ of them."""
    found = read(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found or address)


class FromProxies:
    """Around all that is served: `scope["client"]` is the client's."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._has_said = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        client = scope.get("client")
        if client and scope["type"] in ("http", "websocket"):
            scope = scope | self._seen(client, scope["headers"])
        return await self._application(scope, receive, send)

    def _seen(self, client: Sequence[Any], headers: Iterable[tuple[bytes, bytes]]) -> Any:
        headers = list(headers)
        ours = networks(tuple(settings.TRUSTED_PROXIES))
        peer = str(client[0])
        forwarded = [v.decode("latin-1") for k, v in headers if k == b"x-forwarded-for"]
        if any((read(peer) or IPv4Address(0)) in network for network in ours):
            found = client_of(peer, forwarded, ours)
            return {"client": client if found == peer else [found, 0]}
        if forwarded and not self._has_said:
            self._has_said = True
            log.warning(
                "X-Forwarded-For of %s counts for nothing: a proxy is named in"
                " FUSION_TRUSTED_PROXIES",
                peer,
            )
        if not ours:
            return {}
        # Whoever comes past the proxies says by no header that the connection is safe.
        return {"headers": [(k, v) for k, v in headers if not k.startswith(b"x-forwarded-")]}
