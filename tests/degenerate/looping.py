"""Texts that say nothing more. Those named `run …` are cut from what a small model wrote."""

from __future__ import annotations

import random
from collections.abc import Iterator

PASSAGES = {
    "a word": "the ",
    "two words": "very much ",
    "a phrase": "and so on and so forth, ",
    "a sentence": "The sea is blue because it reflects the sky.\n",
    "a numbered sentence": "{n}. The sea is blue because it reflects the sky.\n",
    "two sentences": "It is important to note that it depends. In the end, each case is its own. ",
    "a paragraph": "When you look at it closely, the matter is not so simple. There are reasons "
    "for it and against it, and whoever decides has to weigh them. Some hold that time will tell; "
    "others, that time is what nobody has. In short, it depends on what is wanted, by whom.\n\n",
    "a list": "- Drink water\n- Eat fruit\n- Sleep well\n- Walk a lot\n",
    "a heading and its text": "## Summary\n\nThe answer was given above.\n\n",
    "a question to itself": "Wait, let me check that again. No, that is right. ",
    "German": "Das Wetter ist heute schön, und morgen wird es auch schön sein. ",
    "Russian": "Море синее, потому что в нём отражается небо. ",
    "Chinese": "海是蓝色的,因为它反射天空。",
    "Japanese": "海が青いのは空を映すからです。",
    "code": "    result.append(value)\n",
    "JSON": '{"claim": "The sea is blue.", "seats": ["A", "B"]}, ',
    "code in a fence": "x = x + 1\n",
}
BEFORE = "The question has several sides, and it is best to take them one by one.\n\n"

RUNS = {
    "run why": "The answer lies in the science of physics and human-eye's ability (A)\n\n" * 9,
    "run maths": 'The answer to the question "How to use them" is:\n\n' * 12,
    "run howto": "The answer to the prompt is:\n\n" * 7,
    "run seat": "The process of removing the stain is called the stain removal process. " * 6,
    "run advice": "I'm sure I can help you with that, I'm sure you can do it, I'm sure you will. "
    * 8,
}


def texts() -> Iterator[tuple[str, str]]:
    """(kind, text)"""
    for kind, passage in PASSAGES.items():
        fence = "```\n" if "fence" in kind else ""
        for length in (1500, 6000):
            times = length // len(passage) + 3
            loop = "".join(passage.replace("{n}", str(n + 1)) for n in range(times))
            yield kind, f"{BEFORE}{fence}{loop}"
    yield from RUNS.items()


def made_of(healthy: str, seed: int) -> str:
    """A loop of somebody's own words, of 2 to 100 of them."""
    rng = random.Random(seed)
    words = healthy.split()
    length = min(rng.choice([2, 5, 12, 30, 60, 100]), len(words))
    at = rng.randrange(len(words) - length + 1)
    return f"{BEFORE}{' '.join(words[at : at + length] * (1200 // length + 3))}"
