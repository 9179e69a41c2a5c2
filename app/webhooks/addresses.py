"""Where a webhook may lead: nowhere but to a machine of the public internet, whatever its name resolves to.

What is read from the text here is what is connected to (`connecting.py`): nobody parses the address a second time.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Self

PORTS = frozenset({443, 8443})
LONGEST_HOST = 253
# Letters, digits, hyphens and dots, or an IPv6 address in brackets; no user, no fragment, nothing but ASCII.
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<target>[/?][!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*)?",
    re.ASCII,
)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

# What the standard library of some version still takes for global.
CLOSED = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("224.0.0.0/4", "240.0.0.0/4"),
    )
)
UNICAST = IPv6Network("2000::/3")
# Protocol assignments with Teredo and ORCHID, documentation, and 6to4: addresses that hold or mean another one.
CLOSED_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


class AddressRefused(Exception):  # noqa: N818 - a state of the address
    """The text is no address for a webhook, or leads to a machine that a webhook must not reach."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it is connected to. `target` is path and query, percent-encoded."""

    scheme: str
    host: str
    port: int
    target: str
    loopback: bool

    @classmethod
    def read(cls, text: str, *, demo: bool) -> Self:
        """The parts of `text`. Raises AddressRefused; http is for the own machine in a demo."""
        found = ADDRESS.fullmatch(text)
        if found is None:
            raise AddressRefused
        scheme, host = found["scheme"], found["host"].strip("[]").lower()
        port = int(found["port"] or (443 if scheme == "https" else 80))
        loopback = demo and scheme == "http" and host in LOOPBACK_NAMES
        if len(host) > LONGEST_HOST or (not loopback and (scheme != "https" or port not in PORTS)):
            raise AddressRefused
        if not 1 <= port <= 65_535:
            raise AddressRefused
        target = found["target"] or "/"
        return cls(scheme, host, port, target if target.startswith("/") else f"/{target}", loopback)

    @property
    def named(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def check_resolved(text: str, *, loopback: bool) -> None:
    """Raises AddressRefused unless a webhook may connect to this IP address; `loopback`: only to this machine."""
    try:
        found = ip_address(text)
    except ValueError:
        raise AddressRefused from None
    if not (found.is_loopback if loopback else _is_public(found)):
        raise AddressRefused


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in CLOSED)
    # Whatever is not plain unicast is refused, and with it what wraps an IPv4 address (mapped, NAT64).
    return (
        address.scope_id is None
        and address.is_global
        and address in UNICAST
        and not any(address in network for network in CLOSED_V6)
    )
