"""Public streams, heard while they come, and made comparable byte by byte.

What differs from one run to the next is put out of sight, in the text itself and nowhere else,
so that the order of keys, the spaces and the escapes are compared too:

- ids: the run's number wherever it stands (in addresses, `resp_…`, `msg_…`, `fus_…`, `fc_…`), the
  places of a run's events (of `id: <attempt>-<entry>.<n>` the attempt is kept), `sequence_number`
- times: the numbers of the fields in `TIMES`; null stays null
- the server's port, and comments, which keep a silent connection open
- fields that were added since the streams were recorded (`ADDED`): programs read past them
- how a text was cut into deltas: the recorder writes what has piled up at most every 33 ms, so
  the cuts depend on the machine. Adjacent deltas of the same call are read as one.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import httpx

TIMES = (
    *("at", "until", "retry_at"),
    *("created_at", "started_at", "sent_at", "first_token_at", "finished_at", "completed_at"),
)
_TIME = re.compile(rf'"({"|".join(TIMES)})":\d+(?:\.\d+)?')
# Of a fusion: that a model compared the answers. Of a run's calls: who said the cost, and the web
# pages that an answer cites, the name of an answer from elsewhere. Of a run: what people found
# best, what goes on from it, how it is kept, what is to be said of one that is completed; of a
# call: how it was given which files; of a fusion: what a reader wished.
BY_MODEL = r'"analysis_by": ?(?:null|"model"), ?(?="(?:failure_reason|analysis)":)'
ADDED = re.compile(
    r',"followed":null,"follow_ups":(?:null|\[\])|'
    r',"title":"","tags":\[\],"starred":false,"archived":false(?=,"origin")|'
    r',"verdicts":(?:null|\[\])|,"wish":null(?=\})|'
    r'"name":null,"brought_by":null,(?="model")|"note":(?:null|"[^"]*"),(?="tool_calls")|'
    r'"provenance":\[(?:\{[^{}]*\},?)*\],(?="stands_in")|'
    r'"cost_source":(?:null|"\w*"),(?="retry_at")|"sources":\[\],(?="(?:finish_reason|usage)")|'
    r'"files":\[\],(?="finish_reason")|' + BY_MODEL
)
_NUMBER = re.compile(r'"sequence_number":\d+')
_PLACE = re.compile(r"^id: (\d+)-\d+\.\d+$", re.M)
_DELTA = re.compile(
    r'(.*^event: .*\.delta$.*"(?:text|delta)":")((?:[^"\\]|\\.)*)(".*)', re.M | re.S
)


class Stream(threading.Thread):
    """One stream of server-sent events, read to its end in a thread of its own."""

    def __init__(self, method: str, url: str, **request: Any) -> None:
        super().__init__(daemon=True)
        self.said: list[str] = []  # what stood between two blank lines
        self._request = {"method": method, "url": url, "timeout": 60, **request}
        self.start()

    def run(self) -> None:
        rest = b""
        with httpx.stream(**self._request) as response:
            assert response.status_code == 200, response.read()
            for piece in response.iter_bytes():
                *whole, rest = (rest + piece).split(b"\n\n")
                self.said += [said.decode() for said in whole if not said.startswith(b":")]
        assert not rest, rest

    def has(self, *words: str) -> bool:
        """Whether all of them stand in one of the events that came."""
        return any(all(word in said for word in words) for said in self.said)

    def whole(self) -> list[str]:
        """Its events, once it has ended."""
        self.join(30)
        assert not self.is_alive(), self.said
        return self.said


def comparable(said: list[str], run_id: str) -> list[str]:
    """The events of one run's stream as they are in every run like it."""
    numbers = [int(found[1]) for s in said if (found := re.search(r'"sequence_number":(\d+)', s))]
    assert numbers == list(range(len(numbers)))
    return _merged([_plain(event, run_id) for event in said])


def _plain(event: str, run_id: str) -> str:
    event = event.replace(run_id, "<run>").replace(run_id.replace("-", ""), "<run>")
    event = re.sub(r"http://127\.0\.0\.1:\d+", "http://<host>", event)
    event = _PLACE.sub(r"id: \1-<place>", event)
    event = _NUMBER.sub('"sequence_number":<n>', event)
    event = ADDED.sub("", event)
    return _TIME.sub(r'"\1":<time>', event)


def _merged(events: list[str]) -> list[str]:
    merged: list[str] = []
    for event in events:
        this = _DELTA.fullmatch(event)
        last = _DELTA.fullmatch(merged[-1]) if merged else None
        if this and last and (this[1], this[3]) == (last[1], last[3]):
            merged[-1] = last[1] + last[2] + this[2] + last[3]
        else:
            merged.append(event)
    return merged


def data_of(event: str) -> dict[str, Any]:
    (line,) = [line for line in event.splitlines() if line.startswith("data: ")]
    data: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return data
