"""U-62: pictures beside the text, within it and instead of it."""

from __future__ import annotations

import base64
import random

from console.engine.errors import Reason
from tests.upstream.sse import event, text

from .scenario import Scenario, cost
from .streams import END, intact, raw

PICTURE = base64.b64encode(random.Random(7).randbytes(180_000)).decode()
URL = f"data:image/png;base64,{PICTURE}"
BESIDE = event({"content": "", "images": [{"type": "image_url", "image_url": {"url": URL}}]})
LARGE = event({"content": "", "images": [{"image_url": {"url": URL + PICTURE * 6}}]})
WITHIN = f"Here: ![rain]({URL}) done"

TABLE = [
    Scenario(
        "U-62",
        "a picture and nothing else",
        raw(BESIDE + END),
        sees=("empty", "The model answered with a picture (PNG, 180 kB) and no text."),
        reason=Reason.EMPTY,
        usage={"input_tokens": 4, "output_tokens": 2},
        cost=cost(2),
        usual=True,
    ),
    intact(
        "U-62",
        "text, and one event with 1.7 MB of a picture",
        raw(text("one"), LARGE, text(" two"), END),
        sees=("done", "came with a picture (PNG, 1.3 MB), not kept"),
        usual=True,
    ),
    intact(
        "U-62",
        "a picture within the text",
        raw(*(text(WITHIN[n : n + 5000]) for n in range(0, len(WITHIN), 5000)), END),
        "Here: [picture: PNG, 180 kB] (rain) done",
        usage={"input_tokens": 4, "output_tokens": 2},
        cost=cost(2),
    ),
]
