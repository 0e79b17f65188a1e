"""What a call may come to at the most, before anybody is asked, and what it probably does.

No tokeniser in use makes more than a token of two bytes of running text, nor more than one of
each byte of Chinese, Japanese or Korean. What a request carries beside its messages (tools, a
schema) is read by the model, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from ..content import text_of
from ..provider import Request
from ..spec import Panelist
from .window import OUTPUT_SHARE, tokens_in

BYTES_A_TOKEN = 2
OF_A_MESSAGE = 8  # tokens that mark where one begins and who says it
# Where nobody set a limit, so much is paid for and asked for.
USUAL_OUTPUT = 32_000

_SERVER_TOOLS = "openrouter:web_"
# Models that search whether they are told to or not, by their names.
_SEARCHES = re.compile(r":online$|\bsonar\b|-search\b|deep-research", re.IGNORECASE)

_CJK = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef"
                  "\U0001f000-\U0001faff\U00020000-\U0003ffff]+")  # fmt: skip


def input_at_most(request: Request) -> int:
    """Tokens."""
    texts = list(_texts(request))
    files = sum(file.tokens for file in request.files.values())
    return sum(map(at_most, texts)) + OF_A_MESSAGE * (len(request.messages) + 2) + files


def output_at_most(panelist: Panelist, limit: int | None, reads: int = 0) -> int:
    """Tokens that are asked for where money is held: the limit, or so much where nobody set one,
    as far as that has room beside what the model probably reads: servers refuse more."""
    if limit:
        return limit
    window = panelist.context_length
    if window is None:
        return USUAL_OUTPUT
    return min(USUAL_OUTPUT, max(window - reads, window // OUTPUT_SHARE))


def input_probably(request: Request) -> int:
    """Tokens."""
    files = sum(file.tokens for file in request.files.values()) // 2
    texts = sum(map(tokens_in, _texts(request)))
    return texts + OF_A_MESSAGE // 2 * len(request.messages) + files


def fees_at_most(model: str, request: Request, search: Decimal, result: Decimal) -> Decimal:
    """US dollars beside its tokens: of a call that may search the web, where a search costs so
    much, and a page that OpenRouter's plugin finds."""
    if request.search:
        return max(search * request.search.queries, result * request.search.pages)
    offered = request.terms.beside.get("plugins") or ()
    plugins = [p for p in offered if isinstance(p, dict) and p.get("id") == "web"]
    tools = [t for t in request.options.get("tools") or () if isinstance(t, dict)]
    is_tool = any(str(tool.get("type")).startswith(_SERVER_TOOLS) for tool in tools)
    is_asked = plugins or is_tool or "web_search_options" in request.options
    if not (is_asked or searches_unasked(model)):
        return Decimal(0)
    results = [p.get("max_results") for p in plugins]
    most = max((n for n in results if isinstance(n, int) and 0 < n <= 1_000), default=0)
    return max(search, result * most)


def searches_unasked(model: str) -> bool:
    return bool(_SEARCHES.search(model))


def _texts(request: Request) -> Iterator[str]:
    for message in request.messages:
        yield text_of(message.get("content"))
        if beside := {k: v for k, v in message.items() if k not in ("role", "content") and v}:
            yield json.dumps(beside, ensure_ascii=False, default=str)
    for more in (request.options, request.response_schema):
        if more:
            yield json.dumps(more, ensure_ascii=False, default=str)


def at_most(text: str) -> int:
    size = len(text.encode(errors="replace"))
    if text.isascii():
        return -(-size // BYTES_A_TOKEN)
    dense = sum(len(found.encode(errors="replace")) for found in _CJK.findall(text))
    return dense + -(-(size - dense) // BYTES_A_TOKEN)
