import json
import tempfile
from pathlib import Path

from asked import KEY, MODEL, PROMPT, URL, carry_out
from shell import of_node, run


def ask():
    folder = tempfile.mkdtemp()
    model = {"name": "house", "provider": "openai", "model": MODEL, "apiBase": URL, "apiKey": KEY}
    config = {
        "name": "house",
        "version": "0.0.1",
        "schema": "v1",
        "models": [{**model, "roles": ["chat"], "capabilities": ["tool_use"]}],
    }
    Path(folder, "config.yaml").write_text(json.dumps(config))
    printed = run(
        *(of_node("cn"), "-p", "--auto", "--config", f"{folder}/config.yaml", PROMPT),
        folder=folder,
        CONTINUE_TELEMETRY_ENABLED="0",
    )
    return {"text": printed, "called": -1}  # it does not say


carry_out(
    dict.fromkeys(("stream", "tools", "error", "silence stream", "one failed seat", "agent"), ask)
)
