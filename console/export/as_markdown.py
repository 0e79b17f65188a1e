"""Accounts of runs as Markdown: texts of models byte for byte under headings of ours.

A text that leaves something open (a fence, a comment, a tag that hides what follows) is closed
behind it, so that no answer swallows the next one. What stands within a line of ours (names,
claims, quotes) is escaped, since nobody means it as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt

from ..markdown.document import complete_lines, too_costly
from .parts import (
    Account,
    ToldAnswer,
    ToldChanges,
    ToldClaim,
    ToldFile,
    ToldFusion,
    ToldLine,
    ToldPicture,
    ToldSource,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&!])")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
# How CommonMark's blocks of HTML begin that go on until something closes them, and what does.
_HTML = (
    (re.compile(r"<(script|pre|style|textarea)\b", re.I), r"</{}>"),
    (re.compile(r"<!--"), "-->"),
    (re.compile(r"<\?"), "?>"),
    (re.compile(r"<!\[CDATA\["), "]]>"),
    (re.compile(r"<![A-Za-z]"), ">"),
)
_parser = MarkdownIt("commonmark")


def markdown(accounts: Sequence[Account]) -> str:
    return "\n\n---\n\n".join("\n\n".join(_account(one)) for one in accounts) + "\n"


def _account(one: Account) -> Iterator[str]:
    yield f"# {_line(one.prompt, 120)}"
    yield "\n".join([f"- Asked {one.asked}", *(f"- {_line(fact)}" for fact in one.facts)])
    yield "## Question"
    yield _quoted(one.prompt)
    if one.error:
        yield f"> {_line(one.error)}"
    for fusion in one.fusions[:1]:
        yield from _fusion(fusion)
    if one.changed:
        yield f"## What changed since {one.changed.since}"
        yield _changes(one.changed)
    for answer in one.answers:
        yield from _answer(answer)
    if one.found_best:
        yield "## Best of these answers"
        yield _list(one.found_best)
    for fusion in one.fusions[1:]:
        yield from _fusion(fusion)
    if one.sources or one.files:
        yield "## Sources"
        yield "\n".join([*map(_source, one.sources), *map(_file, one.files)])
    if one.total:
        yield "## Receipt"
        yield _table([*one.receipt, one.total])


def _changes(changed: ToldChanges) -> str:
    if not changed.changes:
        return "Nothing but words."
    return "\n".join(
        f"- **{word}**: {' → '.join(_line(text) for text in (before, now) if text)}"
        for word, before, now in changed.changes
    )


def _picture(picture: ToldPicture) -> str:
    return f"![{_line(picture.alt)}]({picture.address})"


def _source(source: ToldSource) -> str:
    number = f"[{source.number}] " if source.number else ""
    cited = f" — **{source.cited_by}**" if source.cited_by else ""
    note = f" ({_line(source.note)})" if source.note else ""
    return f"- {number}{_line(source.title)}: <{source.url}>{cited}{note}"


def _file(file: ToldFile) -> str:
    given = f" — {_line(file.given)}" if file.given else ""
    return f"- “{_line(file.name)}” ({file.what}){given}"


def _fusion(fusion: ToldFusion) -> Iterator[str]:
    yield f"## {fusion.title}"
    if fusion.text:
        yield closed(fusion.text)
    yield from map(_picture, fusion.pictures)
    if fusion.notes:
        yield _list(fusion.notes)
    if fusion.asked:
        yield "### Ruled and added by the reader"
        yield _ruled(fusion.asked)
    if fusion.why_no_analysis:
        yield f"> No analysis: {_line(fusion.why_no_analysis)}"
    if fusion.parts:
        yield f"### Analysis of {fusion.title[:1].lower()}{fusion.title[1:]}"
        for part in fusion.parts:
            yield f"#### {part.name} ({part.meaning})"
            claims = (line for claim in part.claims for line in _claim(claim))
            yield "\n".join(claims) or "None found."


def _ruled(told: str) -> str:
    """Lists of ours; their words are a reader's and a model's."""
    return "\n".join(
        f"{line[: len(line) - len(bare)]}{'- ' if bare.startswith('- ') else ''}"
        f"{_line(bare.removeprefix('- '))}"
        for line in told.splitlines()
        if (bare := line.lstrip())
    )


def _claim(claim: ToldClaim, indent: str = "") -> Iterator[str]:
    who = f" — **{claim.who}**" if claim.who else ""
    yield f"{indent}- {_line(claim.text)}{who}"
    for stance in claim.stances:
        yield from _claim(stance, f"{indent}  ")
    for quote in claim.quotes:
        note = f" ({quote.note})" if quote.note else ""
        yield f"{indent}  - {quote.seat}: “{_line(quote.text)}”{note}"


def _answer(answer: ToldAnswer) -> Iterator[str]:
    yield f"## {answer.letter}: {_line(answer.name)}"
    if answer.model != answer.name:
        yield f"Model: {_line(answer.model)}"
    if answer.note:
        yield f"> {_line(answer.note)}"
    if answer.text:
        yield closed(answer.text)
    yield from map(_picture, answer.pictures)
    if answer.sources:
        yield "Sources:"
        yield "\n".join(
            f"- [{number}] {_line(title)}: <{url}>" for number, url, title in answer.sources
        )


def closed(text: str) -> str:
    """The text as it is, and behind it what ends whatever it left open."""
    text = text.rstrip("\n")
    whole = complete_lines(text)
    if too_costly(whole):
        longest = max((len(f[1]) for f in _FENCE.finditer(whole)), default=2)
        fence = "`" * max(3, longest + 1)
        return f"{fence}text\n{text}\n{fence}"
    last = next((t for t in reversed(_parser.parse(whole)) if t.level == 0), None)
    if last is None:
        return text
    if last.type == "fence" and last.map:
        lines = whole.split("\n")[last.map[0] : last.map[1]]
        is_open = len(lines) < 2 or not re.fullmatch(
            rf" {{0,3}}{re.escape(last.markup[0])}{{{len(last.markup)},}}[ \t]*", lines[-1]
        )
        return f"{text}\n{last.markup}" if is_open else text
    if last.type == "html_block":
        return text + _closing(last.content)
    return text


def _closing(html: str) -> str:
    for begins, end in _HTML:
        if found := begins.match(html.lstrip()):
            end = end.format(*found.groups())
            return "" if end in html.lower() else f"\n{end}"
    return ""


def _line(text: str, most: int = 0) -> str:
    """On one line, as text."""
    text = " ".join(text.split())
    if most and len(text) > most:
        text = f"{text[: most - 1].rstrip()}…"
    return _SPECIAL.sub(r"\\\1", text)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _table(lines: Iterable[ToldLine]) -> str:
    rows = (
        f"| {_line(one.what)} | {_line(one.who)} | {one.tokens_in} | {one.tokens_out} "
        f"| {_line(one.cost)} |"
        for one in lines
    )
    head = "| Call | Model | Tokens in | Tokens out | Cost |\n|---|---|---:|---:|---:|"
    return "\n".join([head, *rows])
