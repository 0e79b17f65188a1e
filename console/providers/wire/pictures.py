"""Pictures (and sound, and files) in base64, as they come within a body or within a text.

They never become part of a text. `Shortened` cuts what is longer than a screenful out of
the body before it is taken apart, so that no line grows by it; a text has a short mark
where one stood (`PictureMarks`): `[picture: PNG, 180 kB]`. Both take any cutting of what
they read, in one pass. How much was left out is written behind what is kept, as a fragment
of the address: `data:image/png;base64,iVBORw0KGgo…#1572864`. By that `CutOut` finds it again, as
far as an answer's pictures may be large.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from console.engine.attachments import described

_KNOWN_BY = 200  # characters before what was left out, by which it is found again
KEPT = 32 * 1024  # of one picture's base64 in a body; no model writes as much of it by itself
SHORTEST = 2048  # in a text: less of it, outside of a Markdown image, may be code
# Names under which a body holds base64; any other string is as long as a line may be.
_NAMES = (
    *("data", "b64_json", "b64", "base64", "file_data", "image", "image_base64", "imageBytes"),
    *("bytesBase64Encoded", "audio", "result", "signature", "thoughtSignature"),
    "encrypted_content",
)
_BEGINS = re.compile(rf"base64,|\"(?:{'|'.join(_NAMES)})\"\s{{0,8}}:\s{{0,8}}\"".encode())
_LONGEST_BEGIN = 64
# With the backslash, which escapes slashes and the ends of lines within JSON.
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-\\"

_URI = r"data:(?P<type>[\w.+-]{1,60}/[\w.+-]{1,60})?(?P<more>(?:;[\w.+=-]{1,60}){0,4}),"
_IMAGE = r"!\[(?P<alt>[^\[\]\n]{0,200})\]\(\s{0,4}<?"
_HEAD = re.compile(rf"(?P<image>{_IMAGE})?{_URI}", re.IGNORECASE)
_CANDIDATE = re.compile(r"!\[|(?<![A-Za-z0-9])data:", re.IGNORECASE)
_MAY_BE_CANDIDATE = re.compile(r"(?:!|(?<![A-Za-z0-9])d(?:a(?:ta?)?)?)\Z", re.IGNORECASE)
_LETTERS = r"[\w.+;=/-]"
_MAY_BE_HEAD = re.compile(
    r"!(?:\[[^\[\]\n]{0,200}(?:\](?:\(\s{0,4}<?(?:{uri})?)?)?)?|{uri}".replace(
        "{uri}", rf"d(?:a(?:t(?:a(?::{_LETTERS}{{0,300}})?)?)?)?"
    ),
    re.IGNORECASE,
)
_PAYLOAD = re.compile(r"[A-Za-z0-9+/=_%-]*(?:#\d{0,15})?")
_IMAGE_PAYLOAD = re.compile(r"[^\s()<>]*")
_CLOSES = re.compile(r">?(?:[ \t]{1,4}(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'))?[ \t]{0,4}\)")
_MAY_CLOSE = re.compile(
    r">?(?:[ \t]{0,4}|[ \t]{1,4}(?:\"[^\"\n]{0,200}\"?|'[^'\n]{0,200}'?)[ \t]{0,4})"
)

# What base64 of the first bytes tells, where nobody names a type.
_SIGNATURES = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi0": "application/pdf",
    "SUQz": "audio/mpeg",
    "T2dnUw": "audio/ogg",
}


def type_of(payload: str, named: object = None) -> str:
    if isinstance(named, str) and re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", named):
        return named.lower()
    found = (t for signature, t in _SIGNATURES.items() if payload.startswith(signature))
    return next(found, "")


def size_of(payload: str) -> int:
    """In bytes, with what was left out of it."""
    kept, _, rest = payload.partition("#")
    left_out = re.match(r"\d{0,15}", rest)
    return (len(kept.rstrip("=")) + int(left_out[0] if left_out and left_out[0] else 0)) * 3 // 4


class CutOut:
    """What was cut out of one body, as long as pictures of an answer may be, together."""

    def __init__(self, most: int = 0) -> None:
        """`most`: characters of base64."""
        self._left = most
        self._whole: dict[tuple[str, int], str] = {}

    @property
    def room(self) -> int:
        return self._left

    def keep(self, kept: bytes, rest: bytes, left_out: int) -> None:
        self._left -= len(rest)
        begin, rest_ = _unescaped(kept), _unescaped(rest)
        self._whole[begin[-_KNOWN_BY:], left_out] = begin + rest_

    def whole(self, payload: str) -> str:
        """What the provider sent in its place; "" where that was more than is kept."""
        kept, mark, left_out = payload.partition("#")
        if not mark:
            return payload
        size = int(left_out) if left_out.isdecimal() else 0
        return self._whole.get((kept[-_KNOWN_BY:], size), "")


def _unescaped(base64: bytes) -> str:
    """As it is once its JSON is read, but for the ends of lines."""
    plain = base64.replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\", b"")
    return plain.decode("ascii")


def uri_parts(text: str) -> tuple[str, str] | None:
    """(type, payload) of a text that is a data address."""
    head = _HEAD.match(text)
    return (head["type"] or "", text[head.end() :]) if head and not head["image"] else None


class Shortened:
    """Bytes of a body go in and come out without most of what is in base64."""

    def __init__(
        self,
        on_left_out: Callable[[int], None] = lambda size: None,
        cut_out: CutOut | None = None,
    ) -> None:
        self._on_left_out = on_left_out
        self._cut_out = cut_out or CutOut()
        self._context = b""  # the end of what came out, where a beginning may stand
        self._within = False
        self._left_out = 0
        self._kept, self._rest = bytearray(), bytearray()
        self._backslash = b""

    def feed(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        while data:
            if self._within:
                data = self._run(data, pieces)
                continue
            window = self._context + data
            begin = _BEGINS.search(window)
            while begin and begin.end() <= len(self._context):
                begin = _BEGINS.search(window, begin.end())
            if begin is None:
                pieces.append(data)
                self._context = window[-_LONGEST_BEGIN:]
                break
            outside = begin.end() - len(self._context)
            pieces.append(data[:outside])
            data, self._context = data[outside:], b""
            self._within, self._left_out = True, 0
            self._kept, self._rest = bytearray(), bytearray()
        return b"".join(pieces)

    def _run(self, data: bytes, pieces: list[bytes]) -> bytes:
        """What stands behind the base64."""
        rest = data.lstrip(_BASE64)
        run = self._backslash + data[: len(data) - len(rest)]
        self._backslash = b"\\" if run.endswith(b"\\") else b""  # may escape what follows
        run = run.removesuffix(b"\\")
        room = KEPT - len(self._kept)
        kept = run if len(run) <= room else run[:room].rstrip(b"\\")
        if self._left_out:
            kept = b""
        pieces.append(kept)
        self._kept += kept
        left_out = len(run) - len(kept)
        self._left_out += left_out
        self._on_left_out(left_out)
        fits = self._left_out <= self._cut_out.room
        if fits:
            self._rest += run[len(kept) :]
        else:
            self._rest.clear()
        if rest:
            if self._left_out:
                pieces.append(b"#%d" % self._left_out)
                if fits:
                    self._cut_out.keep(bytes(self._kept), bytes(self._rest), self._left_out)
            pieces.append(self._backslash)
            self._within, self._backslash = False, b""
        return rest


class PictureMarks:
    """Text goes in; with marks in the place of pictures it comes out."""

    def __init__(
        self,
        on_left_out: Callable[[int], None] = lambda size: None,
        on_picture: Callable[[str, str, str], None] | None = None,
        most: int = SHORTEST,
    ) -> None:
        """`on_picture` is told of each: type, base64 (as far as `most` characters), what it is
        called."""
        self._on_left_out, self._on_picture = on_left_out, on_picture
        self._most = max(SHORTEST, most)
        self._held = ""
        self._before = ""  # the last character that came out
        self._head: re.Match[str] | None = None  # of the picture within which it is
        self._payload: list[str] = []
        self._kept = self._size = 0
        self._has_ended = False  # the payload; of a Markdown image the rest may follow

    def take(self, text: str) -> str:
        at = len(self._before)
        text, self._held = self._before + self._held + text, ""
        pieces: list[str] = []
        while at < len(text):
            if self._head:
                at = self._within(text, at, pieces)
                continue
            # Or the end of the text, where one may just begin.
            candidate = _CANDIDATE.search(text, at) or _MAY_BE_CANDIDATE.search(
                text, max(at, len(text) - 4)
            )
            start = candidate.start() if candidate else len(text)
            pieces.append(text[at:start])
            at = start
            if at == len(text):
                break
            if head := _HEAD.match(text, at):
                self._head, self._payload, self._kept, self._size = head, [], 0, 0
                self._has_ended = False
                at = head.end()
            elif _MAY_BE_HEAD.fullmatch(text, at):
                self._held = text[at:]
                break
            else:
                pieces.append(text[at])
                at += 1
        told = "".join(pieces)
        self._before = told[-1:] or self._before
        return told

    def has_none_in(self, text: str) -> bool:
        """No picture, and none that may begin at its end: then it comes out as it went in."""
        if self._head or self._held or "!" in text or ":" in text:
            return False
        return not _MAY_BE_CANDIDATE.search(text, max(0, len(text) - 4))

    def went_by(self, text: str) -> None:
        """Text that `has_none_in` was said of."""
        self._before = text[-1:] or self._before

    def end(self) -> str:
        held, self._held = self._held, ""
        pieces: list[str] = []
        if self._head:
            self._finish(pieces)
        return "".join(pieces) + held

    def _within(self, text: str, at: int, pieces: list[str]) -> int:
        head = self._head
        assert head
        if not self._has_ended:
            payload = (_IMAGE_PAYLOAD if head["image"] else _PAYLOAD).match(text, at)
            assert payload
            self._keep(payload[0])
            if payload.end() == len(text):
                return len(text)
            at, self._has_ended = payload.end(), True
        if head["image"]:
            if closes := _CLOSES.match(text, at):
                self._finish(pieces, closed=True)
                return closes.end()
            if _MAY_CLOSE.fullmatch(text, at):
                self._held = text[at:]
                return len(text)
        self._finish(pieces)
        return at

    def _keep(self, payload: str) -> None:
        """The beginning, as far as it may be given back, and the fragment, if there is one."""
        if self._kept <= self._most or "#" in payload:
            self._payload.append(payload)
            self._kept += len(payload)
        else:
            self._size += len(payload)
        if self._kept > SHORTEST and "#" not in payload:
            self._on_left_out(len(payload))

    def _finish(self, pieces: list[str], *, closed: bool = False) -> None:
        head, self._head = self._head, None
        assert head
        payload = "".join(self._payload)
        is_base64 = head["more"].lower().endswith(";base64")
        is_long = len(payload) > SHORTEST
        if not (closed or (is_base64 and is_long)):
            pieces.append(head[0] + payload)
            return
        size = (
            (len(payload) + self._size) if not is_base64 else size_of(payload) + self._size * 3 // 4
        )
        type = type_of(payload, head["type"])
        mark = described(type, size)
        alt = (head["alt"] or "").strip()
        if self._on_picture and is_base64 and type.startswith("image/"):
            self._on_picture(type, payload if not self._size else f"{payload}#{self._size}", alt)
        pieces.append(f"[{mark}]" + (f" ({alt})" if alt else ""))
