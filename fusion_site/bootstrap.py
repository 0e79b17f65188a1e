"""From a bare Python to a command that runs: the standard library only.

`up` and `test` prepare `.venv` from the hash-pinned lock and go on inside it;
every other command enters the `.venv` that is there or says to run `up`.
FUSION_BOOTSTRAP=0, or an active environment that has what the command needs,
turns all of this off. This file must import on any Python 3, or an old one
could not say that it is too old.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from glob import glob

BASE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(BASE, ".venv")
LOWEST = (3, 11)
# What tells an environment that can run a command from one that happens to be active.
NEEDS = {"up": ["celery", "channels", "daphne", "nh3"]}
NEEDS["test"] = [*NEEDS["up"], "pytest", "playwright"]
LOCKS = {"up": "requirements.lock", "test": "requirements-dev.lock"}


def enter(arguments: list[str]) -> None:
    """Returns only when Django should go on, in an environment that can."""
    try:
        _enter(arguments)
    except KeyboardInterrupt:
        from .terminal import stopped

        raise stopped() from None
    except OSError as e:
        from .terminal import fail

        raise fail(e, "starting") from None


def carry_out(arguments: list[str]) -> None:
    """Django's part, where what a person can mend is one sentence."""
    try:
        from django.core.management import execute_from_command_line
        from django.db import OperationalError, ProgrammingError
        from environs.exceptions import EnvError
    except ImportError as e:
        raise _incomplete(e) from None
    try:
        execute_from_command_line(arguments)
    except ModuleNotFoundError as e:
        if "shell" in arguments:
            raise
        raise _incomplete(e) from None
    except EnvError as e:  # the settings could not read a variable, and name it
        raise SystemExit(str(e)) from None
    except (OperationalError, ProgrammingError) as e:
        nothing_there = ("unable to open database file", "no such table", 'relation "')
        if "migrate" in arguments or not str(e).startswith(nothing_there):
            raise
        raise SystemExit(
            "There is no database of Fusion here yet: run `python3 manage.py up` first."
        ) from None


def _incomplete(error: ImportError) -> SystemExit:
    return SystemExit(
        f"The Python environment is incomplete ({error}): delete .venv and run "
        "`python3 manage.py up` again."
    )


def _enter(arguments: list[str]) -> None:
    command = arguments[0] if arguments else ""
    rest = arguments[1:]
    if os.name == "nt":
        raise SystemExit("Fusion runs on Linux and macOS: use WSL2 or docker compose here.")
    if sys.version_info < LOWEST:
        _find_newer_python()
    if command == "up":
        options = up_options(rest)
        if _prepare(command):
            from .supervisor import up

            raise SystemExit(up(options))
    elif command == "test":
        _test(rest)
    elif not _runs_here(command):
        django = glob(os.path.join(VENV, "lib", "python*", "site-packages", "django"))
        if not (django and os.access(_python(), os.X_OK)):
            raise SystemExit("Fusion is not installed yet: run `python3 manage.py up` first.")
        _go_on_inside()


def up_options(arguments: list[str]) -> argparse.Namespace:
    """Read, and the port tried, before anything lengthy is begun."""
    from .address import port_number, take_port
    from .programs import web_processes
    from .weights import argument as weights_argument

    parser = argparse.ArgumentParser(prog="manage.py up", description="Starts all of Fusion.")
    parser.add_argument("--host", default=os.environ.get("FUSION_HOST") or "127.0.0.1")
    port = os.environ.get("FUSION_PORT") or "8000"
    parser.add_argument("--port", type=port_number, default=port, help="0: any free one")
    parser.add_argument(
        "--web-processes",
        type=web_processes,
        default=os.environ.get("FUSION_WEB_PROCESSES", ""),
        help="how many serve pages and sockets, on one port; as many as cores, at most two",
    )
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--no-local-model", action="store_true", help="without the built-in model")
    model.add_argument(
        "--local-model",
        type=weights_argument,
        metavar="WEIGHTS",
        help="serve this model by the built-in server, in this start: FILE.gguf, or "
        "hf:OWNER/REPO[:FILE] to download it into var/",
    )
    parser.add_argument(
        "--no-local-servers",
        action="store_true",
        help="do not look for model servers that run on this machine",
    )
    options = parser.parse_args(arguments)
    options.port = take_port(options.host, options.port)
    return options


def _prepare(command: str) -> bool:
    """True when this process can do it; otherwise it becomes one that can."""
    if _runs_here(command):
        return True
    from . import installation

    installation.check_platform()
    installation.install(VENV, os.path.join(BASE, LOCKS[command]))
    if _inside():
        return True
    _go_on_inside()
    return False


def _runs_here(command: str) -> bool:
    """Whether this very Python is the one to run the command."""
    if os.environ.get("FUSION_BOOTSTRAP") == "0":
        return True
    if _inside():
        from . import installation

        lock = LOCKS.get(command)
        return lock is None or installation.is_current(VENV, os.path.join(BASE, lock))
    if sys.prefix == sys.base_prefix:
        return False
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    try:
        right = version("django").startswith("5.2")
    except PackageNotFoundError:
        return False
    return right and all(find_spec(name) for name in NEEDS.get(command, NEEDS["up"]))


def _inside() -> bool:
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def _python() -> str:
    return os.path.join(VENV, "bin", "python")


def _go_on_inside() -> None:
    # Both would make the Python of .venv believe that it is another one.
    for name in ("PYTHONHOME", "__PYVENV_LAUNCHER__"):
        os.environ.pop(name, None)
    os.execv(_python(), [_python(), os.path.join(BASE, "manage.py"), *sys.argv[1:]])


def _find_newer_python() -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3.14"):
        found = shutil.which(name)
        asked = "import sys; sys.exit(sys.version_info < (3, 11))"
        # A name on PATH may be a launcher for a Python that is not there: ask it.
        if found and subprocess.call([found, "-c", asked], stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, os.path.join(BASE, "manage.py"), *sys.argv[1:]])
    raise SystemExit(
        f"Fusion needs Python 3.11 or newer and this is {sys.version_info[0]}."
        f"{sys.version_info[1]}: install a newer one and run `python3.11 manage.py up`."
    )


def _test(arguments: list[str]) -> None:
    from . import installation

    flag = "--install-browser"
    installation.need_browser(flag in arguments)
    if _prepare("test"):
        installation.local_model()
        os.chdir(BASE)
        # With it every process of every test would compile every package again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        rest = [a for a in arguments if a != flag]
        is_tier = rest in ([], ["--quick"], ["--ci"], ["--long"])
        program = "tests.tiers" if is_tier else "pytest"
        os.execv(sys.executable, [sys.executable, "-m", program, *rest])
