"""Runs of the preset Local: each ends in a valid analysis or in a typed reason."""

from __future__ import annotations

import sys

import pytest

from console.engine.errors import Reason
from console.engine.findings.analysis import PARTS
from console.engine.findings.evidence import share_of_verified
from console.engine.findings.given import fused_answer
from console.engine.state import RunStatus, Step
from tests.llm.conftest import ANALYSIS_TOKENS, LONG, Fused

pytestmark = [pytest.mark.llm, pytest.mark.timeout(3000)]

PROMPTS = (
    "Why is the sky blue?",
    "Should a small team use a monorepo? Answer briefly.",
    "Name three ways to keep bread fresh.",
    "Is it better to learn Python or JavaScript first?",
    "What causes the tides?",
)


async def test_each_run_ends_in_an_analysis_or_a_reason(
    fused: Fused, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, found, given, valid = [], 0, 0, 0
    prompts = PROMPTS if LONG else PROMPTS[:1]
    for prompt in prompts:
        state = await fused(prompt)
        fusion = state.fusion
        assert state.status is RunStatus.COMPLETED and fused_answer(state) and fusion
        tries = len(state.calls_of(Step.ANALYSIS, fusion=1))
        if fusion.analysis_by == "words":
            assert fusion.analysis_reason in set(Reason) and fusion.analysis_error
            lines.append(f"{prompt}: {fusion.analysis_reason} after {tries} tries")
            continue
        assert fusion.analysis is not None
        assert all(isinstance(fusion.analysis[part], list) for part in PARTS)
        quotes = share_of_verified(fusion.analysis)
        valid, found, given = valid + 1, found + quotes[0], given + quotes[1]
        claims = sum(len(fusion.analysis[part]) for part in PARTS)
        cut = ", broke off" if fusion.analysis.get("cut_off") else ""
        lines.append(
            f"{prompt}: {claims} claims, {quotes[0]} of {quotes[1]} quotes found, "
            f"{tries} tries{cut}"
        )
    with capsys.disabled():
        lines.append(f"Valid analyses: {valid} of {len(prompts)}.")
        lines.append(f"Verified quotes: {found} of {given}.")
        sys.stdout.write("\n".join([f"\nJudge limited to {ANALYSIS_TOKENS} tokens.", *lines, ""]))
