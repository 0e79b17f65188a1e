from __future__ import annotations

import subprocess
import sys
import time

import psutil

from fusion_site.tether import tethered


def test_a_tethered_program_dies_with_its_parent() -> None:
    sleeper = tethered([sys.executable, "-c", "import time; time.sleep(60)"])
    code = f"import subprocess, os; c = {sleeper!r}; c[4] = str(os.getpid()); subprocess.run(c)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 10
    while not (below := psutil.Process(parent.pid).children()) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # from tether to program
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(below, timeout=5)[1] == []
