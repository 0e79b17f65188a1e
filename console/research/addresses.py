"""Which addresses may be fetched from: public ones, and what the operator lists.

An address is looked at as the number it is, never as it is written: IPv6 has several ways to hold
an IPv4 address, and each of them leads to that one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"http": (80, 8080), "https": (443, 8443)}
# IPv6 around an IPv4 address: how many bits stand behind it.
_AROUND = {
    ipaddress.IPv6Network("::ffff:0:0/96"): 0,  # mapped
    ipaddress.IPv6Network("::/96"): 0,  # compatible, given up long ago
    ipaddress.IPv6Network("64:ff9b::/96"): 0,  # NAT64
    ipaddress.IPv6Network("2002::/16"): 80,  # 6to4
}


class NotAllowed(ValueError):
    """An entry of the operator's list is neither a network nor a host with its port."""


@dataclass(frozen=True)
class Allowed:
    """What the operator lists: networks, with all their ports, and hosts with one."""

    networks: tuple[Network, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Raises NotAllowed."""
        networks, places = [], set()
        for entry in filter(None, (e.strip().lower() for e in entries)):
            try:
                networks.append(ipaddress.ip_network(entry))
                continue
            except ValueError:
                host, _, port = entry.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise NotAllowed(f"“{entry}” is neither a network nor a host with its port.")
            places.add((host.strip("[]"), int(port)))
        return cls(tuple(networks), frozenset(places))

    def has_place(self, host: str, port: int) -> bool:
        return (host, port) in self.places

    def has_address(self, address: Address) -> bool:
        inner = inner_of(address)
        return any(inner in n for n in self.networks if n.version == inner.version)


def is_public(address: Address) -> bool:
    inner = inner_of(address)
    if isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local:
        return False  # given up long ago, and in use within houses all the same
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def inner_of(address: Address) -> Address:
    """The IPv4 address that one of IPv6 leads to, else itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo:
            return address.teredo[1]
        for around, behind in _AROUND.items():
            if address in around and int(address) > 1:  # ::1 is no IPv4
                return ipaddress.IPv4Address((int(address) >> behind) & 0xFFFF_FFFF)
    return address


def literal(host: str) -> Address | None:
    """The address that a host is, as it is usually written. Raises ValueError where it is a number
    written in another way, which some systems take for an address."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        if last.isdecimal() or last.startswith("0x"):
            raise
        return None
