"""The allow-list: the last step before text of a model becomes part of a page."""

from collections.abc import Callable

import nh3
from django.utils.safestring import SafeString, mark_safe

from console.engine.spec import MAX_SEATS
from console.markdown.directions import BLOCKS
from console.markdown.highlighting import LANGUAGES, TOKEN_CLASSES

# No img, svg, math, style, form or input: nothing that loads, runs or asks for anything.
# fmt: off
TAGS = frozenset({
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
})
# fmt: on
# Plain attributes. `class` is not among them: it is checked against CLASSES, word by word.
ATTRIBUTES = {"a": frozenset({"href"}), "ol": frozenset({"start"})}
ALIGNMENTS = frozenset({"left", "center", "right"})
DIRECTIONS = frozenset({"ltr", "rtl"})
SCHEMES = frozenset({"http", "https", "mailto"})
CLASSES = {
    "code": frozenset(f"language-{name}" for name in LANGUAGES),
    "pre": frozenset({"plain"}),
    "span": TOKEN_CLASSES | {"host", "source", "source-own", "source-you"},
}
# A mark of provenance names its seat, which gives it its colour.
SEATS = frozenset(map(str, range(MAX_SEATS)))
LINK_REL = "noopener noreferrer nofollow"

_cleaner = nh3.Cleaner(
    tags=TAGS,
    # The key "*" empties the library's own list of attributes allowed on every tag.
    attributes={"*": frozenset(), **ATTRIBUTES},
    tag_attribute_values={
        **{tag: {"dir": DIRECTIONS} for tag in BLOCKS},
        **{tag: {"align": ALIGNMENTS, "dir": DIRECTIONS} for tag in ("td", "th")},
        "span": {"data-seat": SEATS},
    },
    allowed_classes=CLASSES,
    link_rel=LINK_REL,
    url_schemes=SCHEMES,
    url_relative="deny",
)


def sanitise(html: str, afterwards: Callable[[str], str] = str) -> SafeString:
    """`afterwards` puts in what is of our own making; see `formula_syntax.Kept`."""
    # Safe because the allow-list above is applied in this very expression, and all that is added
    # afterwards is MathML that was written here, element by element.
    return mark_safe(afterwards(_cleaner.clean(html)))
