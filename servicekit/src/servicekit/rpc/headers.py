"""The headers of a reply that is an error: two of the NATS micro protocol (ADR-32), and our code.

The reply's body then holds the error's details as a JSON object.
"""

import orjson

from contracts.errors import DomainError, Internal, rebuild

SERVICE_ERROR = "Nats-Service-Error"
SERVICE_ERROR_CODE = "Nats-Service-Error-Code"
ERROR_CODE = "Inkstream-Error-Code"


def write_error(error: DomainError) -> tuple[dict[str, str], bytes]:
    headers = {SERVICE_ERROR: error.message, SERVICE_ERROR_CODE: str(error.status), ERROR_CODE: error.code}
    return headers, orjson.dumps(error.details)


def read_error(headers: dict[str, str] | None, body: bytes) -> DomainError | None:
    """The error in a reply, or None if the reply is a response."""
    if not headers or SERVICE_ERROR_CODE not in headers:
        return None
    try:
        return rebuild(
            headers.get(ERROR_CODE, Internal.code), headers.get(SERVICE_ERROR, ""), orjson.loads(body or b"{}")
        )
    except (ValueError, TypeError):  # details of another version, which are not understood
        return Internal()
