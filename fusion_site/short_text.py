"""What a page says over its socket and is sent, read and framed without Autobahn."""

from functools import lru_cache

MOST = 256  # bytes that are looked through: a page that was held up says two or three at once


def short_texts(data: bytes) -> list[bytes] | None:
    """Of messages that all came whole, each in a frame of its own; None of all else."""
    texts: list[bytes] = []
    if len(data) > MOST:
        return None
    while data:
        end = 6 + (data[1] & 0x7F) if len(data) > 1 else 0
        text = short_text(data[:end])
        if text is None:
            return None
        texts.append(text)
        data = data[end:]
    return texts


def short_text(data: bytes) -> bytes | None:
    """Of a message that came whole, in a frame of its own: an acknowledgement, as pages send with
    every frame, for which Autobahn makes forty calls. None of all else, which is for Autobahn."""
    length = len(data) - 6  # without the head, the mask within
    if length < 0 or data[0] != 0x81 or data[1] != 0x80 | length or length > 125:
        return None
    mask = (data[2:6] * 32)[:length]
    text = int.from_bytes(data[6:], "big") ^ int.from_bytes(mask, "big")
    plain = text.to_bytes(length, "big")
    return plain if plain.isascii() else None


@lru_cache(maxsize=32)
def framed(text: str) -> bytes | None:
    """A message as it goes over the line, made once for all who are sent it. None of what is longer
    than any may be (web.py), which is for Autobahn to refuse."""
    data = text.encode()
    length = len(data)
    if length > 0xFFFF:
        return None
    head = bytes([length]) if length <= 125 else b"\x7e" + length.to_bytes(2, "big")
    return b"\x81" + head + data
