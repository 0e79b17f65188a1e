"""A run as people have them: tables, code, a contradiction, quotes that were found and one that was
not, and a text that says where each sentence is from."""

from __future__ import annotations

from typing import Any

from tests.console.story import Story, a_spec

MODELS = ("claude-opus-5.1", "gpt-5.5", "gemini-3.1-pro", "deepseek-v4-pro", "mistral-large-3")
MORE = ("kimi-k3", "qwen3-max", "grok-5-fast")
ROWS = (("Plant", 545, 594, 486), ("Power", 1885, 1872, 1760), ("Sum", 2601, 2596, 2317))
TABLE = "| thousand € | Keep | Retrofit | CO2 |\n|---|--:|--:|--:|\n" + "".join(
    f"| {what} | {a:,} | {b:,} | {c:,} |\n" for what, a, b, c in ROWS
)
CODE = "```python\ndef npv(flows, r=0.06):\n    return sum(f / (1 + r) ** t for t, f in flows)\n```"
SAYS = (
    "Replace it, but never switch it off.",
    "Retrofit to R-448A this spring.",
    "The same article bars new gas above 750.",
    "Keep it on reclaimed gas until 2029.",
    "There is no end date for R-448A in sight.",
)


def answer(seat: int) -> str:
    said = [f"Paragraph {n} of the answer, at some length. " * 3 for n in range(1, 12)]
    before, after = "\n\n".join(said[:6]), "\n\n".join(said[6:])
    own = SAYS[seat % len(SAYS)]
    return f"## Answer {seat + 1}\n\n{before}\n\n{TABLE}\n\n{own} And so on.\n\n{CODE}\n\n{after}"


def quote(seat: int, text: str = "") -> dict[str, Any]:
    words = text or SAYS[seat % len(SAYS)]
    start = answer(seat).find(words)
    found = {"verified": start >= 0, "start": max(start, 0), "end": max(start, 0) + len(words)}
    return {"seat": seat, "quote": words} | found


def claim(key: str, text: str, *seats: int, **more: Any) -> dict[str, Any]:
    evidence = [quote(seat) for seat in seats]
    return {key: text, "seats": list(seats), "evidence": evidence, "standing": "supported"} | more


LOST = [quote(3, "prices of racks fall by a fifth")]
ANALYSIS: dict[str, Any] = {
    "consensus": [
        claim("claim", "The rack has to be changed by about 2031 in any case", 0, 1, 2, 3),
        claim("claim", "R-404A has no future after 2029", 0, 1, 2, 3, 4),
    ],
    "contradictions": [
        {
            "topic": "What to do now",
            "stances": [
                claim("stance", "Replace with CO2 now.", 0, 2),
                claim("stance", "Retrofit, replace in 2031.", 1, 4),
                claim("stance", "Stay on it until 2029.", 3)
                | {"evidence": [quote(3), *LOST], "standing": "partly"},
            ],
        }
    ],
    "partial_coverage": [claim("point", "Downtime is four days", 1, 4)],
    "unique_insights": [
        claim("insight", "Eleven of sixteen refills went into circuit 2", 3)
        | {"seat": 3, "evidence": LOST, "standing": "unverified"}
    ],
    "blind_spots": ["Who services the plant during the change"],
}


def analysis(seats: int) -> dict[str, Any]:
    """What of it those say who are there."""

    def of_those(part: Any) -> Any:
        if isinstance(part, list):
            return [of_those(one) for one in part if not is_of_others(one)]
        if isinstance(part, dict):
            return {key: of_those(value) for key, value in part.items()}
        return part

    def is_of_others(one: Any) -> bool:
        if isinstance(one, dict):
            one = one.get("seat", 0)
        return isinstance(one, int) and one >= seats

    return {part: of_those(items) for part, items in ANALYSIS.items()}


POINTS = [f"Point {n} is about what else there is to think of. [^A,B,C,D,E]" for n in range(1, 25)]
FUSED = f"""**Replace the rack with transcritical CO2, and order it before the summer.** [^A,C]
Topping up is a bridge and no more: since 2025 only reclaimed R-404A may go into the plant. [^A,C,D]

The retrofit looks cheaper than it is. It costs 96,000 to 104,000 and a long weekend [^B], but
R-448A meets its own limit in 2032, when new gas above 750 is barred. [^C] You would pay twice
within seven years. [^own]

### What it costs

{TABLE}

""" + "\n\n".join(POINTS)


def panel(seats: int) -> Story:
    names = (MODELS + MORE)[:seats]
    return Story(a_spec(*(f"maker/{name}" for name in names))).begin().wait(2)


def rich(seats: int = 5) -> Story:
    story = panel(seats)
    for seat in range(seats):
        story.write(seat, answer(seat)).wait(3).answer(seat)
    story.judge().wait(9)
    if seats > 1:  # one answer alone is compared with nothing
        story.analyse(analysis(seats))
    return story.synthesise(FUSED).wait(12).complete()


def under_way(seats: int = 5) -> Story:
    story = panel(seats)
    for seat in range(seats - 2):
        story.write(seat, answer(seat)).wait(3).answer(seat)
    return story.write(seats - 2, answer(1)[:900])
