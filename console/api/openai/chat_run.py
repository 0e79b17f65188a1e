"""A request that wants an answer, under way: chat completions and responses alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...engine.attachments import Attachment
from ...engine.spec import Spec
from ...engine.state import CallState, RunState
from ...engine.usage import Usage as Tokens
from ...files.answered import data_address
from ...models import Run
from ...record.parts import Usage
from ...services.token_defaults import TokenDefaults
from ..http.base import ApiCall
from ..http.db import db, db_then_wait
from ..http.errors import ApiError
from ..http.follow import final, load, may_go_on
from ..planning.attached import must_be_seen
from ..planning.conversation import conversation
from ..planning.failures import seconds_left
from ..planning.idempotency import PANEL, Started, run_url, start, start_turn
from ..planning.plan import DECIDE, Plan, plan_for
from ..planning.project import project_of, usual_in
from ..planning.schemas import Answering
from ..planning.turns import find_turn
from . import shapes
from .replies import FusionOfChat
from .requests import ChatRequest

HANDED_ON = ("response_format", "stop", "top_p", "parallel_tool_calls")
WARNINGS = "x-fusion-warnings"
_STRAIGHT = str.maketrans("“”", '""')  # a header holds no others
# Of a failure that is told again: for how many seconds more.
ASKED_ANEW_IN = "x-fusion-asked-anew-in"


@dataclass(frozen=True)
class Chat:
    """A request under way. `before` is the call in which the outer model chose to ask a panel.

    `turn` is the number of the fusion in which a writer goes on with what its tools said.
    """

    call: ApiCall[ChatRequest]
    plan: Plan
    started: Started
    spec: Spec
    before: RunState | None = None
    turn: int = 0

    @property
    def id(self) -> str:
        """Of a response and its items: the run's, and within it the turn's."""
        return f"{self.run.pk.hex}{self.of_turn}"

    @property
    def of_turn(self) -> str:
        return f"_{self.turn}" if self.turn else ""

    def view(self, state: RunState) -> RunState:
        return view(state, self.turn)

    @property
    def run(self) -> Run:
        return self.started.run

    @property
    def begun(self) -> Run | None:
        """Its run, where this request has begun it: nobody has written anything of it before."""
        return self.run if self.started.is_new and not self.turn else None

    @property
    def is_deciding(self) -> bool:
        return self.plan.decide is not None and self.before is None

    @property
    def provider(self) -> str:
        """OpenRouter's word for who answered; as `owned_by` of the model in the list."""
        return self.spec.panel[0].credential if self.plan.direct else "fusion"

    def model(self, state: RunState | None = None) -> str:
        """Who answers: what was asked for, or in OpenRouter's words the model that writes."""
        if not self.call.in_openrouters_words:
            return self.plan.model
        call = shapes.answering_call(self.spec, state) if state else None
        return (call and (call.model or shapes.model_of(call))) or self.spec.writer.model

    @property
    def shows_fusion(self) -> bool:
        """Our part of the answer, which strict clients ignore."""
        return self.call.body.fusion.include is not False

    @property
    def shows_reasoning(self) -> bool:
        """Of one model passed through. Whoever writes a fused answer thinks about the panel,
        which is none of the reader's."""
        body = self.call.body
        is_excluded = body.include_reasoning is False or (body.reasoning and body.reasoning.exclude)
        return shapes.is_direct(self.spec) and not is_excluded

    @property
    def shows_panel(self) -> bool:
        """OpenRouter's events and its output item, which strict clients do not. In a turn nobody
        was asked but the writer."""
        is_fused = not shapes.is_direct(self.spec) and not self.turn
        return is_fused and self.shows_fusion and self.call.in_openrouters_words

    @property
    def url(self) -> str:
        return run_url(self.call.request, self.run.pk)

    def states(self, state: RunState) -> list[RunState]:
        if self.turn:
            # The panel's calls were told, and paid for, with the request that made them.
            state = state.without_panel()
        return [s for s in (self.before, state) if s]

    def wants_panel(self, answer: shapes.FinalAnswer | None) -> bool:
        """Whether the outer model, given the choice, chose to ask a panel."""
        asked = [c["function"]["name"] for c in answer.tool_calls] if answer else []
        return self.is_deciding and DECIDE in asked

    def usage(self, state: RunState) -> Usage:
        """Clients measure by its tokens how full a context is: they are those of the call that
        answers, or where no single one does, since words put it together, those of all. What the
        whole run used stands in `fusion`; the cost is the whole run's."""
        call = shapes.answering_call(self.spec, state)
        tokens = call.usage if call else Tokens()
        is_by_words = call is not None and call.is_by_words
        usage = shapes.usage_of(self.states(state), None if is_by_words else tokens)
        self._is_free(usage)
        if usage.cost is None:
            # OpenRouter's provider for the AI SDK refuses a whole answer for a null here.
            usage.model_fields_set.discard("cost")
        return usage

    def _is_free(self, usage: Usage) -> None:
        """Where an answer stands that was paid for with another request."""
        if self.started.is_reused:
            usage.cost, usage.cost_is_partial = 0.0, False

    def fusion(self, state: RunState) -> FusionOfChat:
        where = {"run_id": str(self.run.pk), "run_url": self.url}
        if shapes.is_direct(self.spec):
            part = shapes.direct_object(state, **where, asked=self.is_deciding)
        else:
            part = shapes.fusion_object(self.spec, state, **where)
        part.usage = shapes.usage_of(self.states(state))
        self._is_free(part.usage)
        if given := shapes.attachments(self.spec, state):
            part.attachments = given
        if self.plan.warnings:
            part.warnings = list(self.plan.warnings)
        return part

    def answering_call(self, state: RunState) -> CallState | None:
        """None where the budget did not pay for the fused answer, or what stands in for it has
        not the form that was asked for: it is kept for who asks for it."""
        if shapes.is_unpaid(state):
            is_kept = self.call.body.fusion.over_budget != "best"
        else:
            is_kept = shapes.is_in_no_form(self.spec, state)
        return None if is_kept else shapes.answering_call(self.spec, state)

    async def answer(self, state: RunState) -> shapes.FinalAnswer | None:
        is_kept = self.answering_call(state) is None
        return None if is_kept else await shapes.answer_aside(self.spec, state)

    async def pictures(self, answer: shapes.FinalAnswer | None) -> list[str]:
        """As data: addresses."""
        found = answer.pictures if answer else []
        return await asyncio.to_thread(_addresses, found) if found else []

    def failure(self, state: RunState) -> ApiError:
        return shapes.failure(self.spec, state, run_id=str(self.run.pk), run_url=self.url)


def _addresses(pictures: list[Attachment]) -> list[str]:
    return [*filter(None, map(data_address, pictures))]


def view(state: RunState, turn: int) -> RunState:
    """What of a run is one request's: other turns have requests of their own."""
    has_turns = any(fusion.turn for fusion in state.fusions.values())
    number = turn or (min(state.fusions) if has_turns else 0)
    return state.of_turn(number) if number else state


async def answered(chat: Chat) -> tuple[Chat, RunState, shapes.FinalAnswer]:
    """Wait for the answer; of the panel too, if the outer model asks it. Raises ApiError."""
    state = await _ended(chat)
    answer = await chat.answer(state)
    if chat.wants_panel(answer):
        chat = await db_then_wait(go_on, chat, state)
        state = await _ended(chat)
        answer = await chat.answer(state)
    if answer is None:
        raise chat.failure(state)
    return chat, state, answer


async def _ended(chat: Chat) -> RunState:
    if not chat.started.is_new and chat.run.is_final:
        return chat.view(await db(load, chat.run.pk))
    return chat.view(await final(chat.run.pk, partial(may_go_on, chat.call), chat.begun))


def planned(call: ApiCall[Any], body: Answering) -> Plan:
    """Raises ApiError. What is left out is said in a header, too: streams are told at once."""
    plan = plan_for(
        body,
        request_of(body),
        depth=call.depth,
        of_token=call.token.terms,
        by=call.token.owner.get_username(),
        person=call.token.owner,
        usual=usual_in(
            project_of(body, call.token.owner), TokenDefaults.of(call.token.defaults).preset
        ),
    )
    if plan.warnings:
        call.headers[WARNINGS] = " ".join(plan.warnings)
    return plan


def begin(call: ApiCall[ChatRequest]) -> Chat:
    body = call.body
    plan = planned(call, body)
    if goes_on := _within_turn(call, plan):
        return goes_on
    spec = plan.decide or plan.spec
    if not spec.has_judge:
        raise ApiError("no_judge", param="fusion.answers")
    asked = conversation(
        body.messages,
        with_tools=plan.keeps_tools,
        owner=call.token.owner,
        files_as_text=body.fusion.files_as_text,
    )
    plan = _told(call, plan, (*asked.warnings, *must_be_seen(spec, asked.files)))
    started = start(
        call,
        spec,
        prompt=asked.prompt,
        messages=asked.messages,
        files=asked.files,
        visibility=body.fusion.visibility,
        answers=plan.answers,
        fails_again=(spec, plan.spec),
    )
    chat = Chat(call, plan, started, started.run.frozen_spec)
    if started.has_failed:
        raise _again(chat)
    return chat


def _told(call: ApiCall[ChatRequest], plan: Plan, without: tuple[str, ...]) -> Plan:
    """With further warnings: what is not shown, and who is asked without a picture."""
    if not without:
        return plan
    plan = replace(plan, warnings=(*plan.warnings, *without))
    told = " ".join(plan.warnings).translate(_STRAIGHT)
    call.headers[WARNINGS] = told.encode("ascii", "replace").decode()
    return plan


def _again(chat: Chat) -> ApiError:
    """The failure of the run before, under its own status also where a stream was asked for:
    nothing has been sent yet, and clients that begin a stream anew take a status seriously."""
    failure = chat.failure(load(chat.run.pk))
    # Not `Retry-After`: Codex CLI and opencode take that for an order whatever the status, wait
    # until the panel is asked anew, and pay for it again.
    failure.headers[ASKED_ANEW_IN] = str(seconds_left(chat.run))
    return failure


def _within_turn(call: ApiCall[ChatRequest], plan: Plan) -> Chat | None:
    """Where the last message says what tools say that a run's writer called for."""
    body = call.body
    is_result = body.messages[-1].role in ("tool", "function")
    if plan.direct or not is_result or body.fusion.fanout == "every":
        return None
    owner = call.token.owner
    as_text = conversation(body.messages, with_tools=False, owner=owner).messages
    as_it_is = conversation(body.messages, with_tools=True, owner=owner)
    turn = find_turn(call.token, plan.spec, as_text, as_it_is.messages)
    taken = start_turn(call, turn, plan.spec) if turn else None
    if taken is None:
        return None
    started, number = taken
    plan = _told(call, plan, as_it_is.warnings)
    chat = Chat(call, plan, started, started.run.frozen_spec, turn=number)
    if started.has_failed:
        raise _again(chat)
    return chat


def go_on(chat: Chat, state: RunState) -> Chat:
    """The outer model has chosen to ask a panel: its run."""
    body = chat.call.body
    asked = conversation(
        body.messages,
        with_tools=False,
        owner=chat.call.token.owner,
        files_as_text=body.fusion.files_as_text,
    )
    started = start(
        chat.call,
        chat.plan.spec,
        prompt=asked.prompt,
        messages=asked.messages,
        files=asked.files,
        visibility=body.fusion.visibility,
        part=PANEL,
    )
    return replace(chat, started=started, spec=started.run.frozen_spec, before=state)


def request_of(body: Answering) -> dict[str, Any]:
    """`Spec.request`: what the answering call is asked for."""
    effort = body.reasoning_effort or (body.reasoning.effort if body.reasoning else None)
    asked = {
        "temperature": body.temperature,
        "max_output_tokens": body.max_completion_tokens or body.max_tokens,
        "seed": body.seed,
        "reasoning_effort": effort,
    }
    options = {name: value for name in HANDED_ON if (value := getattr(body, name)) is not None}
    fields: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    return fields | ({"options": options} if options else {})
