"""What the built-in server serves instead of the packaged model: `up --local-model`."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import hub
from .gguf import read_header
from .local_model import LARGER_SLOTS

IN_THE_HUB = re.compile(r"hf:([^\W_][\w.-]*/[^\W_][\w.-]*)(?::(.+))?")
# Of each slot: the longest that fits into memory and that the model was trained for.
CONTEXT_TOKENS = (8192, 4096, 2048)
# What it computes with, beside weights and slots.
MEMORY_FACTOR, MEMORY_BYTES = 1.1, 300_000_000
_QUANTISATION = re.compile(r"[-.](?:i?q\d\w*|f16|bf16|f32|mxfp4\w*)$")


@dataclass(frozen=True)
class Weights:
    path: Path
    name: str  # of the model, as the site and the server call it
    context_length: int  # of each slot

    @property
    def arguments(self) -> list[str]:
        """Of `local_model.py`, behind the port."""
        return [str(self.path), self.name, str(self.context_length)]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FUSION_LOCAL_MODEL_NAME": self.name,
            "FUSION_LOCAL_MODEL_CONTEXT": str(self.context_length),
        }


def argument(text: str) -> str:
    """What can be told without asking anybody is told before anything lengthy is begun."""
    if text.startswith("hf:"):
        if not IN_THE_HUB.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} is not of the form hf:OWNER/REPO[:FILE].")
        return text
    path = Path(text).expanduser().absolute()
    try:
        of_file(path)
    except SystemExit as e:
        raise argparse.ArgumentTypeError(str(e)) from None
    return str(path)


def get(text: str, folder: Path) -> Weights:
    """Downloaded where it has to be. Raises SystemExit with the reason."""
    match = IN_THE_HUB.fullmatch(text)
    if not match:
        return of_file(Path(text))
    repository, wanted = match[1], match[2] or ""
    folder = folder / repository.replace("/", "--")
    kept = {path.name: path for path in sorted(folder.glob("*.gguf"))}
    # Once downloaded it needs no network.
    if name := hub.choose(list(kept), wanted):
        return of_file(kept[name])
    file = hub.find(repository, wanted)
    must_fit(file.name, file.size)
    target = folder / file.name.rpartition("/")[2]
    hub.download(file, target)
    return of_file(target)


def of_file(path: Path) -> Weights:
    header, size = read_header(path), path.stat().st_size
    trained = header.context_length or CONTEXT_TOKENS[0]
    lengths = [min(length, trained) for length in CONTEXT_TOKENS]
    for length in lengths:
        kept = length * LARGER_SLOTS * header.token_bytes
        if length == lengths[-1] or not lacks_memory(size, kept):
            break
    must_fit(path.name, size, kept)
    return Weights(path, model_name(path.name), length)


def model_name(file: str) -> str:
    """Qwen2.5-3B-Instruct-Q4_K_M.gguf is qwen2.5-3b-instruct."""
    stem = re.sub(r"\.gguf$", "", file, flags=re.IGNORECASE).lower()
    name = re.sub(r"[^\w.-]+", "-", _QUANTISATION.sub("", stem) or stem, flags=re.ASCII)
    return name.strip("-.")[:100] or "local-model"


def lacks_memory(size: int, kept: int = 0) -> float:
    """How much is needed, where that is more than there is; `kept`: by what it has read."""
    needed, free = size * MEMORY_FACTOR + MEMORY_BYTES + kept, available_memory()
    return needed if free and needed > free else 0


def must_fit(name: str, size: int, kept: int = 0) -> None:
    """Raises SystemExit where this machine has too little memory for it."""
    if needed := lacks_memory(size, kept):
        raise SystemExit(
            f"{name} has {hub.gigabytes(size)} and needs about {hub.gigabytes(needed)} of memory; "
            f"{hub.gigabytes(available_memory())} are free here. Choose a smaller one."
        )


def available_memory() -> int:
    """Bytes; 0 where this machine does not say."""
    try:
        told = Path("/proc/meminfo").read_text()
    except OSError:
        told = ""
    if found := re.search(r"^MemAvailable:\s+(\d+) kB", told, re.MULTILINE):
        return int(found[1]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
