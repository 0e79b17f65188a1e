"""Its server with one connection, asked by its own API as its page asks."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from asked import KEY, MODEL, PROMPT, URL, carry_out

PORT = os.environ["ASKED_PORT"]
folder = tempfile.mkdtemp()


def post(path, body, token=""):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    at = f"http://127.0.0.1:{PORT}{path}"
    asked = urllib.request.Request(at, json.dumps(body).encode() if body else None, headers)
    try:
        return urllib.request.urlopen(asked, timeout=280)
    except urllib.error.HTTPError as refused:
        raise RuntimeError(refused.read().decode()) from None


def signed_in():
    person = {"name": "Ada", "email": "ada@example.com", "password": "a long enough one"}
    token = json.load(post("/api/v1/auths/signup", person))["token"]
    post("/api/models", None, token).read()  # its lists are read before a model may be asked
    return token


def ask(stream):
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": PROMPT}]}
    return post("/api/chat/completions", body, signed_in())


def plain():
    return {"text": json.load(ask(False))["choices"][0]["message"]["content"]}


def stream():
    text = ""
    for line in ask(True):
        if line.startswith(b"data: ") and b"[DONE]" not in line:
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise RuntimeError(json.dumps(chunk["error"]))
            text += "".join(c["delta"].get("content") or "" for c in chunk.get("choices", ()))
    return {"text": text}


with Path(folder, "log").open("wb") as log:
    server = subprocess.Popen(
        [
            Path(sys.executable).with_name("open-webui"),
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            PORT,
        ],
        env={
            # Without the folder of these programs: what lies there is none of its modules.
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "DATA_DIR": folder,
            "WEBUI_SECRET_KEY": "only for this",
            "OPENAI_API_BASE_URL": URL,
            "OPENAI_API_KEY": KEY,
            "ENABLE_OLLAMA_API": "false",
            "OFFLINE_MODE": "true",
            "HF_HUB_OFFLINE": "1",
            "RAG_EMBEDDING_ENGINE": "openai",
            "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
        },
        stdout=log,
        stderr=log,
    )
try:
    for _ in range(800):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
            break
        except OSError:
            time.sleep(0.5)
    else:
        sys.exit(f"it did not start: {Path(folder, 'log').read_text()[-1000:]}")
    carry_out(
        {
            "plain": plain,
            "stream": stream,
            "error": stream,
            "error whole": plain,
            "silence": plain,
            "silence stream": stream,
            "one failed seat": stream,
        }
    )
finally:
    server.kill()
