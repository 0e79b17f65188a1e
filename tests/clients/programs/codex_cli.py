import json
import tempfile

from asked import KEY, MODEL, PROMPT, URL, carry_out
from shell import of_node, run


def ask():
    """As it comes: with all the tools of its usual configuration."""
    folder = tempfile.mkdtemp()
    provider = f'{{name="house", base_url="{URL}", env_key="HOUSE_KEY", wire_api="responses"}}'
    printed = run(
        *(of_node("codex"), "exec", "--json", "--skip-git-repo-check"),
        *("--dangerously-bypass-approvals-and-sandbox", "-m", MODEL),
        *("-c", f"model_providers.house={provider}", "-c", 'model_provider="house"', PROMPT),
        folder=folder,
        CODEX_HOME=folder,
        HOUSE_KEY=KEY,
    )
    events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    items = [e["item"] for e in events if e.get("type") == "item.completed"]
    texts = [i.get("text", "") for i in items if i["type"] == "agent_message"]
    called = [i for i in items if i["type"] == "command_execution"]
    failed = [e for e in events if e.get("type") in ("error", "turn.failed")]
    return {
        "text": texts[-1] if texts else "",
        "error": json.dumps(failed) if failed else "",
        "called": len(called),
    }


carry_out(
    dict.fromkeys(("stream", "tools", "error", "silence stream", "one failed seat", "agent"), ask)
)
