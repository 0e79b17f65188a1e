"""The scripted upstream speaks as Anthropic does: its own SDK reads it without complaint.

The SDK is installed from the registry into an environment of its own (FUSION_CLIENTS_DIR keeps
it), so only with FUSION_LONG_TESTS=1.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.environments import installed
from tests.providers.asking import KEY
from tests.upstream import Script, Upstream
from tests.upstream.anthropic import begin, block, close, delta, end, text, thinking, tool

PACKAGES = ("anthropic==2.14.0",)
PROGRAM = Path(__file__).parent / "programs" / "anthropic_sdk.py"
CITATION = {
    "type": "web_search_result_location",
    "url": "https://a.example/1",
    "title": "A",
    "cited_text": "Rain is wet.",
    "encrypted_index": "Eo8B",
}

pytestmark = pytest.mark.skipif(
    os.environ.get("FUSION_LONG_TESTS") != "1", reason="installs Anthropic's SDK"
)


def test_anthropics_own_sdk_reads_the_scripted_upstream_without_complaint() -> None:
    python = installed("anthropic-sdk", PACKAGES, False) / "bin" / "python"
    cited = block(0, "text", text="", citations=[]) + delta(0, "text_delta", text="Rain is wet.")
    cited += delta(0, "citations_delta", citation=CITATION) + close(0)
    with Upstream(api_key=KEY) as up:
        up.script("plain", Script(text="Rain is wet."))
        up.script("thinks", Script(text="Rain is wet.", reasoning="Let me see."))
        called = begin() + thinking("Hm.") + text("I look.", index=1)
        called += tool("weather", '{"ci', 'ty": "Oslo"}', index=2) + tool("now", index=3, id="b")
        up.script("tools", Script(raw=[called + end("tool_use")]))
        up.script("cites", Script(raw=[begin() + cited + end()]))
        up.script("overloaded", Script(status=529))
        up.script("limited", Script(status=429, headers={"retry-after": "7"}))
        up.script("breaks", Script(text="Rain is wet.", error_after=1))
        # The SDK goes on behind the address with /v1 of its own.
        asked = {"ASKED_URL": up.url.removesuffix("/v1"), "ASKED_KEY": KEY}
        done = subprocess.run(
            [python, PROGRAM],
            env={"PATH": os.environ["PATH"], **asked},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        paths = {request.path.split("?")[0] for request in up.requests}
    assert paths == {"/v1/messages", "/v1/models"}
    told = json.loads(done.stdout)
    for name in ("plain", "streamed"):
        assert told[name]["blocks"] == [{"type": "text", "text": "Rain is wet."}]
        assert (told[name]["stop"], told[name]["made"]) == ("end_turn", 3)
        assert told[name]["given"] > 0
    assert [b["type"] for b in told["thinks"]["blocks"]] == ["thinking", "text"]
    assert told["thinks"]["blocks"][0]["thinking"] == "Let me see."
    assert told["thinks"]["blocks"][0]["signature"]
    assert {"thinking", "signature", "text", "message_stop"} <= set(told["thinks"]["events"])
    assert told["raw"] == {"read": True}
    assert told["tools"]["stop"] == "tool_use"
    assert [b.get("input") for b in told["tools"]["blocks"]] == [None, None, {"city": "Oslo"}, {}]
    assert set(json.loads(told["json"]["blocks"][0]["text"])) == {"winner"}
    assert told["cites"]["blocks"][0]["citations"][0]["url"] == "https://a.example/1"
    assert told["overloaded"]["kind"] == "overloaded_error"
    assert (told["limited"]["error"], told["limited"]["kind"]) == (
        "RateLimitError",
        "rate_limit_error",
    )
    for name in ("unknown", "blank"):
        assert (told[name]["status"], told[name]["kind"]) == (400, "invalid_request_error")
    assert told["breaks"]["kind"] == "api_error"
    assert {"plain", "thinks", "good", "echo"} <= set(told["models"]), "page after page"
