"""`python -m tests.lint`: every linter, whatever the one before it said, and one closing line."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINTERS = (
    "ruff check .",
    "ruff format --check .",
    "mypy",
    "lint-imports",
    "oxlint static",
    "djlint --lint --quiet templates",
    "python manage.py makemigrations --check --dry-run",
)


def main() -> int:
    programs = Path(sys.executable).parent
    failed = []
    # In an empty place of its own, whatever database the surroundings name.
    without = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    with tempfile.TemporaryDirectory() as var:
        env = {**without, "FUSION_VAR_DIR": var, "FUSION_BOOTSTRAP": "0"}
        for linter in LINTERS:
            say(f"== {linter}")
            program, *rest = linter.split()
            command = [str(programs / program), *rest]
            if subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode:
                failed.append(linter)
    say(f"== lint failed: {', '.join(failed)}" if failed else "== lint: passed")
    return int(bool(failed))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
