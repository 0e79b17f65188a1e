"""What harm costs others: their pages' time beside the usual, case by case.

    .venv/bin/python -m tests.load [WORD …]     only cases with one of the words

Each harm is done by a process of its own while a member reads their pages one after the other.
The usual time is measured before it and after, so that a machine that slows down does not look like
one that is harmed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import tests.environment  # noqa: F401 - first: the keys and the database are its own
from tests.load.harms import HARMS, Target
from tests.load.site import Site, site
from tests.upstream import Script

PAGES = ("/fusion/tokens", "/fusion/runs", "/fusion")
USUAL = 30  # readings of each page
AT_MOST = 2.0
WANDERS = 1.5  # the usual time, before and after: beyond that nothing is told of the harm
HUNDRED = "100 runs of one member"


def main(words: list[str]) -> int:
    if words[:1] == ["--do"]:
        harm, _ = HARMS[words[1]]
        answers = harm(Target(int(words[2]), words[3], words[4]), int(words[5]))
        sys.stdout.write(", ".join(f"{n} × {what}" for what, n in answers.items()))
        return 0
    say(
        "| Harm | Others' pages, ms before, after | meanwhile | ratio | slowest | on disk |"
        " It was answered |"
    )
    say("|---|---:|---:|---:|---:|---:|---|")
    worst = 0.0
    with site() as one:
        for name in (*HARMS, HUNDRED):
            if not words or any(word in name for word in words):
                worst = max(worst, row(one, name))
    return 0 if worst <= AT_MOST else 1


def row(one: Site, name: str) -> float:
    before = usual(one)
    took: list[float] = []
    disk = 0
    if name == HUNDRED:
        answered = hundred(one, took)
    else:
        target, (_, times) = one.target, HARMS[name]
        command = [sys.executable, "-m", "tests.load", "--do", name, str(target.port)]
        command += [target.link, target.text, str(times)]
        harm = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while harm.poll() is None or not took:
            took += read(one)
            disk = max(disk, one.bytes_on_disk())
        answered, _ = harm.communicate()
    after = usual(one)
    meanwhile = statistics.median(took) * 1000
    ratio = meanwhile / max(before, after)
    says = f"| {name} | {before:.0f}, {after:.0f} | {meanwhile:.0f} | {ratio:.2f} |"
    says += f" {max(took) * 1000:.0f} | {disk} | {answered} |"
    if max(before, after) > WANDERS * min(before, after):
        says += " the machine is too busy to tell"
        ratio = 0
    say(says)
    return ratio


def usual(one: Site) -> float:
    return statistics.median(seconds for _ in range(USUAL) for seconds in read(one)) * 1000


def read(one: Site) -> list[float]:
    took = []
    for path in PAGES:
        began = time.monotonic()
        one.bob.http.get(path).raise_for_status()
        took.append(time.monotonic() - began)
    return took


def hundred(one: Site, took: list[float]) -> str:
    """How long bob's run waits for its first place while alice's hundred go on and wait."""
    one.upstream.script("brisk", Script(text="An answer. " * 20, tokens_per_second=20))
    for _ in range(100):
        one.alice.ask("brisk", "brisk", "brisk")
        took += read(one)
    began = time.monotonic()
    his = one.bob.ask("brisk", "brisk")
    while one.bob.page(his).status == "queued":
        took += read(one)
    waited = time.monotonic() - began
    return f"another's run began after {waited:.1f} s"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
