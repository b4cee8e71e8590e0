"""Reads one picture, in a process of its own: `python -m notes_service.files.picture_process WIDTH_LIMIT`.

Pictures are made by strangers, and the libraries that decode them are written in C. So this process has bounds of
memory and of CPU time that the system enforces, and no environment: no key and no address of a database. It imports
nothing of ours.

The picture comes on stdin. On stdout goes one line of JSON, `{"media_type", "width", "height"}`, and for a
`WIDTH_LIMIT` above 0 a copy as WebP whose longer side has as many pixels at most, without any metadata: no position, no
camera, no name. It ends with `REFUSED` for what is no picture, and for one that is too large to be decoded.
"""

import io
import json
import resource
import sys

MEMORY_BYTES = 1024**3
CPU_SECONDS = 20
MAX_PIXELS = 80_000_000
"""Of a picture that is decoded: at four bytes each, with a copy while it is turned, less than the memory."""
REFUSED = 3
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
QUALITY = 82
TURNED_BY_90 = (5, 6, 7, 8)
ORIENTATION = 0x0112


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    limit = int(sys.argv[1])
    data = sys.stdin.buffer.read()
    try:
        about, copy = read(data, limit)
    except Exception as error:  # the decoders raise whatever they like
        sys.stderr.write(type(error).__name__)
        sys.exit(REFUSED)
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n" + copy)


def read(data: bytes, limit: int) -> tuple[dict[str, str | int], bytes]:
    """Raises any exception for what is no picture."""
    from PIL import Image, ImageOps  # noqa: PLC0415  (after the bounds are set)

    Image.MAX_IMAGE_PIXELS = None  # our own, below
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        is_turned = picture.getexif().get(ORIENTATION) in TURNED_BY_90
        width, height = (picture.height, picture.width) if is_turned else picture.size
        about: dict[str, str | int] = {
            "media_type": Image.MIME[picture.format or ""],
            "width": width,
            "height": height,
        }
        if not limit:
            return about, b""
        picture.draft("RGB", (limit, limit))  # a JPEG is decoded at a fraction of its size
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    has_alpha = upright.has_transparency_data
    smaller = upright.convert("RGBA" if has_alpha else "RGB")
    smaller.thumbnail((limit, limit), Image.Resampling.LANCZOS)
    copy = Image.new(smaller.mode, smaller.size)  # with the pixels and nothing else
    copy.paste(smaller)
    written = io.BytesIO()
    copy.save(written, "WEBP", quality=QUALITY)
    return about, written.getvalue()


if __name__ == "__main__":
    main()
