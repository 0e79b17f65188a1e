"""What a server sends beside the text of an answer: noted by its type and size; pictures that came
whole and are small are handed on.

Pictures come as `images` of a message (OpenRouter, LiteLLM), as parts of its content
(`image_url`, Anthropic's `source`), or in Gemini's form (`inline_data`); sound as `audio`,
in pieces, with its words beside it. Of whatever holds them only known names are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.engine.attachments import (
    PICTURE_BYTES,
    PICTURES,
    PICTURES_BYTES,
    TOO_LARGE,
    TOO_MANY,
    Attachment,
    Picture,
)

from .citations import is_page
from .pictures import CutOut, size_of, type_of, uri_parts
from .refusals import Scrub

MOST = 20
MOST_BASE64 = PICTURES_BYTES * 4 // 3  # characters of all pictures together
DEPTH = 4
# Names under which it stands, in a message or a part, and what it then is.
_WITHIN = {
    "images": "image", "image": "image", "image_url": "image", "output_image": "image",
    "audio": "audio", "input_audio": "audio", "output_audio": "audio", "audio_url": "audio",
    "video": "video", "video_url": "video",
    "file": "application", "inline_data": "", "inlineData": "", "source": "",
    "content": "", "parts": "",
}  # fmt: skip
_NAMES = [name for name in _WITHIN if name != "audio"]  # which comes in pieces
_HOLDS = ("url", "data", "b64_json", "file_data", "image_base64", "result", "fileUri", "file_uri")
_TYPES = ("mime_type", "mimeType", "media_type", "mediaType")


class Attachments:
    def __init__(self, scrub: Scrub, cut_out: CutOut) -> None:
        self._scrub, self._cut_out = scrub, cut_out
        self._found: dict[tuple[str, int | None, str], Attachment] = {}
        self._pictures: list[Picture] = []
        self._room = PICTURES_BYTES
        self._sound = 0  # bytes of sound that comes in pieces

    def take(self, message: dict[str, Any]) -> None:
        audio = message.get("audio")
        if isinstance(audio, dict) and isinstance(audio.get("data"), str):
            self._sound += size_of(audio["data"])
        for name in _NAMES:
            if value := message.get(name):
                for one in _found(value, _WITHIN[name], DEPTH):
                    self._note(*one)

    def take_from_text(self, type: str, payload: str, alt: str) -> None:
        self._note(type, payload, "", alt)

    def _note(self, type: str, payload: str, url: str, alt: str = "") -> None:
        size = size_of(payload) if payload else None
        key = (type, size, payload[:200] or url)
        if len(self._found) >= MOST or key in self._found:
            return  # some send it once as it comes and once in the whole message
        attachment: Attachment = {"type": type}
        if size is not None:
            attachment["bytes"] = size
        if url and is_page(url, self._scrub):
            attachment["url"] = url
        if alt:
            attachment["alt"] = alt
        if size and type.startswith("image"):
            self._hand_on(attachment, size, payload)
        self._found[key] = attachment

    def _hand_on(self, attachment: Attachment, size: int, payload: str) -> None:
        if size > PICTURE_BYTES:
            attachment["why"] = TOO_LARGE
        elif size > self._room or len(self._pictures) == PICTURES:
            attachment["why"] = TOO_MANY
        elif whole := self._cut_out.whole(payload):
            self._room -= size
            self._pictures.append(Picture(len(self._found), whole))

    def pictures(self) -> tuple[Picture, ...]:
        return tuple(self._pictures)

    def whole(self) -> tuple[Attachment, ...]:
        sound = [{"type": "audio", "bytes": self._sound}] if self._sound else []
        return (*self._found.values(), *sound)


def words_beside(message: dict[str, Any]) -> str:
    """What is said in sound, as text."""
    audio = message.get("audio")
    words = audio.get("transcript") if isinstance(audio, dict) else ""
    return words if isinstance(words, str) else ""


def _found(value: Any, family: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """(type, base64, address)."""
    if isinstance(value, list):
        for one in value[:MOST] if depth else ():
            if isinstance(one, dict):
                yield from _found(one, family, depth - 1)
    elif isinstance(value, str):
        if family:
            yield from _one(value, None, family)
    elif isinstance(value, dict) and depth:
        family = family or _WITHIN.get(str(value.get("type")), "")
        named = next((value[n] for n in _TYPES if isinstance(value.get(n), str)), None)
        format = value.get("format")
        if named is None and family and isinstance(format, str):
            named = f"{family}/{format}"
        for name in _HOLDS:
            if isinstance(held := value.get(name), str) and held:
                yield from _one(held, named, family)
                return
        for name, inner in _WITHIN.items():
            if name in value:
                yield from _found(value[name], inner or family, depth - 1)


def _one(held: str, named: str | None, family: str) -> Iterator[tuple[str, str, str]]:
    if uri := uri_parts(held):
        type, payload = uri
        yield type_of(payload, type or named) or family, payload, ""
    elif held.startswith(("https://", "http://")):
        yield type_of("", named) or family, "", held
    elif named or family:
        yield type_of(held, named) or family, held, ""
