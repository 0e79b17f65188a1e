"""A run in which one thing happens at a time: models speak when a test tells them to, and both
public streams have said what came before when it does."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.stack import PATIENCE, until
from tests.upstream import Script, sse
from tests.upstream.script import Step

from .conftest import GEMINI, GPT, OPUS, Api
from .streams import Stream, data_of

JUDGE, WRITER, SPARE = "good", "writer", "echo"
SEATS = {"panel-0-1": OPUS, "panel-1-1": GPT, "panel-2-1": GEMINI}
ASK: dict[str, Any] = {
    "model": "openrouter/fusion",
    "input": "What is the answer? – Say “why”, too.",
    "stream": True,
    "plugins": [{"id": "fusion", "analysis_models": list(SEATS.values()), "model": JUDGE}],
    # Whoever comes last is waited for, however slow the machine.
    "fusion": {"synthesizer": WRITER, "wait_for": "all_but_one", "policy": {"grace": 60}},
}
ANALYSIS = {
    "consensus": [{"claim": "There is an answer.", "seats": ["A", "B"]}],
    "contradictions": [
        {
            "topic": "Which one it is",
            "stances": [
                {"stance": "It is 42.", "seats": ["A"]},
                {"stance": "It is “naïve” to ask.", "seats": ["B"]},
            ],
        }
    ],
    "partial_coverage": [{"point": "Why it is so", "seats": ["A", "B"]}],
    "unique_insights": [{"insight": "Asking is the answer.", "seat": "A"}],
    "blind_spots": ["What it costs"],
}
FUSED = ("Both say so [^A", ",B]. ", "It is `[^A]` that is code — and “", "née” 🎉.\n", "Done.")

# A model's turn, which begins when the test says so.
Turn = Callable[[threading.Event, dict[str, Any]], Script]


def says(*pieces: str, thinks: tuple[str, ...] = (), ends: bool = True, **delta: Any) -> Turn:
    """A stream; without an end it stands still after its last piece."""
    words = len(pieces) + len(thinks)

    def turn(begin: threading.Event, body: dict[str, Any]) -> Script:
        model = body["model"]
        base = {"id": f"gen-{model}", "provider": f"{model} Inc.", "model": f"{model}-20260101"}
        usage = {
            "prompt_tokens": 10,
            "completion_tokens": words,
            "completion_tokens_details": {"reasoning_tokens": len(thinks)},
            "prompt_tokens_details": {"cached_tokens": 2},
            "cost": round(0.001 * (words + 1), 6),
        }
        deltas = [{"reasoning": t} for t in thinks] + [{"content": p} for p in pieces]
        deltas += [delta] if delta else []
        steps: list[Step] = [begin, *(sse.event(d, **base) for d in deltas)]
        if not ends:
            return Script(raw=[*steps, threading.Event()])
        finish = "tool_calls" if delta else "stop"
        steps.append(sse.event({}, finish, usage=usage, **base))
        return Script(raw=[*steps, sse.DONE])

    return turn


def breaks_after(*pieces: str, when: threading.Event | None = None) -> Turn:
    """A stream that ends in an error: at once, or when the test says that too."""

    def turn(begin: threading.Event, body: dict[str, Any]) -> Script:
        failed = sse.data({"error": {"code": 502, "message": "The machine broke."}})
        return Script(raw=[begin, *map(sse.text, pieces), *([when] if when else []), failed])

    return turn


def refuses(status: str, *headers: str) -> Turn:
    def turn(begin: threading.Event, body: dict[str, Any]) -> Script:
        said = json.dumps({"error": {"code": int(status[:3]), "message": "Not now."}})
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(said)}", *headers]
        head = "\r\n".join([*lines, "Content-Type: application/json", "Connection: close"])
        return Script(wire=[begin, f"{head}\r\n\r\n{said}".encode()])

    return turn


ANSWERS = {
    OPUS: says("It is ", "42.\n", "Why? ", "“Because”.", thinks=("First I ", "think.")),
    GPT: says("It is “naïve” ", "to ask."),
    GEMINI: says("日本語 ", "\\ and \t tabs.", thinks=("Hm.",)),
}


class Play:
    """One run, asked for and heard by a program; its models speak when they are told to."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._begins: dict[str, list[threading.Event]] = {}
        self._headers = {
            "Authorization": f"Bearer {api.key}",
            "Idempotency-Key": f"golden-{uuid.uuid4()}",
        }
        for model, turn in ANSWERS.items():
            self.script(model, turn)
        self.script(JUDGE, says(json.dumps(ANALYSIS)))
        self.script(WRITER, says(*FUSED, thinks=("So ", "then.")))

    def script(self, model: str, *turns: Turn) -> None:
        """One turn a request."""
        begins = self._begins[model] = [threading.Event() for _ in turns]
        choices = (partial(turn, begin) for turn, begin in zip(turns, begins, strict=True))
        self.api.script(model, *choices)

    def ask(self, **body: Any) -> None:
        """Begins; returns when the whole panel was asked and both streams are heard."""
        self._body = ASK | body
        self.responses = self._hear_responses()
        until(lambda: self.responses.said)
        response_id = data_of(self.responses.said[0])["response"]["id"]
        self.run_id = str(uuid.UUID(response_id.removeprefix("resp_")))
        for model in SEATS.values():
            self.was_asked(model)
        # Not before there is a log: a run that waits long for its worker is told from its rows.
        self.events = self.hear_events()
        # Who begins to hear later is told of each call as far as it has come by then.
        for key in SEATS:
            self.until_response("fusion_call.panel.added", f'"{key}"')
        until(lambda: self.events.said)

    def ask_again(self, **body: Any) -> None:
        """Fuses the answers again, and hears that."""
        self.script(JUDGE, says(json.dumps(ANALYSIS)))
        self.script(WRITER, says("Said ", "anew [^B]."))
        self.api.upstream.requests.clear()
        response = self.api.post(f"/runs/{self.run_id}/fusions", json=body)
        assert response.status_code == 202, response.text
        self.hear_again(JUDGE)

    def hear_again(self, *asked: str) -> None:
        """The same two requests, made of a run that was opened again, once these were asked."""
        for model in asked:
            self.was_asked(model)
        self.events, self.responses = self.hear_events(), self._hear_responses()
        until(lambda: self.events.said and self.responses.said)

    def _hear_responses(self) -> Stream:
        url = f"{self.api.url}/responses"
        return Stream("POST", url, json=self._body, headers=self._headers)

    def hear_events(self) -> Stream:
        return Stream("GET", f"{self.api.url}/runs/{self.run_id}/events", headers=self._headers)

    def was_asked(self, model: str, times: int = 1) -> None:
        self.api.upstream.wait_until(
            lambda: len(self.api.upstream.calls_of(model)) == times, PATIENCE
        )

    def let(self, model: str, turn: int = 1) -> None:
        self._begins[model][turn - 1].set()

    def until_event(self, name: str, *words: str) -> None:
        until(lambda: self.events.has(f"event: {name}\n", *words), PATIENCE, 0.01)

    def until_response(self, name: str, *words: str) -> None:
        until(lambda: self.responses.has(f"event: response.{name}\n", *words), PATIENCE, 0.01)

    def answer(self, key: str, turn: int = 1, model: str = "", *, grace: bool = False) -> None:
        """A seat's whole answer; with `grace` it is the one that makes the quorum."""
        self.let(model or SEATS[f"{key[:-1]}1"], turn)
        self.until_event("panel.completed", f'"{key}"')
        self.until_response("fusion_call.panel.completed", f'"{key}"')
        if grace:
            self.until_event("panel.grace")

    def answer_all(self) -> None:
        first, second, third = SEATS
        self.answer(first)
        self.answer(second, grace=True)
        self.answer(third)

    def analyse(self) -> None:
        self.let(JUDGE)
        self.until_event("analysis.completed")

    def write(self) -> None:
        # What became of panel and judge is told with what is known then.
        self.until_response("fusion_call.completed")
        self.let(WRITER)
