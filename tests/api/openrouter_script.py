"""Programs as they are written for OpenRouter's Fusion: only base URL and key are ours.

    BASE_URL=http://127.0.0.1:8000/v1 API_KEY=fus_… python tests/api/openrouter_script.py

Prints one JSON object with what came back.
"""

import json
import os

import httpx

URL = f"{os.environ.get('BASE_URL', 'https://openrouter.ai/api/v1')}/chat/completions"
HEADERS = {
    "Authorization": f"Bearer {os.environ['API_KEY']}",
    "Content-Type": "application/json",
    "HTTP-Referer": "https://example.com",
    "X-OpenRouter-Title": "Example",
}
QUESTION = [{"role": "user", "content": "What are the strongest arguments for a carbon tax?"}]
PANEL = ["~anthropic/claude-opus-latest", "~openai/gpt-latest", "~google/gemini-pro-latest"]


def ask(**body: object) -> dict:
    response = httpx.post(URL, headers=HEADERS, json={"messages": QUESTION, **body}, timeout=120)
    response.raise_for_status()
    return response.json()


def stream(**body: object) -> str:
    text = ""
    with httpx.stream(
        "POST",
        URL,
        headers=HEADERS,
        json={"messages": QUESTION, "stream": True, **body},
        timeout=120,
    ) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line.startswith("data: "):
                continue  # a comment, as : OPENROUTER PROCESSING
            data = line[6:]
            if data == "[DONE]":
                break
            chunk = json.loads(data)
            if "error" in chunk:
                raise RuntimeError(chunk["error"]["message"])
            if chunk["choices"]:
                text += chunk["choices"][0]["delta"].get("content") or ""
    return text


said = {
    "alias": ask(model="openrouter/fusion"),
    "preset": ask(
        model="openrouter/fusion", plugins=[{"id": "fusion", "preset": "general-budget"}]
    ),
    "plugin": ask(
        model="openrouter/fusion",
        plugins=[
            {
                "id": "fusion",
                "analysis_models": PANEL,
                "model": "~anthropic/claude-opus-latest",
                "max_tool_calls": 4,
            }
        ],
    ),
    "bypassed": ask(model="openrouter/fusion", plugins=[{"id": "fusion", "enabled": False}]),
    "tool": ask(
        model="~openai/gpt-latest",
        tools=[
            {
                "type": "openrouter:fusion",
                "parameters": {
                    "analysis_models": PANEL,
                    "model": "~anthropic/claude-opus-latest",
                    "max_completion_tokens": 16000,
                    "reasoning": {"effort": "low"},
                    "temperature": 0.7,
                },
            }
        ],
        tool_choice="required",
        usage={"include": True},
        provider={"data_collection": "allow", "order": ["openai"]},
        reasoning={"effort": "medium"},
    ),
    "streamed": stream(model="openrouter/fusion", stream_options={"include_usage": True}),
}
print(json.dumps(said))  # noqa: T201 - it is a script
