from __future__ import annotations

import subprocess
import sys

import psutil

from fusion_site.tether import tethered
from tests.stack import until


def test_a_tethered_program_dies_with_its_parent() -> None:
    sleeper = tethered([sys.executable, "-c", "import time; time.sleep(600)"])
    code = f"import subprocess, os; c = {sleeper!r}; c[4] = str(os.getpid()); subprocess.run(c)"
    parent = subprocess.Popen([sys.executable, "-c", code])

    def programs() -> list[psutil.Process]:
        """Once it has become the program."""
        below = psutil.Process(parent.pid).children()
        return [p for p in below if (line := p.cmdline()) and "tether.py" not in str(line)]

    running = until(programs)
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(running, timeout=60)[1] == []
