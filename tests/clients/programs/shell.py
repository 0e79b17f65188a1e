"""Programs that people type commands into: they are run, and what they print is the answer."""

import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 280


def run(*command, folder=None, **env):
    """What it printed. Raises RuntimeError with that when it failed."""
    folder = folder or tempfile.mkdtemp()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "PWD": str(folder),
            "NO_COLOR": "1",
            "CI": "1",
            **env,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-1500:])
    return done.stdout + done.stderr


def of_node(name):
    """A program of the environment that this one's was made with."""
    return Path(os.environ["ASKED_FOLDER"], "node_modules", ".bin", name)
