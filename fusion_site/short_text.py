"""What a page says over its socket, read without Autobahn."""


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
