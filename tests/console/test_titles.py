"""What a question is called in one line."""

from __future__ import annotations

import pytest

from console.record.titles import LONGEST, title_of

TITLES = {
    "Is rain wet?": "Is rain wet?",
    "R-404A cold store: keep, retrofit or replace? We have 40 kg of it.": (
        "R-404A cold store: keep, retrofit or replace?"
    ),
    "  \n\n  Which one?\nA or B": "Which one?",
    "Version 3.5 is out. What now?": "Version 3.5 is out.",
    "Compare e.g. Python and Go. Be short.": "Compare e.g. Python and Go.",
    "Should we\nreplace it? It is old.": "Should we replace it?",
    "# A heading\n\nAnd a text below. It is long.": "A heading",
    "**Bold** words, _soft_ ones. And `code`.": "Bold words, soft ones.",
    "snake_case_name or 2 * 3 * 4?": "snake_case_name or 2 * 3 * 4?",
    "- first\n- second": "first",
    "雨は濡れていますか。説明してください。": "雨は濡れていますか。",
    "هل المطر مبلل؟ اشرح.": "هل المطر مبلل؟",
    "no end at all": "no end at all",
    "```python\nprint(1)\n```": "python",
    "```python\nprint(1)\n```\n\nWhat does this print?": "What does this print?",
    "?!": "?!",
    "🙂": "🙂",
    "***": "***",
    "": "",
}


@pytest.mark.parametrize(("prompt", "title"), TITLES.items())
def test_a_question_is_called_by_its_first_sentence(prompt: str, title: str) -> None:
    assert title_of(prompt) == title


@pytest.mark.parametrize(
    "prompt", ["word " * 90, "w" * 500, "字" * 500, "word, " * 14 + "w" * 90, f"{'w' * 79} and on"]
)
def test_a_long_one_is_cut_between_words_where_there_are_some(prompt: str) -> None:
    title = title_of(prompt)
    assert len(title) <= LONGEST and title.endswith("…") and not title.endswith((" …", ",…"))
    begun = title.removesuffix("…")
    assert prompt.startswith(begun) and len(begun) > LONGEST // 2
    assert " " not in prompt[:LONGEST] or prompt[len(begun)] in " ,"


def test_of_a_prompt_of_any_length_only_the_beginning_is_read() -> None:
    assert title_of("(" * 400_000).endswith("…")
    assert title_of(f"Why? {'X' * 400_000}") == "Why?"
