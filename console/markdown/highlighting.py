"""Colours for fenced code, as Pygments' short classes (static/console/run/code.css).

The languages are a fixed list: looking up a name Pygments does not know imports every
installed plug-in, and rarely used lexers are where its slow expressions live.
"""

import re
from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

# Code beyond these is shown uncoloured. A lexer's regular expression cannot be interrupted and
# stops every other thread; half of the lexers here need more than a second for some single
# line of 16 KB, or for as many blank lines, and none needs 0.25 s within these limits.
MAX_CODE_CHARS = 16_000
MAX_LINE_CHARS = 300
_MANY_BLANK_LINES = re.compile(r"(?:\n[ \t]*){20}")

# fmt: off
LANGUAGES = frozenset({
    "bash", "c", "cpp", "csharp", "css", "dart", "diff", "docker", "elixir", "erlang", "go",
    "graphql", "groovy", "haskell", "hcl", "html", "ini", "java", "javascript", "json", "julia",
    "kotlin", "latex", "lua", "make", "matlab", "nginx", "nix", "objective-c", "ocaml", "perl",
    "php", "powershell", "protobuf", "python", "r", "ruby", "rust", "scala", "scss", "sql",
    "swift", "toml", "typescript", "xml", "yaml", "zig",
})
# fmt: on
_ALIASES = {
    "c#": "csharp",
    "c++": "cpp",
    "cs": "csharp",
    "dockerfile": "docker",
    "golang": "go",
    "hs": "haskell",
    "js": "javascript",
    "json5": "json",
    "jsonc": "json",
    "jsx": "javascript",
    "kt": "kotlin",
    "makefile": "make",
    "objc": "objective-c",
    "postgresql": "sql",
    "proto": "protobuf",
    "ps1": "powershell",
    "py": "python",
    "python3": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "bash",
    "shell": "bash",
    "terraform": "hcl",
    "tex": "latex",
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
    "zsh": "bash",
}
TOKEN_CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)

_formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True)


def language_of(info: str) -> str | None:
    """The language a fence's info string names, if it is one we know."""
    words = info.split(maxsplit=1)
    if not words:
        return None
    name = words[0].lower()
    name = _ALIASES.get(name, name)
    return name if name in LANGUAGES else None


# A list or quote that is still being written is rendered again at every step, and the
# finished fences inside it with it.
@lru_cache(maxsize=128)
def coloured(code: str, language: str) -> str:
    if _is_costly(code):
        return escape(code)
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    return highlight(code, lexer, _formatter)


def _is_costly(code: str) -> bool:
    return (
        len(code) > MAX_CODE_CHARS
        or max(map(len, code.split("\n"))) > MAX_LINE_CHARS
        or _MANY_BLANK_LINES.search(code) is not None
    )
