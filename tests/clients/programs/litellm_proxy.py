"""Its server, asked in OpenAI's words by nothing but the standard library."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from asked import KEY, MODEL, PROMPT, SCHEMA, URL, WEATHER, carry_out, weather

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
ASKED = [{"role": "user", "content": PROMPT}]
PORT = os.environ["ASKED_PORT"]


def post(messages=ASKED, **more):
    body = json.dumps({"model": "house", "messages": messages, **more}).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any"}
    at = f"http://127.0.0.1:{PORT}/v1/chat/completions"
    try:
        return urllib.request.urlopen(urllib.request.Request(at, body, headers), timeout=300)
    except urllib.error.HTTPError as refused:
        raise RuntimeError(refused.read().decode()) from None


def ask(*given, **more):
    return json.load(post(*given, **more))["choices"][0]["message"]


def plain():
    return {"text": ask()["content"]}


def stream():
    text = ""
    for line in post(stream=True):
        if line.startswith(b"data: ") and b"[DONE]" not in line:
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise RuntimeError(chunk["error"]["message"])
            text += "".join(c["delta"].get("content") or "" for c in chunk["choices"])
    return {"text": text}


def tools():
    messages, called, choice = list(ASKED), 0, "required"
    while True:
        message, choice = ask(messages, tools=[TOOL], tool_choice=choice), "auto"
        if not message.get("tool_calls"):
            return {"text": message["content"], "called": called}
        messages.append(message)
        for call in message["tool_calls"]:
            called += 1
            content = weather(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}
    return {"structured": json.loads(ask(response_format=form)["content"])}


with tempfile.TemporaryDirectory() as folder:
    config = Path(folder, "config.yaml")
    params = {"model": f"openai/{MODEL}", "api_base": URL, "api_key": KEY}
    listed = [{"model_name": "house", "litellm_params": params}]
    config.write_text(json.dumps({"model_list": listed}))  # JSON is YAML
    program = Path(sys.executable).with_name("litellm")
    with Path(folder, "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "--config", config, "--host", "127.0.0.1", "--port", PORT],
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/liveliness", timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        carry_out(
            {
                "plain": plain,
                "stream": stream,
                "tools": tools,
                "structured": structured,
                "error": stream,
                "error whole": plain,
                "silence": plain,
                "silence stream": stream,
                "one failed seat": stream,
                "agent": tools,
            }
        )
    finally:
        server.kill()
