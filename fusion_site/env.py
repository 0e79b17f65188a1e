"""Where settings come from, read once and in this order.

1. the environment;
2. `var/runtime.json`, written by a running `manage.py up`: the address of its
   Redis and of the local model, so that a command typed in another shell finds
   the same stack;
3. `var/secrets.env`, generated on the first start.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent


def _runtime(var_dir: Path) -> dict[str, str]:
    try:
        data = json.loads((var_dir / "runtime.json").read_text())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in data.items() if isinstance(v, str)}


def _secrets(var_dir: Path) -> dict[str, str]:
    try:
        lines = (var_dir / "secrets.env").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def load() -> Env:
    var_dir = Path(os.environ.get("FUSION_VAR_DIR") or BASE_DIR / "var")
    for name, value in _secrets(var_dir).items():
        os.environ[name] = os.environ.get(name) or value  # an empty secret is none
    for name, value in _runtime(var_dir).items():
        os.environ.setdefault(name, value)
    return Env()


def host_of(url: str) -> str:
    """As a browser asks for it, without the port; "" when there is none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name


def celery_url(redis_url: str) -> str:
    """Celery spells a unix socket differently from redis-py."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    db = next((p[3:] for p in query.split("&") if p.startswith("db=")), "0")
    return f"redis+socket://{path}?virtual_host={db}"
