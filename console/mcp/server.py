"""The tools, as their callers' models read of them."""

from __future__ import annotations

import asyncio
import copy
import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal, ParamSpec

from django.conf import settings
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, Tool, ToolAnnotations
from pydantic import ConfigDict, Field, ValidationError

from ..api.http.amount import refuse_many
from ..api.http.base import fault_in
from ..api.http.db import db_then_wait
from ..api.http.errors import ApiError
from ..api.http.wishes import refuse_wishes
from ..api.openai import shapes
from ..api.planning.schemas import BroughtAnswer, OwnTerms, WaitingFor
from ..engine.spec import MAX_SEATS
from ..engine.state import RunState
from ..models import Run
from ..models.tokens import Scope
from ..services.errors import Refused
from ..services.presets import preset_slugs
from . import asking, results, stdio
from .attached import ResourceFile
from .callers import Caller

INSTRUCTIONS = (
    "Fusion asks a panel of several language models the same prompt, has a judge compare their "
    "answers, and writes one fused answer. A panel of three makes five calls: it takes about a "
    "minute and costs several times one answer. Use it where being wrong is dear: research, "
    "expert critique, contested questions, decisions. Do not use it for routine chat, one-line "
    "facts, rewording or anything you can simply answer yourself."
)
ASK = (
    "Ask a panel of models one prompt and get one fused answer, with where they agreed and "
    "contradicted each other. The panel sees nothing but this prompt: put all context in it. "
    "Use for hard, contested or consequential questions. Do NOT use for routine chat, one-line "
    "facts or simple edits: it makes several model calls, costs money and takes about a minute. "
    "What takes longer is answered with a run_id: read it with fusion_get_run, do not ask again."
)
START = (
    "As fusion_ask, but returns at once with a run_id; read the result with fusion_get_run. "
    "For clients whose tool calls may not take a minute. Do NOT use for routine chat or simple "
    "facts, and do not start the same prompt twice: each start costs money."
)
GET = (
    "Read a run by its id: status and, once it has ended, the fused answer, the analysis and the "
    "cost. Free of charge. Waits up to wait_seconds for the end, but less than a minute; while the "
    "run is under way call it again."
)
SEARCH = (
    "Find earlier questions by words of their prompts, answers, analyses or notes, the newest "
    "first, each with the passage that was found and a run_id for fusion_get_run. Free of charge: "
    "look here before you ask what may have been asked already."
)
LIST = (
    "List the presets (panel, judge) that fusion_ask and fusion_start take. Free of charge. Only "
    "needed when a panel other than the default is wanted."
)


class McpTerms(OwnTerms):
    """A misspelt one is refused: it would be missed."""

    model_config = ConfigDict(extra="forbid")


Prompt = Annotated[str, Field(description="The whole question with all its context")]
PresetName = Annotated[
    str | None, Field(description="A preset from fusion_list_presets; default: the usual one")
]
# How many there may be is said of the lists themselves: of a million no more are looked at.
Panel = Annotated[
    Annotated[list[str], Field(max_length=MAX_SEATS)] | None,
    Field(description="1 to 8 models instead of a preset, as their server names them"),
]
Judge = Annotated[
    str | None, Field(description="The model that compares and fuses; goes with panel")
]
Asked = Annotated[
    McpTerms | None,
    Field(
        description="What is asked of everybody who is sent the prompt: zero_retention, "
        "no_training, only_local (only on this machine), only_providers. Refused where a model's "
        "server does not promise it"
    ),
]
WhomToWaitFor = Annotated[
    WaitingFor | None,
    Field(
        description="Whose answers are waited for: everyone, all_but_one, {at_least: n} or "
        "{first: n}; default: as the preset says"
    ),
]
Answers = Annotated[
    Annotated[list[BroughtAnswer], Field(max_length=MAX_SEATS)] | None,
    Field(
        description="Answers to the prompt that you have already (name, content, and model if "
        "known): each gets a seat of its own, is compared and fused like any, and costs nothing. "
        "With an empty panel nobody else answers",
    ),
]
Web = Annotated[
    Literal["shared", "own", "provider", "off"] | None,
    Field(
        description="shared: the web is searched first, and every panelist gets the same numbered "
        "extracts; own: each panelist searches and reads with tools; provider: the panelist's "
        "provider searches; default: as the preset says"
    ),
]
ProjectName = Annotated[
    str | None,
    Field(
        description="The project that the question belongs to, by its name in addresses: what that "
        "tells its runs goes before the prompt; default: none",
        max_length=40,
    ),
]
Files = Annotated[
    Annotated[list[ResourceFile], Field(max_length=1_000)] | None,
    Field(
        description="Pictures, PDF, Office documents or texts that the prompt is about, whole: "
        "resources as resources/read gives them (uri, and text or blob in base64). Each panelist "
        "is given them as it can take them"
    ),
]
MaxCost = Annotated[
    float | None,
    Field(
        description="US dollars that all its calls may cost together, held before each is sent: "
        "what that does not pay for is not asked",
        ge=0,
        lt=10**8,
    ),
]
Seconds = Annotated[int, Field(ge=0, le=300, description="How long to wait for the end")]

# In a tool's arguments. Of what is wrong with them the protocol's library writes a sentence each.
MOST_VALUES = 10_000

P = ParamSpec("P")
CallerOf = Callable[[Context[Any, Any]], Caller]
SPENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


class PanelServer(MCPServer[Any]):
    async def run_stdio_async(self) -> None:
        await stdio.serve(self._lowlevel_server)

    async def list_tools(self) -> list[Tool]:
        """With the presets that can run now, so that a model need not guess their names."""
        presets = await db_then_wait(preset_slugs)
        return [_with_presets(tool, presets) for tool in await super().list_tools()]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> Any:
        """What cannot be read is told as any refusal. A wish about data or money that is put
        beside its place is one, as over HTTP: other arguments that nobody knows are passed over."""
        try:
            refuse_many(arguments, MOST_VALUES, "The arguments have")
            refuse_wishes(arguments, ("max_cost",), place="terms")
            return await super().call_tool(name, arguments, context)
        except ApiError as refusal:
            return _refused(refusal)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            return _refused(fault_in(error.__cause__))


def _with_presets(tool: Tool, presets: list[str]) -> Tool:
    if not presets or "preset" not in tool.input_schema.get("properties", {}):
        return tool
    schema = copy.deepcopy(tool.input_schema)
    one = {"type": "string", "enum": presets}
    schema["properties"]["preset"]["anyOf"] = [one, {"type": "null"}]
    return tool.model_copy(update={"input_schema": schema})


def make_server(caller_of: CallerOf) -> MCPServer[Any]:
    """`caller_of` says for whom a request acts."""
    server = PanelServer(
        "fusion", title="Fusion", version="1", instructions=INSTRUCTIONS, log_level="WARNING"
    )

    @server.tool(name="fusion_ask", title="Ask a panel", description=ASK, annotations=SPENDS)
    @in_plain_words
    async def fusion_ask(
        prompt: Prompt,
        ctx: Context[Any, Any],
        preset: PresetName = None,
        panel: Panel = None,
        judge: Judge = None,
        terms: Asked = None,
        wait_for: WhomToWaitFor = None,
        answers: Answers = None,
        max_cost: MaxCost = None,
        web: Web = None,
        project: ProjectName = None,
        files: Files = None,
    ) -> Annotated[CallToolResult, results.FusionRun]:
        began = time.monotonic()
        caller = caller_of(ctx)
        asked: Any = (prompt, preset, panel, judge, terms, wait_for, answers)
        asked += (max_cost, web, project, files)
        run = await db_then_wait(asking.begin, caller, *asked)
        # Said first, so that whoever loses patience knows where to look.
        await ctx.report_progress(0, None, f"Run {run.pk} started: {caller.url(run)}")
        seconds = max(0.0, settings.MCP_ANSWER_SECONDS - (time.monotonic() - began))
        state = await asking.follow(
            caller, run, ctx.report_progress, scope=Scope.RUN, seconds=seconds
        )
        return await _answer(caller, run, state)

    @server.tool(name="fusion_start", title="Start a panel", description=START, annotations=SPENDS)
    @in_plain_words
    async def fusion_start(
        prompt: Prompt,
        ctx: Context[Any, Any],
        preset: PresetName = None,
        panel: Panel = None,
        judge: Judge = None,
        terms: Asked = None,
        wait_for: WhomToWaitFor = None,
        answers: Answers = None,
        max_cost: MaxCost = None,
        web: Web = None,
        project: ProjectName = None,
        files: Files = None,
    ) -> Annotated[CallToolResult, results.FusionRun]:
        caller = caller_of(ctx)
        asked: Any = (prompt, preset, panel, judge, terms, wait_for, answers)
        asked += (max_cost, web, project, files)
        run = await db_then_wait(asking.begin, caller, *asked)
        return answer(caller, run, RunState())

    @server.tool(name="fusion_get_run", title="Read a run", description=GET, annotations=READS)
    @in_plain_words
    async def fusion_get_run(
        run_id: str,
        ctx: Context[Any, Any],
        wait_seconds: Seconds = 20,
        include_answers: Annotated[
            bool, Field(description="Also every panelist's whole answer; long")
        ] = False,
    ) -> Annotated[CallToolResult, results.FusionRun]:
        caller = caller_of(ctx)
        run = await db_then_wait(asking.find, caller, run_id)
        state = await asking.follow(
            caller,
            run,
            ctx.report_progress,
            scope=Scope.READ,
            seconds=min(wait_seconds, settings.MCP_ANSWER_SECONDS),
        )
        return await _answer(caller, run, state, with_answers=include_answers)

    @server.tool(
        name="fusion_search", title="Find a question", description=SEARCH, annotations=READS
    )
    @in_plain_words
    async def fusion_search(
        words: Annotated[
            str, Field(description='Words that must all be there, "a phrase", a beginning*')
        ],
        ctx: Context[Any, Any],
        limit: Annotated[int, Field(ge=1, le=50, description="At most so many")] = 10,
    ) -> Annotated[CallToolResult, results.FoundQuestions]:
        found = await db_then_wait(asking.search, caller_of(ctx), words, limit)
        lines = [
            f"{one.question} ({one.status}, run_id {one.run_id})"
            + (f"\n  {one.found_in}: {one.passage}" if one.passage else "")
            for one in found.questions
        ]
        text = "\n".join([*found.notes, *(lines or ["Nothing that may be read says this."])])
        return CallToolResult(
            content=[TextContent(type="text", text=text)],
            structured_content=found.model_dump(mode="json"),
        )

    @server.tool(
        name="fusion_list_presets", title="List presets", description=LIST, annotations=READS
    )
    @in_plain_words
    async def fusion_list_presets(
        ctx: Context[Any, Any],
    ) -> Annotated[CallToolResult, results.Presets]:
        presets = await db_then_wait(asking.presets, caller_of(ctx))
        lines = [
            f"{p.preset}{' (default)' if p.is_default else ''}: {p.name}. {p.description} "
            f"Panel: {', '.join(p.panel)}; "
            f"{f'judge: {p.judge}' if p.judge else 'compared by words'}."
            + (f" Not available: {p.unavailable}" if p.unavailable else "")
            for p in presets.presets
        ]
        return CallToolResult(
            content=[TextContent(type="text", text="\n".join(lines) or "There are no presets.")],
            structured_content=presets.model_dump(mode="json"),
        )

    return server


async def _answer(
    caller: Caller, run: Run, state: RunState, *, with_answers: bool = False
) -> CallToolResult:
    pictures = await asyncio.to_thread(results.pictures, run.frozen_spec, state)
    return answer(caller, run, state, pictures, with_answers=with_answers)


def answer(
    caller: Caller,
    run: Run,
    state: RunState,
    pictures: Sequence[tuple[str, str]] = (),
    *,
    with_answers: bool = False,
) -> CallToolResult:
    """`pictures` came with the answer: each its type and its base64."""
    result = results.fusion_run(
        run,
        run.frozen_spec,
        state,
        run_url=caller.url(run),
        viewer_id=caller.reader_id,
        with_answers=with_answers,
    )
    fusion = state.fusion
    texts = [results.as_text(result, fusion.analysis if fusion else None)]
    if result.error_code == shapes.UNPAID:
        texts.insert(0, results.as_error(result))
    shown = [ImageContent(data=data, mime_type=type) for type, data in pictures]
    return CallToolResult(
        content=[*(TextContent(type="text", text=text) for text in texts), *shown],
        structured_content=result.model_dump(mode="json"),
        is_error=result.error_code is not None,
    )


def in_plain_words(
    tool: Callable[P, Awaitable[CallToolResult]],
) -> Callable[P, Awaitable[CallToolResult]]:
    """What was refused is told to the model in the words people would read."""

    @functools.wraps(tool)
    async def told(*args: P.args, **kwargs: P.kwargs) -> CallToolResult:
        try:
            return await tool(*args, **kwargs)
        except (Refused, ApiError) as refusal:
            return _refused(refusal)

    return told


def _refused(refusal: Refused | ApiError) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=str(refusal))], is_error=True)
