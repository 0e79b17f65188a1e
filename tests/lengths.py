"""Runs whose lengths are drawn from `data/lengths/lengths.toml`, carried out by the engine in
virtual time: what their calls read is counted in what the engine really sent."""

from __future__ import annotations

import json
import math
import random
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.engine.content import text_of
from console.engine.events import Event
from console.engine.provider import Chunk, Finish, Provider, Request, TextDelta
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import RunState
from console.engine.steps import prompts
from console.engine.steps.fuse import fuse
from console.engine.usage import Price, Usage
from tests.engine.virtual import now, run_in_virtual_time
from tests.prose import words

FILE = tomllib.loads((Path(__file__).parent / "data/lengths/lengths.toml").read_text())
SPREAD, MODELS, JUDGING = FILE["spread"], FILE["model"], FILE["judging"]
PRESETS = range(len(FILE["preset"]))
CREDENTIAL = "openrouter"
# Long words: what they are is read word by word, how long they are is all that counts here.
_WORD = "word" * 15


@dataclass(frozen=True)
class Drawn:
    spec: Spec
    prompt: str
    state: RunState

    @property
    def cost(self) -> Decimal:
        cost, is_partial = self.state.cost()
        assert cost is not None and not is_partial
        return cost


def spec_of(preset: int) -> Spec:
    """As a run of it would have it."""
    asked = FILE["preset"][preset]
    return Spec(
        panel=tuple(map(_panelist, asked["panel"])),
        judge=_panelist(asked["judge"]),
        synthesizer=_panelist(asked["writer"]) if "writer" in asked else None,
        prompts=prompts.load(),
        policy=Policy(),
        preset=f"preset-{preset}",
        preset_name=f"Preset {preset}",
        shuffle_seed=11,
    )


def drawn(preset: int, runs: int, seed: int) -> Iterator[Drawn]:
    dice = random.Random(f"{preset} {seed}")
    spec, kinds = spec_of(preset), FILE["preset"][preset]["kinds"]
    for _ in range(runs):
        [kind] = dice.choices([*kinds], [*kinds.values()])
        asked = FILE["kind"][kind]
        prompt = _text(_length(dice, asked["prompt"], SPREAD["prompt"]) * 4)
        more = math.exp(SPREAD["question"] * dice.gauss())
        state = run_in_virtual_time(_carried_out(spec, prompt, _Models(dice, asked, more)))
        yield Drawn(spec, prompt, state)


class _Models:
    """All of them: each writes as long as is drawn for it."""

    def __init__(self, dice: random.Random, asked: dict[str, Any], more: float) -> None:
        self._dice, self._asked, self._more = dice, asked, more

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        model = MODELS[request.model]
        sent = "".join(text_of(message["content"]) for message in request.messages)
        tokens, is_json = self._writes(request, model, sent)
        thoughts = self._drawn("thoughts", self._asked["thoughts"] * model["thinks"])
        text = _analysis(tokens * 4) if is_json else _text(tokens * model["characters"])
        yield TextDelta(text)
        usage = Usage(
            input_tokens=round(len(sent) / model["characters"]),
            output_tokens=round(tokens + thoughts),
            reasoning_tokens=round(thoughts),
        )
        yield Finish("stop", usage, model=request.model, provider="drawn")

    def _writes(self, request: Request, model: Any, sent: str) -> tuple[float, bool]:
        if request.response_schema:
            answers = sent.count(" END ===") - 1
            usual = JUDGING["analysis"] + JUDGING["analysis_of_one"] * answers
            return self._drawn("analysis", usual), True
        fused = JUDGING["fused"] if " END ===" in sent else 1
        return self._drawn("answer", self._asked["answer"] * model["length"] * fused), False

    def _drawn(self, spread: str, median: float) -> float:
        return self._more * _length(self._dice, median, SPREAD[spread])


class _Admission:
    @asynccontextmanager
    async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
        yield

    async def record(self, key: str, panelist: Panelist, request: Request) -> None:
        pass


async def _carried_out(spec: Spec, prompt: str, models: Provider) -> RunState:
    state, events = RunState(), list[Event]()

    async def provider_for(panelist: Panelist) -> Provider:
        return models

    await fuse(
        spec,
        [{"role": "user", "content": prompt}],
        state=state,
        attempt=1,
        provider_for=provider_for,
        emit=events.append,
        admission=_Admission(),
        clock=now,
    )
    assert state.outcome == "completed" and state.fusion and not state.fusion.analysis_error
    return state


def _panelist(model: str) -> Panelist:
    known = MODELS[model]
    price = Price(*map(Decimal, known["price"]))
    return Panelist(
        model, CREDENTIAL, price=price, reasons=bool(known["thinks"]), context_length=200_000
    )


def _length(dice: random.Random, median: float, spread: float) -> float:
    return median * math.exp(spread * dice.gauss())


def _text(characters: float) -> str:
    return words(max(1, round(characters / (len(_WORD) + 3))), _WORD)


def _analysis(characters: float) -> str:
    whole = _text(characters).split()
    parts = [" ".join(whole[at : at + 2]) for at in range(0, len(whole), 2)]
    found = [{"claim": part, "seats": ["A", "B"]} for part in parts[1:]]
    return json.dumps(
        {
            "consensus": found,
            "contradictions": [],
            "partial_coverage": [],
            "unique_insights": [{"insight": parts[0], "seat": "A"}],
            "blind_spots": [],
        }
    )
