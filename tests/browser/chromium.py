"""The Chromium that tests drive.

Its headless shell where that is installed: the same engine without the window around it, of whose
strip of tabs each context of an ordinary Chromium has one of its own, as a page with a process of
its own, which takes a processor longer than the page that is tested.
"""

from __future__ import annotations

import shutil

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
# The shell's letters are as wide as those of an ordinary Chromium, which knows no such flag.
FLAGS += ["--font-render-hinting=none"]


def executable() -> str:
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert found, "Chromium is not installed"
    return found
