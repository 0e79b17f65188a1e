"""`manage.py evaluate` as a process of its own, before a real worker and the scripted upstream."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, Stack, until
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = pytest.mark.live

TASKS = [
    {"id": "sum", "prompt": "2+2?", "grader": "exact", "answers": ["4"]},
    {
        "id": "why",
        "prompt": "Why?",
        "grader": "rubric",
        "criteria": [{"text": "fused", "weight": 3}, {"text": "rude", "weight": -1}],
    },
    {"id": "poem", "prompt": "A poem.", "grader": "pairwise"},
]
_PRESETS = """
from console.models import Credential, Preset, PresetPanelist
c = Credential.objects.get(slug="openrouter")
for slug in ("trial", "other"):
    p = Preset.objects.create(slug=slug, name=slug, judge_model="judge", judge_credential=c)
    for seat, model in enumerate(["alpha", "beta"]):
        PresetPanelist.objects.create(preset=p, seat=seat, model=model, credential=c)
"""


def answer(of: str) -> Any:
    """Alpha is wrong, beta right at half the price; whoever fuses says so."""

    def script(body: dict[str, Any]) -> Script:
        asked = str(body["messages"][-1]["content"])
        said = f"{of} says so."
        if asked == "2+2?":
            said = {"alpha": "5", "beta": "4"}[of]
        elif of == "judge":
            said = "4" if "2+2?" in asked else f"fused words on {len(asked)}"
        return Script(text=said, cost={"alpha": 0.02, "beta": 0.01}.get(of, 0.005))

    return script


def verdict(body: dict[str, Any]) -> Script:
    """Met when the answer is fused, rude never; of a pair the fused one is better."""
    user = str(body["messages"][-1]["content"])
    wanted = body["response_format"]["json_schema"]["schema"]["required"]
    if wanted == ["better"]:
        first = user.split("ANSWER 2")[0]
        said: Any = {"better": "1" if "fused" in first else "2"}
    elif wanted == ["best"]:
        said = {"best": 1}
    else:
        said = {"c1": "fused" in user, "c2": False}
    return Script(judge=Script(text=json.dumps(said), cost=0.001))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        for name in ("alpha", "beta", "judge"):
            up.script(name, answer(name))
        up.script("grader", verdict)
        up.script("babbler", Script(judge=Script(text="Both are fine.", cost=0.001)))
        up.keep()
        yield up


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as web:
        web.add("/sum", "Sums", "The sum of 2+2 is 4, as poems say: why not.", "Why?")
        yield web


@pytest.fixture(scope="module")
def stack(upstream: Upstream, web: Web) -> Iterator[Stack]:
    with Stack(
        SEARXNG_URL=web.url,
        FUSION_FETCH_ALLOW=web.place,
        OPENROUTER_BASE_URL=upstream.url,
        OPENROUTER_API_KEY="sk-or-any",
        FUSION_HEARTBEAT_SECONDS="0.5",
        FUSION_SWEEP_SECONDS="0.3",
    ) as stack:
        stack.shell(_PRESETS)
        yield stack


@pytest.fixture
def asked(upstream: Upstream) -> Iterator[list[Any]]:
    """What this test alone had the upstream asked."""
    upstream.requests.clear()
    yield upstream.requests


@pytest.fixture(scope="module")
def whole(
    stack: Stack, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Counter[str], str]:
    """An evaluation nothing disturbed: (its tasks, what it asked, what it printed)."""
    tasks = write_tasks(tmp_path_factory.mktemp("whole"))
    upstream.requests.clear()
    done = stack.manage(*command(tasks))
    return tasks, calls_by_model(upstream.requests), done.stdout


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return write_tasks(tmp_path)


def write_tasks(folder: Path) -> Path:
    path = folder / "tasks.jsonl"
    path.write_text("\n".join(map(json.dumps, TASKS)))
    return path


def command(tasks: Path, *args: str, grader: str = "grader") -> list[str]:
    return [
        *("evaluate", str(tasks), "--preset", "trial", "--grader", f"openrouter:{grader}"),
        *("--out", str(tasks.with_name("results.jsonl"))),
        *("--json", str(tasks.with_name("report.json"))),
        *args,
    ]


def report_of(tasks: Path) -> Any:
    return json.loads(tasks.with_name("report.json").read_text())


def calls_by_model(asked: list[Any]) -> Counter[str]:
    return Counter(r.model for r in asked if r.path.endswith("/chat/completions"))


Whole = tuple[Path, "Counter[str]", str]


def test_preset_best_solo_and_same_model_panel_are_compared(whole: Whole) -> None:
    tasks, asked, printed = whole
    report = report_of(tasks)
    assert report["complete"] is True and report["best_solo"] == "beta"
    assert report["solos"]["alpha"]["mean_score"] == 0.0
    assert report["solos"]["beta"]["mean_score"] == 0.5
    assert report["arms"]["preset"]["mean_score"] == 1.0
    # alpha 2 cents, beta 1, analysis and synthesis half a cent each
    assert report["arms"]["preset"]["cost"] == pytest.approx(3 * 0.04)
    assert report["arms"]["preset"]["cost_per_point"] == pytest.approx(0.04)
    assert report["arms"]["same model"]["cost"] == pytest.approx(3 * 0.03)
    against = report["preset_against"]["solo"]
    assert (against["wins"], against["ties"], against["losses"]) == (2, 1, 0)
    assert against["win_rate"] == pytest.approx(5 / 6, abs=1e-3)
    assert report["judgements"]["unparsed"] == 0
    # Two panels of two, an analysis and a synthesis each, for three tasks; four answers graded
    # by rubric, three pairs in both orders.
    assert asked == {"alpha": 3, "beta": 3 + 6, "judge": 12, "grader": 4 + 3 * 2}
    assert sum(asked.values()) == report["spent"]["calls"]
    assert report["spent"]["cost"] == pytest.approx(3 * 0.02 + 9 * 0.01 + 12 * 0.005 + 10 * 0.001)
    assert "win rate" in printed


def test_started_again_it_asks_nobody_and_says_the_same(
    stack: Stack, whole: Whole, asked: list[Any]
) -> None:
    tasks, _, printed = whole
    again = stack.manage(*command(tasks))
    assert calls_by_model(asked) == {}
    assert again.stdout == printed and "steps are done" in again.stderr


def test_killed_again_and_again_it_repeats_no_paid_call(
    stack: Stack, whole: Whole, tasks: Path, asked: list[Any], upstream: Upstream
) -> None:
    undisturbed = whole[1]
    for enough in (1, 5, 13, sum(undisturbed.values()) - 2):
        kill_at(enough, command(tasks), stack, upstream)
    stack.manage(*command(tasks))
    assert calls_by_model(asked) == undisturbed
    assert report_of(tasks)["spent"] == report_of(whole[0])["spent"]


def kill_at(calls: int, args: list[str], stack: Stack, upstream: Upstream) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        env=stack.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(upstream.calls) >= calls or process.poll() is not None, 60)
    assert process.poll() is None, "it had ended before it could be killed"
    process.kill()
    process.wait()


def test_a_limit_stops_it_and_more_money_takes_it_to_its_end(
    stack: Stack, tasks: Path, asked: list[Any]
) -> None:
    done = stack.manage(*command(tasks, "--max-calls", "9"), check=False)
    assert done.returncode == 1
    assert calls_by_model(asked).total() <= 9 and report_of(tasks)["complete"] is False
    assert "Not complete: 8 calls are made, of at most 9" in done.stdout
    done = stack.manage(*command(tasks, "--max-cost", "0.1"), check=False)
    spent = report_of(tasks)["spent"]["cost"]
    assert done.returncode == 1 and 0.1 <= spent < 0.15
    stack.manage(*command(tasks, "--at-once", "3"))
    assert report_of(tasks)["complete"] is True
    assert calls_by_model(asked).total() == report_of(tasks)["spent"]["calls"]


def test_at_matched_cost_the_solo_model_gets_what_the_preset_s_cost_buys(
    stack: Stack, whole: Whole, tasks: Path, asked: list[Any]
) -> None:
    shutil.copy(whole[0].with_name("results.jsonl"), tasks.with_name("results.jsonl"))
    stack.manage(*command(tasks, "--match-cost"))
    report = report_of(tasks)
    # 4 cents buy four of beta's answers: its own, two of the panel's, one more.
    assert [(m["samples"], m["by"]) for m in report["matched"]] == [(4, "cost")] * 3
    assert calls_by_model(asked) == {"beta": 3}
    assert report["arms"]["solo at matched cost"]["cost"] == pytest.approx(3 * 0.04)
    assert report["preset_against"]["solo at matched cost"]["wins"] == 2


def test_with_research_and_without_are_compared_and_bought_once(
    stack: Stack, tasks: Path, web: Web, asked: list[Any]
) -> None:
    done = stack.manage(*command(tasks, "--research"))
    report = report_of(tasks)
    assert web.asked and web.read == ["/sum"] * len(web.read)
    assert report["research"]["arm"] == "preset with research"
    assert (report["research"]["scored"], report["research"]["difference"]) == (2, 0.0)
    assert report["arms"]["preset with research"]["answers"] == 3
    assert "Research changed the mean score by" in done.stdout
    asked.clear()
    assert stack.manage(*command(tasks, "--research")).stdout == done.stdout
    assert calls_by_model(asked) == {}


def test_judgements_nobody_can_read_are_counted(stack: Stack, tasks: Path) -> None:
    done = stack.manage(*command(tasks, grader="babbler"))
    report = report_of(tasks)
    said = report["judgements"]
    assert said["asked"] == said["unparsed"] > 0
    assert report["arms"]["preset"]["unparsed"] == 1
    assert report["preset_against"]["solo"]["unparsed"] == 2
    assert "unparsed" in done.stdout


def test_results_of_another_preset_or_other_tasks_are_not_gone_on_with(
    stack: Stack, tasks: Path, asked: list[Any]
) -> None:
    stack.manage(*command(tasks, "--max-calls", "4"), check=False)
    before = calls_by_model(asked)
    done = stack.manage(*command(tasks, "--preset", "other"), check=False)
    assert done.returncode == 1 and "results of another preset" in done.stderr
    tasks.write_text(tasks.read_text().replace("2+2?", "2+3?"))
    done = stack.manage(*command(tasks), check=False)
    assert done.returncode == 1 and "results of other tasks" in done.stderr
    assert calls_by_model(asked) == before


def test_what_cannot_be_used_is_refused_before_anybody_is_asked(
    stack: Stack, tasks: Path, asked: list[Any]
) -> None:
    bad = tasks.with_name("bad.jsonl")
    bad.write_text(json.dumps(TASKS[0]) + "\nnot JSON\n")
    for args, says in (
        (command(tasks.with_name("none.jsonl")), "There is no file"),
        (command(bad), "Line 2: this is no JSON."),
        (command(tasks, "--preset", "nope"), "There is no preset “nope”. Presets:"),
        (command(tasks, "--grader", "two\nlines"), "A model's name is one line"),
        (command(tasks, "--max-cost", "much"), "no sum of dollars"),
    ):
        done = stack.manage(*args, check=False)
        assert done.returncode and says in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert not [r for r in asked if r.path.endswith("/chat/completions")]


def test_without_a_worker_it_says_so(stack: Stack, tasks: Path) -> None:
    stack.kill("worker", signal.SIGTERM)
    try:
        done = stack.manage(*command(tasks), check=False)
        assert done.returncode == 1 and "No worker is running" in done.stderr
    finally:
        stack.start_worker()
        until(stack.is_ready)
