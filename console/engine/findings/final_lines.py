"""What an answer comes to: its last line, in one form, so that two that say the same are alike."""

from __future__ import annotations

import re
import unicodedata

# A sign stays: -5 is not 5.
_EDGES = " \t.,:;!?\"'“”‘’«»()[]{}<>*_`#~=|\\"
# .5 is not 5.
_FIRST = re.compile(rf"(?:(?!\.\d)[{re.escape(_EDGES)}])+")
_NO_ZERO = re.compile(r"^-?(?=\.\d)")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SET_AS = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_CURRENCY, _NUMBER = "[$€£¥]", r"\d[\d.]*"
_WITH_UNIT = re.compile(
    rf"(?P<sign>-?) ?(?:{_CURRENCY} ?(?P<sum>-?{_NUMBER})|(?P<share>{_NUMBER}) ?(?:{_CURRENCY}|%))"
)
LEAD_IN = re.compile(
    r"^(?:so |thus |therefore |hence )?,?\s*(?:the )?(?:final )?answer\s*(?:is\b\s*:?|:|=)\s*"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalise(text: str) -> str:
    """Without regard to case, white space, Markdown, quotes, or how digits are grouped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("**", "").replace("−", "-")
    return trimmed(_THOUSANDS.sub("", " ".join(plain.split())))


def last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if normalise(line)), "")


def final_line(text: str) -> str:
    return without_lead_in(normalise(_unboxed(last_line(text))))


def final_words(text: str) -> str:
    """The same as it was written, for people."""
    line = " ".join(_unboxed(last_line(text)).replace("**", "").split())
    words = trimmed(re.sub(LEAD_IN.pattern, "", trimmed(line), flags=re.IGNORECASE))
    return words.strip("$") if words[:1] == words[-1:] == "$" else words


def _unboxed(line: str) -> str:
    boxed = _BOXED.findall(line)
    return _SET_AS.sub(r"\1", boxed[-1] if boxed else line)


def without_lead_in(line: str) -> str:
    line = trimmed(LEAD_IN.sub("", line))
    # Formulas stand between dollar signs.
    if len(line) > 2 and line[0] == line[-1] == "$":
        line = trimmed(line.strip("$"))
    return line


def without_unit(line: str) -> str:
    match = _WITH_UNIT.fullmatch(line)
    return match["sign"] + (match["sum"] or match["share"]) if match else line


def trimmed(text: str) -> str:
    text = text.rstrip(_EDGES)
    if first := _FIRST.match(text):
        text = text[first.end() :]
    return _NO_ZERO.sub(lambda sign: f"{sign[0]}0", text)
