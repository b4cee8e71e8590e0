"""Files over HTTP: compressed, with an entity tag, and under the content security policy of our pages."""

import gzip
from functools import lru_cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import Request, Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob: https:",  # a picture in a note, shown on request: docs/adr/0008
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "application/manifest", "image/svg")
CACHED_FILES = 256


def file_response(file: Path, request: Request, status: int = 200, *, cache_control: str = "no-cache") -> Response:
    """The content of `file`, or 304 if the client has the same version."""
    media_type = guess_type(file.name)[0] or "application/octet-stream"
    plain, packed, tag = _read(file, file.stat().st_mtime_ns, media_type.startswith(COMPRESSED_TYPES))
    headers = {
        "Cache-Control": cache_control if status == 200 else "no-store",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    if status == 200 and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, status, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
    return Response(plain, status, headers=headers, media_type=media_type)


@lru_cache(CACHED_FILES)
def _read(file: Path, modified: int, compress: bool) -> tuple[bytes, bytes | None, str]:
    """A file's bytes, the same compressed, and an entity tag. `modified` is part of the cache key only, so that a file
    that has changed is read again."""
    plain = file.read_bytes()
    return plain, gzip.compress(plain, 9) if compress else None, f'W/"{sha256(plain).hexdigest()[:20]}"'
