import json
import sys
import tempfile
from pathlib import Path

from asked import KEY, MODEL, PROMPT, SCHEMA, URL, carry_out
from shell import run

program = Path(sys.executable).with_name("llm")
folder = tempfile.mkdtemp()
models = [
    {
        "model_id": "house",
        "model_name": MODEL,
        "api_base": URL,
        "api_key_name": "house",
        "supports_schema": True,
        "supports_tools": True,
    }
]
Path(folder, "extra-openai-models.yaml").write_text(json.dumps(models))
Path(folder, "keys.json").write_text(json.dumps({"house": KEY}))
TOOL = (
    "def get_weather(city: str) -> str:\n    'How warm it is.'\n    return f'7 degrees in {city}'\n"
)


def ask(*options):
    return run(program, "-m", "house", *options, PROMPT, folder=folder, LLM_USER_PATH=folder)


def tools():
    printed = ask("--functions", TOOL, "--td", "--chain-limit", "8")
    return {"text": printed, "called": printed.count("Tool call:")}


carry_out(
    {
        "plain": lambda: {"text": ask("--no-stream")},
        "stream": lambda: {"text": ask()},
        "tools": tools,
        "structured": lambda: {"structured": json.loads(ask("--schema", json.dumps(SCHEMA)))},
        "error": lambda: {"text": ask()},
        "error whole": lambda: {"text": ask("--no-stream")},
        "silence": lambda: {"text": ask("--no-stream")},
        "silence stream": lambda: {"text": ask()},
        "one failed seat": lambda: {"text": ask()},
        "agent": tools,
    }
)
