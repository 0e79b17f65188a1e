"""Which models of a server's list one can talk to, how large they are, and who made them.

A server on somebody's machine lists whatever lies there: models that embed, rank, listen or
draw, beginnings that only go on with a text, and names that lead to somebody else's machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from console.engine.findings.families import family

MAX_NAME = 200
# Parts of names, whole words but for what may follow them (embed, embedding, embeddinggemma).
_NO_CHAT = re.compile(
    r"(?<![a-z])(?:"
    r"embed\w*|rerank\w*|guardian|shieldgemma\w*|"
    r"(?:bge|e5|gte|mxbai|colbert|splade|jina|clip|siglip|dino|whisper|tts|stt|asr|ocr|kokoro|bark|"
    r"parakeet|piper|flux|sdxl|sd|diffusion|guard|moderation|reward|mmproj|moondream|minilm|"
    r"paraphrase|[a-z]*berta?)(?![a-z])"
    r")"
    # Not taught to answer: it goes on with the prompt.
    r"|(?<=[-:])(?:base|text|fim)(?![a-z])"
)
_KINDS = {"embed", "embedding", "embeddings", "rerank", "reranker", "image", "audio", "tts", "stt"}
_KINDS |= {"vision", "clip", "speech", "transcription", "moderation"}
_ARCHITECTURES = re.compile(r"[a-z-]*bert|clip|t5encoder|whisper")
_SIZE = re.compile(r"(?<![a-z0-9.])(?:(\d+)x)?e?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")
# Nobody runs them at home: a list that has one is of a gateway, which sends prompts elsewhere.
_ELSEWHERE = re.compile(
    r"(?:chatgpt|gpt-[345]|gpt-4o|o[134](?:$|-)|claude-(?:\d|opus|sonnet|haiku|instant)|"
    r"gemini-(?:\d|pro|flash)|grok-[3-9])"
)


@dataclass(frozen=True)
class ChatModel:
    name: str
    maker: str  # models with the same one are of one family
    billions: float = 0.0  # parameters; 0: nobody says


def chat_models(
    rows: Iterable[Any], details: dict[str, dict[str, Any]] | None = None
) -> list[ChatModel]:
    """Of the rows of a list; `details` are what Ollama says of each beside it. A name that only
    points at the same weights as another is left out."""
    models: dict[str, ChatModel] = {}
    weights = set()
    for row in rows:
        row = {"id": row} if isinstance(row, str) else row
        name = row.get("id") or row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME:
            continue
        more = (details or {}).get(name, {})
        digest = more.get("digest")
        if not _talks(name, row, more) or (isinstance(digest, str) and digest in weights):
            continue
        weights.add(digest)
        models.setdefault(name, ChatModel(name, _maker(name, more), _billions(name, row, more)))
    return list(models.values())


def leads_elsewhere(names: Iterable[str]) -> bool:
    """Whether a list of these names is a gateway's."""
    folded = (name.casefold().rpartition("/")[2] for name in names)
    return any(_ELSEWHERE.match(name) and not _SIZE.search(name) for name in folded)


def choose(models: Sequence[ChatModel], most: int) -> list[ChatModel]:
    """The largest of each family, the largest family first; then what else there is."""
    ranked = sorted(models, key=lambda model: -model.billions)
    first = {model.maker: model for model in reversed(ranked)}.values()
    return [
        *(model for model in ranked if model in first),
        *(model for model in ranked if model not in first),
    ][:most]


def _talks(name: str, row: dict[str, Any], more: dict[str, Any]) -> bool:
    if _NO_CHAT.search(name.casefold().rpartition("/")[2]):
        return False
    if more.get("remote_host") or more.get("remote_model"):  # Ollama's cloud
        return False
    if re.search(r"[:-]cloud$", name.casefold()):
        return False
    for field in ("type", "model_type", "task"):
        if isinstance(kind := row.get(field), str) and _KINDS & set(re.split(r"\W", kind.lower())):
            return False
    able = row.get("capabilities") or more.get("capabilities")
    if isinstance(able, list) and able:
        named = {word.casefold() for word in able if isinstance(word, str)}
        if _KINDS & named and not {"completion", "chat", "tools"} & named:
            return False
    return not _ARCHITECTURES.fullmatch(_details(more, "family").casefold())


def _maker(name: str, more: dict[str, Any]) -> str:
    """Where nobody is known by the name, what the name begins with tells models apart."""
    known = family(name) or family(_details(more, "family"))
    stem = re.match(r"[a-z]+", name.casefold().rpartition("/")[2])
    return known or (stem[0] if stem else name)


def _billions(name: str, row: dict[str, Any], more: dict[str, Any]) -> float:
    meta = row.get("meta")
    count = meta.get("n_params") if isinstance(meta, dict) else None  # llama.cpp's
    if isinstance(count, int | float) and count > 0:
        return count / 1e9
    size = _SIZE.search(_details(more, "parameter_size").casefold())
    size = size or _SIZE.search(name.casefold().rpartition("/")[2])
    if size:
        return float(size[2]) * int(size[1] or 1) / (1 if size[3] == "b" else 1000)
    size_in_bytes = more.get("size")
    # Some five bits a parameter, as most are kept.
    return size_in_bytes / 0.65e9 if isinstance(size_in_bytes, int) and size_in_bytes > 0 else 0.0


def _details(more: dict[str, Any], field: str) -> str:
    details = more.get("details")
    value = details.get(field) if isinstance(details, dict) else None
    return value if isinstance(value, str) else ""
