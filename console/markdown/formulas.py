r"""From a formula as models write it (LaTeX) to MathML of ours.

A formula is parsed by an allow-list of commands and taken only if it is small, its braces and
environments match, and every sign of it that is no command stands in what it became. What is
not taken is shown as the text it is.

The library is trusted to read, not to write: it puts text into MathML unescaped. What goes onto
a page is written here from the elements it makes, by a list of elements and attributes.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter
from latex2mathml.symbols_parser import SYMBOLS

MAX_CHARS = 2_000
MAX_DEPTH = 50

# Commands that stand for one character are all allowed; these shape what they are given.
# Nothing that addresses, styles, defines, hides or moves: \href, \style, \def, \phantom, \raise.
# fmt: off
_SHAPES = {
    "frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom", "choose", "over", "atop",
    "sqrt", "overset", "underset", "stackrel", "substack", "boxed", "cancel", "bcancel", "xcancel",
    "hat", "widehat", "tilde", "widetilde", "bar", "overline", "underline", "vec", "dot", "ddot",
    "dddot", "acute", "grave", "breve", "check", "mathring", "overbrace", "underbrace",
    "overrightarrow", "overleftarrow", "overleftrightarrow", "xrightarrow", "xleftarrow",
    "xleftrightarrow", "xRightarrow", "xLeftarrow", "xmapsto",
    "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "Bigl", "biggl", "Biggl",
    "bigr", "Bigr", "biggr", "Biggr", "bigm", "Bigm", "biggm", "Biggm",
    "text", "textrm", "textbf", "textit", "textsf", "texttt", "textnormal", "mbox",
    "mathrm", "mathbf", "mathit", "mathsf", "mathtt", "mathbb", "mathcal", "mathscr", "mathfrak",
    "mathnormal", "boldsymbol", "bm", "operatorname", "bra", "ket", "braket", "tag",
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim",
    "exp", "gcd", "hom", "inf", "ker", "lg", "lim", "liminf", "limsup", "ln", "log", "max", "min",
    "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh", "argmax", "argmin", "mod", "bmod", "pmod",
    "limits", "nolimits", "displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle",
    "quad", "qquad", "enspace", "thinspace", "negthinspace", "space", "hline", "nonumber", "notag",
    "dots", "not", "prime", "begin", "end",
}
# fmt: on
_COMMANDS = frozenset(_SHAPES) | {
    name[1:] for name in SYMBOLS if re.fullmatch(r"\\[a-zA-Z]+", name)
}

# An environment, and the one the library has for it; "" leaves only what stands in it.
# fmt: off
_ENVIRONMENTS = {
    "equation": "", "equation*": "", "displaymath": "", "math": "",
    "align": "align*", "align*": "align*", "aligned": "split", "split": "split",
    "eqnarray": "align*", "eqnarray*": "align*",
    "gather": "matrix", "gather*": "matrix", "gathered": "matrix",
    "multline": "matrix", "multline*": "matrix",
    "cases": "cases", "dcases": "cases", "array": "array", "smallmatrix": "smallmatrix",
    **{kind: kind for kind in ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix")},
}
# fmt: on

_NEGATED = {"=": r"\neq ", r"\in": r"\notin ", r"\equiv": r"\not\equiv "}
_PARTS = re.compile(r"\\(?P<command>[a-zA-Z]+)|\\(?P<escaped>.)|(?P<sign>[{}])", re.DOTALL)
_EDGE = re.compile(r"\\(begin|end)\s*\{([a-zA-Z]+\*?)\}")
_COLUMNS = re.compile(r"(\\begin\{array\})\s*\{([lcr|\s]*)\}")
# The library ends such a text at the first brace that closes.
_BRACE_IN_TEXT = re.compile(r"\\(?:text[a-z]*|mbox|tag)\s*\{[^}]*\{")
_ROW_GAP = re.compile(r"\\\\\s*\[\s*-?[\d.]+\s*(?:pt|ex|em|mm|cm)\s*\]")


class _Refused(Exception):
    """This formula is shown as its source."""


@lru_cache(maxsize=1024)
def typeset(source: str, *, is_display: bool) -> str | None:
    """MathML that may stand on a page, or None where the source has to."""
    if len(source) > MAX_CHARS or not source.strip():
        return None
    try:
        prepared = _prepared(source)
        root = Converter(display="block" if is_display else "inline").convert_to_element(prepared)
        _check_every_sign(prepared, root)
        body = "".join(map(_written, root))
    except _Refused:
        return None
    except Exception:  # whatever the library stumbles over: it has some thirty ways to
        return None
    display = ' display="block"' if is_display else ""
    # The source goes along for whoever looks for a passage or copies; no browser shows it.
    note = f'<annotation encoding="application/x-tex">{escape(source.strip())}</annotation>'
    return f"<math{display}><semantics>{body}{note}</semantics></math>"


def _prepared(source: str) -> str:
    """The formula in the library's words. Raises _Refused for what is not allowed."""
    # A comment to LaTeX; from a model, a per cent sign whose backslash was forgotten.
    text = re.sub(r"(?<!\\)((?:\\\\)*)%", r"\1\\%", source)
    text = _ROW_GAP.sub(lambda _: r"\\", text)
    text = re.sub(r"(\\operatorname\*?\s*\{[a-zA-Z]+)\\[,;: ]\s*([a-zA-Z]+\})", r"\1 \2", text)
    text = re.sub(
        r"\\not\s*(=|\\(?:in|equiv)(?![a-zA-Z]))", lambda m: _NEGATED.get(m[1], m[0]), text
    )
    _check_shape(text)
    text = _EDGE.sub(_in_its_words, text).strip()
    if r"\\" in _outside_environments(text):
        kind = "split" if "&" in _outside_environments(text) else "matrix"
        text = rf"\begin{{{kind}}}{text}\end{{{kind}}}"
    return text


def _in_its_words(edge: re.Match[str]) -> str:
    name = _ENVIRONMENTS[edge[2]]
    return rf"\{edge[1]}{{{name}}}" if name else " "


def _check_shape(text: str) -> None:
    """Allowed commands only, nothing open at the end, and not too deep."""
    if _BRACE_IN_TEXT.search(text):
        raise _Refused
    open_things: list[str] = []
    edges = {edge.start(): edge for edge in _EDGE.finditer(text)}
    chain = 0  # commands right behind each other take each other as their argument
    end = 0
    for part in _PARTS.finditer(text):
        chain = chain + 1 if part["command"] and part.start() == end else 0
        end = part.end()
        command = part["command"]
        if command in ("begin", "end"):
            edge = edges.get(part.start())
            if edge is None or edge[2] not in _ENVIRONMENTS:
                raise _Refused
            _open_or_close(open_things, edge[2], opens=command == "begin")
        elif command in ("left", "right"):
            _open_or_close(open_things, "left", opens=command == "left")
        elif command and command not in _COMMANDS:
            raise _Refused
        elif part["sign"]:
            _open_or_close(open_things, "{", opens=part["sign"] == "{")
        if len(open_things) > MAX_DEPTH or chain > MAX_DEPTH:
            raise _Refused
    if open_things:
        raise _Refused


def _open_or_close(open_things: list[str], thing: str, *, opens: bool) -> None:
    if opens:
        open_things.append(thing)
    elif not open_things or open_things.pop() != thing:
        raise _Refused


def _outside_environments(text: str) -> str:
    pieces, depth, at = [], 0, 0
    for edge in _EDGE.finditer(text):
        if depth == 0:
            pieces.append(text[at : edge.start()])
        depth += 1 if edge[1] == "begin" else -1
        at = edge.end()
    return "".join([*pieces, text[at:]])


# ---- nothing lost ----

_NO_SIGN = re.compile(
    r"\\(?:left|right)\s*\.|\\\\|\\[a-zA-Z]+\*?|\\[,;:!> ]|[{}^_&~\s]|(?<![a-zA-Z])'+", re.DOTALL
)
_SAME = str.maketrans({"−": "-", "∗": "*", "′": "'", "∣": "|", "‖": "|", "ˆ": "^", "˜": "~"})


def _check_every_sign(text: str, root: Element) -> None:
    """Letters, figures and operators of the source stand in what it became."""
    text = _COLUMNS.sub(r"\1", text)
    wanted = _signs(_NO_SIGN.sub("", _EDGE.sub("", text)).replace("\\", ""))
    if re.search(r"\\(?:sqrt|x[a-zA-Z]+)\s*\[", text):
        del wanted["["], wanted["]"]
    del wanted["'"]  # several become one sign
    if wanted - _signs("".join(_text_of(element) for element in root.iter())):
        raise _Refused


def _signs(text: str) -> Counter[str]:
    plain = unicodedata.normalize("NFKD", text).translate(_SAME)
    return Counter(sign for sign in plain if not sign.isspace())


_CHARACTER = re.compile(r"&#x([0-9A-Fa-f]{1,6});")


def _text_of(element: Element) -> str:
    return _CHARACTER.sub(lambda found: chr(int(found[1], 16)), element.text or "")


# ---- the MathML that a page gets ----

_ARGUMENTS = {
    "mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3,
    "mover": 2, "munder": 2, "munderover": 3,
}  # fmt: skip
_ELEMENTS = {
    *("mrow", "mi", "mn", "mo", "mtext", "mspace", "msqrt", "mstyle", "mpadded"),
    *("mtable", "mtr", "mtd", *_ARGUMENTS),
}
_ATTRIBUTES = {
    *("accent", "accentunder", "columnalign", "columnlines", "displaystyle", "fence", "form"),
    *("linethickness", "mathvariant", "maxsize", "minsize", "movablelimits", "rowlines"),
    *("scriptlevel", "stretchy", "width"),
}
_VALUE = re.compile(r"[a-zA-Z0-9.+ -]{1,60}")
# `menclose` is in no browser's MathML: the style sheet draws these.
_ENCLOSED = {
    "box": "boxed",
    "updiagonalstrike": "struck",
    "downdiagonalstrike": "struck",
    "updiagonalstrike downdiagonalstrike": "struck",
}


def _written(element: Element) -> str:
    tag = element.tag
    attributes = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES and v}
    if tag == "menclose":
        tag, attributes = "mrow", {"class": _ENCLOSED[element.attrib["notation"]]}
    if tag not in _ELEMENTS or len(element) != _ARGUMENTS.get(tag, len(element)):
        raise _Refused
    if not all(map(_VALUE.fullmatch, attributes.values())):
        raise _Refused
    text = _text_of(element)
    if tag == "mtext":  # in which the library leaves backslashes where they are
        text = re.sub(r"\\([%$&#_])", r"\1", text)
    inner = escape(text) + "".join(_children(element))
    named = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{named}>{inner}</{tag}>"


def _children(element: Element) -> Iterator[str]:
    for child in element:
        if child.tail:
            raise _Refused
        yield _written(child)
