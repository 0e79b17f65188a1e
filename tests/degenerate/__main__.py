"""False alarms and misses of `console/engine/findings/degenerate.py`, and what it costs; false
alarms of `repeated_rows.py`:

python -m tests.degenerate
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from console.engine.findings.degenerate import find
from console.engine.findings.repeated_rows import repeats_rows

from . import healthy, looping

MOST = 600  # pieces of a kind
DELTA = 5  # characters that come together


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    seen: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    characters, began = 0, time.process_time()
    pieces = [(kind, p) for kind in healthy.FILES for p in healthy.pieces(kind, MOST)]
    pieces += [("written for it", text) for text in healthy.WRITTEN.values()]
    for kind, piece in pieces:
        seen[kind] += 1
        characters += len(piece)
        stopped[kind] += find(piece) is not None
    took = time.process_time() - began
    for kind, count in seen.items():
        say(f"{kind:20} {count:5,} pieces, {stopped[kind]} stopped")
    cost = f"{took / characters * 1e6:.1f} µs of CPU a character"
    rows = [kind for kind, piece in pieces if repeats_rows(piece)]
    say(f"healthy: {stopped.total()} of {seen.total():,} stopped, {cost}")
    say(f"healthy: {len(rows)} of {seen.total():,} repeat rows {dict(Counter(rows)) or ''}")
    loops = [*looping.texts()]
    prose = [piece for kind, piece in pieces if kind in ("docs", "licences", "manuals")]
    loops += [("made of docs", looping.made_of(p, n)) for n, p in enumerate(prose)]
    missed = Counter(kind for kind, text in loops if find(text) is None)
    say(f"looping: {missed.total()} of {len(loops):,} missed {dict(missed) or ''}")


if __name__ == "__main__":
    main()
