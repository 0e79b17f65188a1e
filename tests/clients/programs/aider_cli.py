import sys
from pathlib import Path

from asked import KEY, MODEL, PROMPT, URL, carry_out
from shell import run

program = Path(sys.executable).with_name("aider")
QUIET = (
    *("--no-git", "--no-auto-commits", "--yes-always", "--no-check-update", "--no-pretty"),
    *(
        "--no-show-model-warnings",
        "--no-analytics",
        "--no-show-release-notes",
        "--edit-format",
        "ask",
    ),
)


def ask(*options):
    printed = run(
        *(program, *QUIET, *options, "--model", f"openai/{MODEL}", "--message", PROMPT),
        OPENAI_API_BASE=URL,
        OPENAI_API_KEY=KEY,
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    )
    lines = [line for line in printed.splitlines() if "githubusercontent" not in line]
    failed = [line for line in lines if "Error" in line]
    return {"text": "" if failed else printed, "error": " ".join(failed)[:800]}


carry_out(
    {
        "plain": lambda: ask("--no-stream"),
        "stream": ask,
        "error": ask,
        "error whole": lambda: ask("--no-stream"),
        "silence": lambda: ask("--no-stream"),
        "silence stream": ask,
        "one failed seat": ask,
    }
)
