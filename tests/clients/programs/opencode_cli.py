import json
import tempfile
from pathlib import Path

from asked import KEY, MODEL, PROMPT, URL, carry_out
from shell import of_node, run


def ask():
    folder = tempfile.mkdtemp()
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": URL, "apiKey": KEY},
        "models": {MODEL: {"name": "house", "tool_call": True}, "beta": {"name": "titles"}},
    }
    config = {
        "provider": {"house": provider},
        "model": f"house/{MODEL}",
        "small_model": "house/beta",  # which makes titles
        "share": "disabled",
        "autoupdate": False,
        "permission": {"bash": "allow"},
    }
    Path(folder, "opencode.json").write_text(json.dumps(config))
    printed = run(
        *(of_node("opencode"), "run", "--format", "json", "-m", f"house/{MODEL}", PROMPT),
        folder=folder,
        XDG_DATA_HOME=f"{folder}/data",
        XDG_CONFIG_HOME=f"{folder}/config",
        OPENCODE_DISABLE_MODELS_FETCH="1",
    )
    events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    texts = [e["part"]["text"] for e in events if e.get("type") == "text"]
    called = [e for e in events if e.get("type") == "tool_use"]
    failed = [e for e in events if e.get("type") == "error"]
    return {
        "text": texts[-1] if texts else "",
        "error": json.dumps(failed) if failed else "",
        "called": len(called),
    }


carry_out(
    dict.fromkeys(("stream", "tools", "error", "silence stream", "one failed seat", "agent"), ask)
)
