"""IP addresses as the limits see them, and whose word about a client's address is taken."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

NETWORK_BITS = 64
"""One subscriber has at least this much of IPv6: addresses inside it are as one."""
CACHED = 4_096
MAX_CHARACTERS = 64
"""Of what a trusted proxy gives that is no address."""


@lru_cache(CACHED)
def source(address: str) -> str:
    """What a limit for each address counts: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:MAX_CHARACTERS]
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed, NETWORK_BITS), strict=False))


class TrustedProxies:
    """The peers whose `X-Forwarded-For` is trusted: addresses and networks, separated by commas; `*` is everybody.
    Raises `ValueError` for what is neither."""

    def __init__(self, proxies: str) -> None:
        listed = [one.strip() for one in proxies.split(",") if one.strip()]
        self._everybody = "*" in listed
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(one, strict=False) for one in listed if one != "*"
        ]

    def __contains__(self, address: str) -> bool:
        if self._everybody:
            return True
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
