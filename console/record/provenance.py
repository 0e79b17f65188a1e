"""What the sentences of a fusion's answer rest on, read once for everybody who asks.

It is made of what is stored, the text with its marks and the analysis, and stored nowhere. It
takes a processor's time, so nobody asks it in a loop that others wait for.
"""

from __future__ import annotations

import hashlib
import json

from ..engine.findings.sourced import SourcedSentence, sourced
from ..engine.state import FusionState, RunState, Step
from .kept import KeptValues

# Sentences, of all that are kept.
KEPT = 40_000

_kept: KeptValues[tuple[SourcedSentence, ...]] = KeptValues(KEPT, len)


def provenance(state: RunState, fusion: FusionState | None) -> tuple[SourcedSentence, ...]:
    """Of what was written; of an answer that stands in, or is not whole yet, nothing."""
    call = state.answering(fusion) if fusion else None
    if fusion is None or call is None or call.step is not Step.SYNTHESIS:
        return ()
    letters = state.letters_of(fusion.number)
    beside = json.dumps([letters, fusion.analysis], sort_keys=True)
    key = hashlib.sha256(beside.encode() + b"\0" + call.text.encode("utf-8", "surrogatepass"))
    return _kept.get(key.digest(), lambda: sourced(call.text, fusion.analysis, letters))
