"""One way from a text to the words it is found by, for both databases and for what is typed.

Case, accents and marks go; a sign of a script that writes without blanks is a word by itself, and
so is a stretch of letters and digits; all else is a blank. So neither database's own reading of a
text decides anything, and both find the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LONGEST = 64  # of a word; what is longer is several, one after the other

# Han, kana, Hangul, Thai, Lao, Burmese, Khmer, and what stands beside them.
SIGNS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_SIGN = re.compile(f"([{SIGNS}])")
_WORD = re.compile(rf"[^\W_]{{1,{LONGEST}}}")
# What no decomposition takes apart.
_ALIKE = {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d"}


def words(text: str) -> list[str]:
    return _WORD.findall(_plain(text))


def fold(text: str) -> str:
    """Its words, a blank between two."""
    return " ".join(words(text))


def is_sign(word: str) -> bool:
    return bool(_SIGN.fullmatch(word))


def _plain(text: str) -> str:
    return text.lower() if text.isascii() else _SIGN.sub(r" \1 ", without_marks(text))


def without_marks(text: str) -> str:
    """With each word as it is looked for, and all that stands between them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = plain.translate(_dropped()).casefold()
    # Syllables of Hangul are whole again: each is a sign.
    return unicodedata.normalize("NFC", plain)


def plain_sign(sign: str) -> str:
    """Of one character, for who must know which of a text a word came from."""
    if sign.isascii():
        return sign.lower()
    return _kept(sign)


@cache
def _kept(sign: str) -> str:
    plain = unicodedata.normalize("NFKD", sign.casefold()).translate(_dropped()).casefold()
    return unicodedata.normalize("NFC", plain)


@cache
def _dropped() -> dict[int, str | None]:
    """Marks, signs that are not seen and the line that draws Arabic out; digits are ours."""
    table: dict[int, str | None] = {0x640: None, **{ord(a): b for a, b in _ALIKE.items()}}
    table[0xAD] = None
    for code in (*range(0x300, 0x20000), *range(0xE0000, 0xE0200)):
        sign = chr(code)
        category = unicodedata.category(sign)
        if category[0] == "M" or category == "Cf":
            table[code] = None
        elif category == "Nd":
            table[code] = str(unicodedata.decimal(sign))
    return table
