"""Addresses as the limits count them, and which peers may name a client's address."""

import pydantic
import pytest

from gateway.addresses import TrustedProxies, source
from gateway.settings import Settings


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 1_000, "x" * 64),
        ("", ""),
    ],
)
def test_what_is_counted_as_one_address(address: str, counted: str) -> None:
    assert source(address) == counted


@pytest.mark.parametrize(
    ("proxies", "trusted", "others"),
    [
        ("", [], ["127.0.0.1", "::1", "unknown", ""]),
        ("*", ["127.0.0.1", "unknown"], []),
        ("10.0.0.0/8, 192.168.1.5 ,fd00::/8", ["10.1.2.3", "192.168.1.5", "fd12::1"], ["11.0.0.1", "192.168.1.6", "x"]),
    ],
)
def test_who_is_a_proxy(proxies: str, trusted: list[str], others: list[str]) -> None:
    known = TrustedProxies(proxies)
    assert all(address in known for address in trusted)
    assert not any(address in known for address in others)


@pytest.mark.parametrize("proxies", ["caddy", "10.0.0.0/99", "10.0.0.1;10.0.0.2"])
def test_a_proxy_is_an_address(proxies: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings(database_url="postgresql://nowhere", trusted_proxies=proxies)
