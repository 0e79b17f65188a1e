"""How long a model's silence is no silence: whether it thinks before it answers, and how long
it usually took here until its first word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import median

from django.core.cache import cache

from ..engine.state import Step
from ..models import Call, Credential
from ..models.runs import READ_ONLY
from .listings import Look, listed_model

# Of many lists nothing can be read. These think before every answer, most of them unseen, by
# what their makers say of them; a name may stand behind its author's and before a variant.
NAMED = re.compile(
    r"(^|/)(o[1-9]\d?(-(mini|pro|preview|deep-research))?|gpt-5[^/]*|gpt-oss[^/]*"
    r"|gemini-(2\.5|3|pro-latest)[^/]*|grok-(3-mini|4)[^/]*|deepseek-(r\d|reasoner)[^/]*"
    r"|qwq[^/]*|magistral[^/]*|[^/]*-(thinking|reasoner|reasoning)([-:@][^/]*)?)$"
)
NOT_NAMED = re.compile(r"(-chat(-latest)?|-non-reasoning|-no-?thinking)$")

RECENT = 300  # calls of all models that are looked at
SAMPLES = 20  # of one model, the latest
ENOUGH = 3
KEPT = 60  # seconds; a median of so many changes little within
_CACHE_KEY = "usual-first-tokens-1"


def reasons(credential: Credential, model: str, look: Look = listed_model) -> bool | None:
    """As its server lists it, else by its name; None where nothing is known."""
    row = look(credential, model)
    if row and row.reasons is not None:
        return row.reasons
    name = model.lower()
    return True if NAMED.search(name) and not NOT_NAMED.search(name) else None


def usual_first_tokens() -> dict[tuple[str, str], float]:
    """(credential, model) -> the median of its last calls on a panel here, in seconds; of those
    with enough of them. Calls are read once a minute and process: every prompt asks for it."""
    usual: dict[tuple[str, str], float] | None = cache.get(_CACHE_KEY)
    if usual is None:
        usual = _of_recent_calls()
        cache.set(_CACHE_KEY, usual, KEPT)
    return usual


def _of_recent_calls() -> dict[tuple[str, str], float]:
    asked_here = Call.objects.filter(step=Step.PANEL).exclude(run__origin__in=READ_ONLY)
    calls = asked_here.order_by("-pk")
    rows = calls.values_list("panelist", "sent_at", "first_token_at")[:RECENT]
    took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for panelist, sent, first in rows:
        if sent is None or first is None:
            continue
        who = (str(panelist.get("credential")), str(panelist.get("model")))
        if len(took[who]) < SAMPLES:
            took[who].append(max(0.0, (first - sent).total_seconds()))
    return {who: round(median(s), 3) for who, s in took.items() if len(s) >= ENOUGH}
