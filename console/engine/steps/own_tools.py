"""The two tools that a seat is given to look things up by itself, and what it made of them.

Whatever a model asks for has an answer: what is no tool, cannot be read or is too much is told to
it in a sentence, and it goes on. What was done stands in the pool's trail, by call and place, so
that whoever takes the run up builds the same conversation and does nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .. import pool as pools
from ..calls.context import Context
from ..calls.together import together
from ..calls.window import USED, tokens_in, window_of
from ..content import text_of
from ..findings.addresses import may_be_opened, normalised
from ..findings.extracts import library
from ..provider import Message
from ..spec import Panelist, Research
from ..state import CallState, Step
from ..text import storable
from .gathering import Gathering
from .material import fence_of, fenced, prompt_text
from .prompts import fill

SEARCH, FETCH = "web_search", "web_fetch"
AT_ONCE = 8  # of what one turn asks for
PAGE = 2_000  # tokens of one page
LEAST = 150  # tokens, below which a page is of no use
LONGEST_QUERY, LONGEST_URL, LONGEST_NAME = 200, 2_000, 64
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": SEARCH,
            "description": "Search the web. Gives titles and addresses of pages, not their texts.",
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string", "description": "a few words"}},
                "required": ["query"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": FETCH,
            "description": "Open a page that a search has found, that the question names, or that "
            "a page you opened names on its own site. Gives what it says, with the number to cite "
            "it by.",
            "parameters": {
                "type": "object",
                "properties": {"url": {"type": "string", "description": "its address, as found"}},
                "required": ["url"],
            },
        },
    },
]
NO_MORE = "\n\nNo more can be looked up: write your answer now."
_UNKNOWN = "There is no tool “{name}”: there are web_search and web_fetch."
_BROKEN = "The arguments cannot be read: they must be one JSON object such as {example}."
_MANY = f"Too much at once: only the first {AT_ONCE} were carried out."
_NO_QUERIES = "You have searched {most} times, which is the limit: go on with what was found."
_NO_PAGES = "You have opened {most} pages, which is the limit: answer from what they say."
_NOT_FOUND = (
    "Only pages that a search has found, that the question names, or that a page you opened names "
    "on its own site can be opened: give the whole address exactly as it was found."
)
_NO_ROOM = "There is no room left for another page: answer from what you have."
_NOTHING = "Nothing was found. Other words may find more."
_EXAMPLES = {SEARCH: '{"query": "…"}', FETCH: '{"url": "https://…"}'}
_NAME = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True)
class ToolAsk:
    """A call of a tool as it can be carried out; `asked` is its query or address. `refused`: why
    it cannot."""

    place: int
    tool: str
    asked: str
    refused: str = ""


class OwnTools:
    """Of one seat, and of the turns that it has had since it was asked."""

    def __init__(
        self, context: Context, gathering: Gathering, wish: Research, seat: int, key: str
    ) -> None:
        self._context, self._gathering, self._wish = context, gathering, wish
        calls = context.state.calls_of(Step.PANEL, seat=seat)
        number = context.state.calls[key].number
        self._turns = list(_turns(c for c in calls if c.number <= number))

    @property
    def is_last(self) -> bool:
        """Whether the call that comes now has to be the answer."""
        return len(self._turns) >= self._wish.turns

    @property
    def options(self) -> dict[str, Any]:
        # A server that was sent calls of tools may refuse a request without any.
        return {"tools": TOOLS} | ({"tool_choice": "none"} if self.is_last else {})

    def instructions(self) -> str:
        return fill(
            self._context.spec.prompts.tools,
            queries=str(self._wish.queries),
            pages=str(self._wish.pages),
            date=datetime.fromtimestamp(self._context.clock(), UTC).date().isoformat(),
            fence=self._fence,
        )

    async def conversation(self, panelist: Panelist, asked: list[Message]) -> list[Message]:
        """With all that was looked up since; what is not yet is, now."""
        messages = [*asked]
        for turn in self._turns:
            said = _said(turn, panelist)
            await self._carry_out(turn, panelist, [*messages, said])
            told = await self._told(turn)
            messages += [said, *told]
        if self._turns and self.is_last:
            messages[-1] = messages[-1] | {"content": messages[-1]["content"] + NO_MORE}
        return messages

    @property
    def _fence(self) -> str:
        return fence_of(self._context.spec.shuffle_seed, [prompt_text(self._context.messages)])

    def _steps(self, turn: CallState) -> dict[int, dict[str, Any]]:
        steps = pools.trail(self._gathering.pool)
        return {step["place"]: step for step in steps if step["call"] == turn.key}

    def _done(self, tool: str) -> int:
        """How often it was carried out in this seat."""
        steps = (step for turn in self._turns for step in self._steps(turn).values())
        return sum(step["tool"] == tool and not step.get("refused") for step in steps)

    # ---- what is asked for

    async def _carry_out(self, turn: CallState, panelist: Panelist, so_far: list[Message]) -> None:
        known = self._steps(turn)
        wanted = [w for w in await self._wanted(turn) if w.place not in known]
        opened = [w for w in wanted if w.tool == FETCH and not w.refused]
        room = min(PAGE, _room(panelist, so_far) // max(1, len(opened)))
        if opened and room < LEAST:
            wanted = [
                ToolAsk(w.place, w.tool, w.asked, _NO_ROOM) if w in opened else w for w in wanted
            ]
        refused = [
            self._step(turn, w, failure=w.refused, refused=True) for w in wanted if w.refused
        ]
        if refused:
            await self._gathering.keep_steps(refused)
        deadline = asyncio.get_running_loop().time() + self._wish.seconds
        about = self._about()
        await together(
            self._search(turn, w, deadline)
            if w.tool == SEARCH
            else self._open(turn, w, deadline, room, about)
            for w in wanted
            if not w.refused
        )

    def _about(self) -> str:
        """What was searched last before this turn."""
        steps = [step for turn in self._turns for step in self._steps(turn).values()]
        return next((s["asked"] for s in reversed(steps) if s["tool"] == SEARCH), "")

    async def _wanted(self, turn: CallState) -> list[ToolAsk]:
        """What of it can be done: limits hold for all turns, first come, first served."""
        searched, opened = self._done(SEARCH), self._done(FETCH)
        known, found = self._steps(turn), []
        openable: Mapping[str, str] | None = None
        for place, call in enumerate(turn.tool_calls):
            tool, asked, why = _read(call)
            if place in known:
                continue
            if not why and place >= AT_ONCE:
                why = _MANY
            if not why and tool == SEARCH:
                searched += 1
                if searched > self._wish.queries:
                    why = _NO_QUERIES.format(most=self._wish.queries)
            if not why and tool == FETCH:
                openable = await self._openable() if openable is None else openable
                asked = openable.get(normalised(asked), asked)
                if asked not in openable.values():
                    why = _NOT_FOUND
                else:
                    opened += 1
                    if opened > self._wish.pages:
                        why = _NO_PAGES.format(most=self._wish.pages)
            found.append(ToolAsk(place, tool, asked, why))
        return found

    async def _openable(self) -> Mapping[str, str]:
        """A page may tell a model to send what it knows to an address: none is made up here."""
        texts = await self._gathering.texts()
        read = [(s["url"], texts[s["number"]]) for s in pools.read(self._gathering.pool)]
        hits = [hit["url"] for hit in self._hits()]
        # Not what models have answered before.
        own = [m for m in self._context.messages if m["role"] in ("user", "system")]
        asked = prompt_text(own)
        return await asyncio.to_thread(may_be_opened, hits, asked, read)

    def _hits(self) -> Iterator[dict[str, str]]:
        for search in pools.searches(self._gathering.pool):
            yield from ({**hit, "query": search["query"]} for hit in search["found"])

    async def _search(self, turn: CallState, wanted: ToolAsk, deadline: float) -> None:
        search = await self._gathering.search(wanted.asked, deadline)
        if failure := search.get("failure"):
            step = self._step(turn, wanted, failure=failure)
        else:
            step = self._step(turn, wanted, found=len(search["found"]))
        await self._gathering.keep_steps([step])

    async def _open(
        self, turn: CallState, wanted: ToolAsk, deadline: float, room: int, about: str
    ) -> None:
        unknown = {"url": wanted.asked, "title": "", "query": about}
        hit = next((h for h in self._hits() if h["url"] == wanted.asked), unknown)
        source = await self._gathering.read(hit, hit["query"], deadline)
        if "number" in source:
            given = {"number": source["number"], "room": room, "about": about}
            step = self._step(turn, wanted, **given)
        else:
            step = self._step(turn, wanted, failure=source["failure"])
        await self._gathering.keep_steps([step])

    def _step(self, turn: CallState, wanted: ToolAsk, **came: Any) -> dict[str, Any]:
        at = round(self._context.clock(), 3)
        known = {"call": turn.key, "place": wanted.place, "tool": wanted.tool, "at": at}
        return known | {"asked": wanted.asked} | came

    # ---- what it is told

    async def _told(self, turn: CallState) -> list[Message]:
        steps = self._steps(turn)
        return [
            {"role": "tool", "tool_call_id": call["id"], "content": await self._words(steps[place])}
            for place, call in enumerate(_with_own_ids(turn.tool_calls))
        ]

    async def _words(self, step: dict[str, Any]) -> str:
        if failure := step.get("failure"):
            return f"Not done: {failure}"
        if step["tool"] == SEARCH:
            hits = [hit for hit in self._hits() if hit["query"] == step["asked"]]
            listed = "\n".join(f"- {' '.join(h['title'].split())}\n  {h['url']}" for h in hits)
            return self._between("FOUND", listed) if listed else _NOTHING
        texts = await self._gathering.texts()
        number = step["number"]
        source = next(s for s in pools.read(self._gathering.pool) if s["number"] == number)
        asked = prompt_text(self._context.messages)[-4000:]
        queries = [q for q in (step["about"], asked) if q]
        page = await asyncio.to_thread(library, [source], {number: texts[number]}, queries)
        return self._between(
            f"SOURCE {number}", page.blocks(step["room"], tokens_in).get(number, "")
        )

    def _between(self, title: str, text: str) -> str:
        return fenced(self._fence, title, text.replace(self._fence, "…"))


def _turns(calls: Iterable[CallState]) -> Iterator[CallState]:
    """Those that led to this one: since the seat was asked, or asked again by a reader."""
    turns: list[CallState] = []
    for call in sorted(calls, key=lambda call: call.number):
        if call.cause in ("first", "asked"):
            turns = []
        if call.is_turn:
            turns.append(call)
    yield from turns


def _read(call: dict[str, Any]) -> tuple[str, str, str]:
    """(tool, what is asked of it, why it cannot be read)."""
    function = call.get("function") or {}
    tool = str(function.get("name", ""))[:LONGEST_NAME]
    if tool not in _EXAMPLES:
        return tool, "", _UNKNOWN.format(name=tool)
    try:
        said = json.loads(function.get("arguments") or "{}")
    except (ValueError, RecursionError):
        said = None
    value = said.get("query" if tool == SEARCH else "url") if isinstance(said, dict) else None
    broken = _BROKEN.format(example=_EXAMPLES[tool])
    if not isinstance(value, str):
        return tool, "", broken
    value = " ".join(storable(value).split())
    if tool == SEARCH:
        return tool, value[:LONGEST_QUERY], "" if value else broken
    is_whole = value.startswith(("http://", "https://")) and len(value) <= LONGEST_URL
    return tool, value[:LONGEST_URL], "" if is_whole else broken


def _said(turn: CallState, panelist: Panelist) -> Message:
    """What the model said, as its server takes it back. What it thought goes to the same model
    only: it is signed for that."""
    is_its_own = turn.panelist.get("model") == panelist.model
    is_its_own &= turn.panelist.get("credential") == panelist.credential
    back = dict(turn.goes_on.get("back", {})) if is_its_own else {}
    beside = back.pop("extra_content", {})
    calls = [
        call
        | {"function": {"name": _plain(call), "arguments": _whole(call)}}
        | ({"extra_content": beside[str(place)]} if str(place) in beside else {})
        for place, call in enumerate(_with_own_ids(turn.tool_calls))
    ]
    return {"role": "assistant", "content": turn.text or None, "tool_calls": calls} | back


def _plain(call: dict[str, Any]) -> str:
    return _NAME.sub("_", str(call["function"]["name"]))[:LONGEST_NAME] or "_"


def _whole(call: dict[str, Any]) -> str:
    """Servers read them, too, and some break at what is no JSON."""
    try:
        is_object = isinstance(json.loads(call["function"]["arguments"]), dict)
    except (ValueError, RecursionError):
        is_object = False
    return str(call["function"]["arguments"]) if is_object else "{}"


def _with_own_ids(calls: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each once: some servers give all of a turn the same."""
    seen = set()
    for place, call in enumerate(calls):
        id = f"{call['id']}_{place}" if call["id"] in seen else call["id"]
        seen.add(id)
        yield call | {"id": id}


def _room(panelist: Panelist, messages: list[Message]) -> int:
    """Tokens that can still be told."""
    window = window_of(panelist)
    if window is None:
        return PAGE * AT_ONCE
    said = sum(
        tokens_in(text_of(m.get("content")) + json.dumps(m.get("tool_calls", ""))) for m in messages
    )
    output = min(panelist.max_output_tokens or window, window // 4)
    return max(0, int(window * USED) - said - output - 800)
