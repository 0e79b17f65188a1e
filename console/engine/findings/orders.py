"""A page that tries to instruct the models that read it: found by how such sentences begin, and
shown as a finding. Whether it is found decides nothing: all pages are fenced as material."""

from __future__ import annotations

import re

_ORDERS = re.compile(
    r"""
      \b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+|every\s+)*
        (?:previous|prior|above|earlier|other|preceding|system)\b[^.\n]{0,40}
        \b(?:instruction|prompt|rule|message|answer|guideline|context)s?
    | \b(?:ai|language|llm)\s*(?:model|assistant|agent)s?\b[^.\n]{0,60}
        \b(?:must|should|shall|always|never|recommend|respond|reply|answer|say|state)\b
    | \byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:ai|language\s+model|llm|assistant|chatbot)\b
    | \b(?:system|developer)\s+(?:prompt|message)\s*:
    | <\s*/?\s*(?:system|instructions?|assistant)\s*>
    | \bnew\s+instructions?\s*:
    """,
    re.IGNORECASE | re.VERBOSE,
)


def gives_orders(text: str) -> str:
    """The words in which it does; "" where it does not."""
    found = _ORDERS.search(text)
    return " ".join(found[0].split())[:200] if found else ""
