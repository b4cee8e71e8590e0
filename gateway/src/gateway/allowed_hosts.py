"""Which host names a request may be sent to.

A page of another site can make its own name lead to this machine (DNS rebinding). Its requests are then of one origin
with us in the browser's eyes, but they carry that name. An IP address cannot be made to lead elsewhere.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit


def host_names(urls: str) -> frozenset[str]:
    """The host names in `urls`, which are separated by commas. Raises `ValueError` for one without a host name."""
    listed = [url.strip() for url in urls.split(",") if url.strip()]
    names = [_host_name(url.partition("://")[2] if "://" in url else url) for url in listed]
    if None in names:
        raise ValueError(f"no host name in {listed[names.index(None)]!r}")
    return frozenset(name for name in names if name is not None)


def is_allowed(host: str, public: frozenset[str]) -> bool:
    """`host`: the value of the Host header. Allowed are the `public` names, those of this machine, and IP addresses."""
    name = _host_name(host)
    if name is None:
        return False
    return name in public or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def _host_name(authority: str) -> str | None:
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
