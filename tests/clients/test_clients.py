"""Other people's programs as they come, against the whole product: no client shows an empty
answer for a run that failed, and none pays for one request twice.

They are installed from the registries by name, each into an environment of its own, which
takes minutes and gigabytes: only with FUSION_LONG_TESTS=1, and on SQLite. FUSION_CLIENTS_DIR
keeps what is installed, FUSION_CLIENTS_PAGE is where the table of what came of it is written.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients import table
from tests.clients.environments import PROGRAMS, Client, clients
from tests.clients.house import ANSWER, WEATHER, House, house
from tests.files import making

PICTURE = "data:image/png;base64," + base64.b64encode(making.picture()).decode()
REPORT = "data:application/pdf;base64," + base64.b64encode(making.pdf(["Rain is wet."])).decode()
SECONDS = 600  # for one program and one scenario, on a busy machine

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(SECONDS + 100),
    pytest.mark.skipif(
        os.environ.get("FUSION_LONG_TESTS") != "1", reason="installs other people's programs"
    ),
]

# What is asked, of which preset, and how many requests to models that may come to.
SCENARIOS = {
    "plain": ("good", "Say hello."),
    "stream": ("good", "Say hello."),
    "tools": ("good", "How warm is it in Oslo? Or use the shell."),
    "structured": ("good", "How warm is it in Oslo?"),
    "error": ("failing", "Say hello."),
    "error whole": ("failing", "Say hello."),
    "silence": ("silent", "Say hello."),
    "silence stream": ("silent", "Say hello."),
    "one failed seat": ("degraded", "Say hello."),
    "files": ("good", "What is in these?"),
    "agent": ("good", "How warm is it in Oslo? Look five times, or use the shell five times."),
}


@dataclass(frozen=True)
class Outcome:
    text: str
    error: str
    called: int
    structured: Any
    failures: int  # how often a panel was asked that fails
    panels: int  # how often one was that does not
    writers: int
    given: dict[str, str]  # to each seat: what of the files it was sent, in words


@pytest.fixture(scope="session")
def site() -> Iterator[House]:
    with house() as site:
        yield site


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", clients())
def test_a_program_works_as_it_comes(site: House, name: str, scenario: str) -> None:
    client = clients()[name]
    if scenario in client.lacks:
        table.note(client, scenario, "—", client.lacks[scenario])
        pytest.skip(client.lacks[scenario])
    outcome = carry_out(site, client, scenario)
    if outcome is None:
        table.note(client, scenario, "—", "")
        pytest.skip("it has no such thing")
    wrong = complaint(scenario, outcome)
    table.note(client, scenario, "no" if wrong else "yes", wrong)
    assert not wrong, f"{wrong}\n{outcome}"


def complaint(scenario: str, outcome: Outcome) -> str:
    """Why it does not hold; "" where it does."""
    if scenario.startswith("error"):
        if not outcome.error:
            return f"shows “{outcome.text[:60]}” for a run that failed"
        several = f"asks the panel {outcome.failures} times for one request"
        return several if outcome.failures > 1 else ""
    if outcome.error:
        return outcome.error[:200]
    if outcome.panels != 1:
        return f"asks the panel {outcome.panels} times"
    if scenario == "files" and (wrong := _of_files(outcome)):
        return wrong
    if scenario == "structured":
        wanted = {"city": "Oslo", "degrees": 7}
        return "" if outcome.structured == wanted else f"reads {outcome.structured}"
    calls = {"tools": 1, "agent": 5}.get(scenario, 0)
    if outcome.called not in (calls, -1):
        return f"calls its tool {outcome.called} times instead of {calls}"
    if calls and outcome.writers != calls + 1:
        return f"asks the writer {outcome.writers} times instead of {calls + 1}"
    answer = WEATHER if calls else ANSWER
    return "" if answer in " ".join(outcome.text.split()) else f"shows “{outcome.text[:60]}”"


def _of_files(outcome: Outcome) -> str:
    """`alpha` sees and reads documents, `beta` reads text; who cannot see is named, to programs
    that hand on what is beside an answer."""
    if outcome.given != {"alpha": "picture, document", "beta": "text"}:
        return f"its seats are sent {outcome.given}"
    if outcome.structured is None or "takes no pictures" in str(outcome.structured):
        return ""
    return f"says of who could not see: {outcome.structured}"


def carry_out(site: House, client: Client, scenario: str) -> Outcome | None:
    """None where the program has nothing of the kind."""
    preset, prompt = SCENARIOS[scenario]
    if client.model == "openrouter":
        site.make_default(preset)
    site.upstream.requests.clear()
    command = client.command()
    asked = {
        "ASKED_URL": site.url,
        "ASKED_KEY": site.key,
        "ASKED_MODEL": "openrouter/fusion" if client.model else f"fusion/{preset}",
        "ASKED_SCENARIO": scenario,
        # No two of them ask the same: what failed for one is not to be told to the next.
        "ASKED_PROMPT": f"{prompt} ({client.name})",
        "ASKED_CLIENT": client.name,
        "ASKED_PORT": str(free_port()),
        "ASKED_FOLDER": str(client.folder),
        "ASKED_PICTURE": PICTURE if scenario == "files" else "",
        "ASKED_REPORT": REPORT if scenario == "files" else "",
        "PYTHONPATH": str(PROGRAMS),
    }
    done = subprocess.run(
        command,
        env={**plain_environment(), **asked},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"text"')]
    if not lines:
        if f"KeyError: '{scenario}'" in done.stderr or "is not a function" in done.stderr:
            return None
        pytest.fail(f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    told = json.loads(lines[-1])
    if f"KeyError: '{scenario}'" in told["error"] or "is not a function" in told["error"]:
        return None
    return Outcome(
        **told,
        failures=site.calls_to("fault-500"),
        panels=site.calls_to("alpha"),
        writers=site.calls_to("writer"),
        given=given(site),
    )


def given(site: House) -> dict[str, str]:
    sent = {call.model: json.dumps(call.body["messages"]) for call in site.upstream.calls}
    said = {"picture": PICTURE, "document": REPORT, "text": "Rain is wet."}
    return {
        seat: ", ".join(what for what, mark in said.items() if mark in sent.get(seat, ""))
        for seat in ("alpha", "beta")
    }


def plain_environment() -> dict[str, str]:
    """Without what would tell a program of keys and addresses that are not ours."""
    ours = ("OPENAI_", "OPENROUTER_", "FUSION_", "DJANGO_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def free_port() -> int:
    """For a program that takes no socket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
