"""What `up` starts, as commands."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

from .installation import BASE, LOCAL_MODEL_VENV
from .tether import tethered

# -W: Celery's sermon about root, which is for workers that read pickles; ours read JSON.
WORKER = ["-W", "ignore:You're running the worker", "-m", "fusion_site.celery_command", "--quiet"]
# A thread does no more than wake the loop that carries the runs out (console/worker).
WORKER += ["-A", "fusion_site", "worker", "--pool", "threads", "--concurrency", "2"]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
WEBS = ["-m", "fusion_site.webs"]  # which starts so many of
WEB = ["-m", "fusion_site.web"]
WEB_PROCESSES = "FUSION_WEB_PROCESSES"
# Of the web server: as many as there are cores, at most so many unless told.
USUAL_PROCESSES, MOST_PROCESSES = 2, 32


def web_processes(text: str) -> int:
    """How many are asked for; for "" what is usual here."""
    if not text:
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        return min(cores, USUAL_PROCESSES)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PROCESSES):
        raise argparse.ArgumentTypeError(
            f"{WEB_PROCESSES} is a number from 1 to {MOST_PROCESSES}, not {text!r}."
        )
    return int(text)


def local_model(*arguments: str) -> list[str]:
    """By the Python of its own environment."""
    script = str(BASE / "fusion_site" / "local_model.py")
    return [str(LOCAL_MODEL_VENV / "bin" / "python"), script, *arguments]


def manage(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        tethered([sys.executable, str(BASE / "manage.py"), *arguments]),
        env={**environment, "FUSION_BOOTSTRAP": "0"},
        cwd=BASE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
