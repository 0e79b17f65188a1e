"""What a file of weights says of itself, in its first bytes.

GGUF: the magic, a version, two counts, then keys with their values. The few that are wanted come
before the vocabulary, which is long: there reading ends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

LEAST_BYTES = 1_000_000
_VERSIONS = (2, 3)
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"}
_SCALARS |= {10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 100_000  # of a string, in bytes
_KEYS = 500
# They embed, look or listen; none can be talked to.
_NO_CHAT = ("bert", "clip", "t5encoder", "whisper", "wavtokenizer")


@dataclass(frozen=True)
class Header:
    architecture: str
    context_length: int  # that it was trained for; 0: it does not say
    token_bytes: int = 0  # that a server keeps of each token it has read; 0: it does not say


def read_header(path: Path) -> Header:
    """Raises SystemExit for what is no file of weights that one can talk to, in words."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            magic = file.read(4)
            if magic != b"GGUF":
                is_pointer = magic == b"vers"
                kind = "a pointer of Git LFS, not the file itself" if is_pointer else "no GGUF file"
                raise SystemExit(f"{path} is {kind}.")
            if size < LEAST_BYTES:
                raise SystemExit(f"{path} is too small to be a model ({size} bytes): is it whole?")
            values = _values(file)
    except OSError as e:
        raise SystemExit(f"{path} cannot be read: {e.strerror}.") from None
    except (struct.error, ValueError, KeyError):
        raise SystemExit(f"{path} is damaged, or of a version that is not known here.") from None
    architecture = str(values.get("general.architecture", ""))
    if any(word in architecture for word in _NO_CHAT):
        raise SystemExit(f"{path} is no model to talk to: its architecture is {architecture}.")
    number = _Numbers(values, architecture)
    heads = number.of("attention.head_count")
    width = number.of("attention.key_length") or number.of("embedding_length") // max(heads, 1)
    kept = number.of("attention.head_count_kv") or heads
    # Keys and values of every layer, two bytes each.
    token_bytes = number.of("block_count") * kept * width * 2 * 2
    return Header(architecture, number.of("context_length"), token_bytes)


@dataclass(frozen=True)
class _Numbers:
    values: dict[str, Any]
    architecture: str

    def of(self, name: str) -> int:
        value = self.values.get(f"{self.architecture}.{name}")
        return value if isinstance(value, int) and 0 < value < 2**31 else 0


def _values(file: BinaryIO) -> dict[str, Any]:
    version, _, count = struct.unpack("<IQQ", _bytes(file, 20))
    if version not in _VERSIONS:
        raise ValueError("version")
    values: dict[str, Any] = {}
    for _ in range(min(count, _KEYS)):
        key, kind = _string(file), _number(file, "<I")
        if kind == _ARRAY:
            break
        values[key] = _string(file) if kind == _STRING else _number(file, _SCALARS[kind])
    return values


def _string(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > _LONGEST:
        raise ValueError("string")
    return _bytes(file, length).decode("utf-8", "replace")


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, _bytes(file, struct.calcsize(form)))[0]


def _bytes(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ValueError("it ends here")
    return data
