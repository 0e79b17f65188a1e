from __future__ import annotations

import base64
import io
from typing import Any, BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from .limits import Unreadable

PIXELS = 50_000_000
SMALL = (320, 320)
# What models are sent: of anything larger they make as much themselves, if they take it at all.
SENT = (2048, 2048)
SENT_BYTES = 3_500_000


def read(kind: str, file: BinaryIO, size: int) -> dict[str, Any]:
    Image.MAX_IMAGE_PIXELS = None  # we count ourselves, before anything is unpacked
    try:
        # One format only, whatever else it might be.
        with Image.open(file, formats=[kind.upper()]) as picture:
            width, height = picture.size
            if width * height > PIXELS:
                large = f"has {width * height / 1e6:,.0f} megapixels"
                raise Unreadable(f"{large}; at most {PIXELS // 10**6} are read")
            picture.draft("RGB", SENT)
            picture.load()
            shown = ImageOps.exif_transpose(picture)
            found: dict[str, Any] = {"parts": [], "width": width, "height": height}
            if width > SENT[0] or height > SENT[1] or size > SENT_BYTES:
                shown.thumbnail(SENT)
                found["reduced"] = _base64(_flat(shown), "JPEG", quality=85)
                found["reduced_to"] = list(shown.size)
            shown.thumbnail(SMALL)
            found["thumbnail"] = _base64(
                shown.convert("RGBA" if _is_clear(shown) else "RGB"), "PNG"
            )
            return found
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise Unreadable("is no picture that can be read: it is broken") from None


def _base64(picture: Image.Image, kind: str, **how: Any) -> str:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return base64.b64encode(out.getvalue()).decode()


def _flat(picture: Image.Image) -> Image.Image:
    """On white, where it is clear."""
    if not _is_clear(picture):
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")


def _is_clear(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
