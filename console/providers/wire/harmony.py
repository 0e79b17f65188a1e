"""The channels of gpt-oss, where a server passes them on as text.

A message is a header (`<|start|>` and a role, `<|channel|>` and a name, `<|message|>`) and a
body, which `<|end|>`, `<|return|>` or `<|call|>` ends. The answer is in the channel `final`;
`analysis` and `commentary` are thoughts, and so is a call of a tool, which a model that is
given tools makes in another way. Written down in github.com/openai/harmony, docs/format.md.
"""

from __future__ import annotations

import re

NAME = "<|channel|>"
BEGINNINGS = ("<|start|>", "<|channel|>", "<|message|>")
# What follows thoughts that nothing has opened.
FINAL = (
    r"(?:<\|end\|>\s{0,9})?(?:<\|start\|>assistant)?<\|channel\|>(?:final|assistant)<\|message\|>"
)
# As servers and templates name them; any other channel is shown.
THOUGHTS = ("analysis", "commentary", "thought", "thoughts", "thinking")

_ENDED = r"(?:<\|(?:end|return|call)\|>\s{0,9})"
_HEADER = re.compile(
    rf"{_ENDED}?(?:<\|start\|>[^<]{{0,200}})?(?:<\|channel\|>(?P<channel>[^<]{{0,200}}))?"
    r"(?:<\|constrain\|>[^<]{0,50})?<\|message\|>"
)
_MAY_BE_ONE = re.compile(
    rf"{_ENDED}?(?:<\|(?:start|channel|constrain)\|>[^<]{{0,200}}){{0,3}}(?:<(?:\|[a-z]{{0,9}}\|?)?)?"
)
_END = re.compile(rf"(?:{_ENDED}(?:<\|start\|>[^<]{{0,200}})?)?(?:<(?:\|[a-z]{{0,9}}\|?)?)?")


class Channels:
    """Pieces go in; (whether it is a thought, text) comes out."""

    def __init__(self, *, begins_thinking: bool = False) -> None:
        self.has_begun = False  # a header has come
        self.asked_for_tools = False
        self._held = ""
        self._thinks = begins_thinking
        self._gap = ""  # between two messages of one kind
        self._told: set[bool] = set()

    def take(self, text: str) -> list[tuple[bool, str]]:
        text, at = self._held + text, 0
        pieces: list[tuple[bool, str]] = []
        while at < len(text):
            if header := _HEADER.match(text, at):
                self._begin(header["channel"] or "")
                at = header.end()
                continue
            if _MAY_BE_ONE.fullmatch(text, at):
                break
            end = text.find("<", at + 1)
            end = len(text) if end < 0 else end
            pieces += self._say(text[at:end])
            at = end
        self._held = text[at:]
        return pieces

    def end(self) -> list[tuple[bool, str]]:
        held, self._held = self._held, ""
        is_mark = len(held) > 2 and _END.fullmatch(held)
        return [] if is_mark else self._say(held)

    def _begin(self, channel: str) -> None:
        name = channel.strip().partition(" ")[0].lower()
        is_tool = "to=" in channel
        self.has_begun = True
        self.asked_for_tools |= is_tool
        self._thinks = is_tool or name in THOUGHTS
        self._gap = "\n\n" if self._thinks in self._told else ""

    def _say(self, text: str) -> list[tuple[bool, str]]:
        if self._thinks not in self._told:
            text = text.lstrip()
        if not text:
            return []
        text, self._gap = self._gap + text, ""
        self._told.add(self._thinks)
        return [(self._thinks, text)]
