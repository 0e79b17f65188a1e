"""Several web servers on one listening socket."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fusion_site import address, memory, programs, webs
from fusion_site.bootstrap import up_options

from .running import PROJECT, Up, environment, manage

pytestmark = pytest.mark.startup
PATIENCE = 180


def _has_ipv6() -> bool:
    try:
        address.take_port("::1", 0)
    except SystemExit:
        return False
    return True


class Webs:
    """As a container runs them, without database and Redis: `/healthz` needs neither."""

    def __init__(self, var: Path, host: str, count: str) -> None:
        self.host, self.port = host, address.take_port(host, 0)
        self.output = var / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fusion_site.webs", "-b", host, "-p", str(self.port)],
                cwd=PROJECT,
                env=environment(
                    SECRET_KEY="x" * 50, FUSION_VAR_DIR=str(var), FUSION_WEB_PROCESSES=count
                ),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def servers(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.process.pid).children()
        return []

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            at = f"{address.url(self.host, self.port)}/healthz"
            with urllib.request.urlopen(at, timeout=5) as answer:
                return bool(answer.status == 200)
        return False

    def connection(self) -> int:
        """A new one, that is served; the process that holds its other end."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE) as ours:
            ours.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert ours.recv(1000).startswith(b"HTTP/1.1 200")
            mine = ours.getsockname()[1]
            for server in self.servers():
                with contextlib.suppress(psutil.Error):
                    ends = [c.raddr.port for c in server.net_connections("tcp") if c.raddr]
                    if mine in ends:
                        return server.pid
        raise AssertionError("nobody has it")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def half_asked(webs: Webs) -> Iterator[socket.socket]:
    """A request that is being answered, and will be once the rest of it is there."""
    with socket.create_connection((webs.host, webs.port), timeout=PATIENCE) as ours:
        head = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        ours.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert ours.recv(1000).startswith(b"HTTP/1.1 100")
        yield ours


def _listens(server: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(c.status == psutil.CONN_LISTEN for c in server.net_connections("tcp"))
    return False


def until(condition: object, webs: Webs) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, webs.output.read_text()
        time.sleep(0.05)


@contextlib.contextmanager
def running(var: Path, host: str = "127.0.0.1", count: str = "2") -> Iterator[Webs]:
    started = Webs(var, host, count)
    try:
        until(started.answers, started)
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.wait()


def test_each_takes_connections_and_one_that_dies_is_started_again_alone(
    tmp_path: Path, ordinary_signals: None
) -> None:
    with running(tmp_path) as started:
        first, second = started.servers()
        seen: set[int] = set()
        until(lambda: seen.add(started.connection()) or len(seen) == 2, started)
        assert seen == {first.pid, second.pid}

        first.kill()
        until(lambda: "web-1 died (signal 9), starting it again" in _said(started), started)
        assert started.answers()
        until(lambda: len(started.servers()) == 2, started)
        assert second in started.servers() and first not in started.servers()
        again = next(p for p in started.servers() if p != second)
        until(lambda: started.connection() == again.pid, started)

        both = started.servers()
        with half_asked(started) as asked:
            started.process.terminate()
            until(lambda: not any(_listens(server) for server in both), started)
            asked.sendall(b"{}")
            assert asked.recv(1000).startswith(b"HTTP/1.1 403")
        assert started.process.wait(PATIENCE) == 0
        assert psutil.wait_procs(both, timeout=PATIENCE)[1] == []


def test_a_connection_that_comes_while_none_is_there_waits_for_the_next(
    tmp_path: Path, ordinary_signals: None
) -> None:
    with running(tmp_path, count="1") as started:
        [only] = started.servers()
        only.kill()
        only.wait(PATIENCE)
        assert started.connection() != only.pid
        assert "web died (signal 9), starting it again" in _said(started)


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_they_listen_on_ipv6(tmp_path: Path, ordinary_signals: None) -> None:
    with running(tmp_path, host="::1") as started:
        assert started.connection() in [p.pid for p in started.servers()]
        assert started.end(signal.SIGINT) == 0


def test_what_cannot_be_loaded_ends_it_with_the_status_of_a_failure(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "fusion_site.webs", "-p", "0"],
        cwd=PROJECT,
        env=environment(FUSION_VAR_DIR=str(tmp_path), LOG_LEVEL="LOUD", SECRET_KEY="x" * 50),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert "LOG_LEVEL" in ended.stderr.splitlines()[-1]


def test_those_that_keep_dying_end_it(tmp_path: Path, ordinary_signals: None) -> None:
    with running(tmp_path, count="1") as started:
        dead: set[int] = set()
        while started.process.poll() is None:
            for server in started.servers():
                dead.add(server.pid)
                with contextlib.suppress(psutil.Error):
                    server.kill()
            time.sleep(0.02)
        assert started.process.returncode == 1 and len(dead) == 5
        assert _said(started).splitlines()[-1] == "web keeps dying (signal 9)."


def test_what_they_have_in_common_is_in_memory_once_and_killing_their_parent_leaves_nothing(
    tmp_path: Path, ordinary_signals: None
) -> None:
    """Of what a process holds by itself, most is its parent's as well."""
    with running(tmp_path) as started:
        parent, both = psutil.Process(started.process.pid), started.servers()
        assert parent.num_threads() == 1, "or a copy has what another thread had locked"
        for server in both:
            held = server.memory_full_info()
            assert held.uss < held.rss / 2
        started.end(signal.SIGKILL)
        assert psutil.wait_procs(both, timeout=PATIENCE)[1] == []


def test_up_starts_as_many_as_it_is_told_and_tells_each_how_many_they_are(
    project: Path, ordinary_signals: None
) -> None:
    with Up(project, "--no-local-model", FUSION_WEB_PROCESSES="3") as up:
        url = up.url
        servers = up.child("fusion_site.webs").children()
        assert len(servers) == 3
        assert {p.environ()["FUSION_WEB_PROCESSES"] for p in servers} == {"3"}
        servers[2].kill()
        up.wait_for("web | web-3 died (signal 9), starting it again")
        with urllib.request.urlopen(f"{url}/readyz") as answer:
            assert answer.status == 200
        assert all(p.is_running() for p in servers[:2])
        assert up.end(signal.SIGINT) == 0
        assert up.left(60) == []


def test_one_is_enough_where_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says."""
    monkeypatch.setenv("FUSION_WEB_PROCESSES", "3")
    assert up_options(["--port", "0"]).web_processes == 3
    assert up_options(["--port", "0", "--web-processes", "1"]).web_processes == 1


@pytest.mark.parametrize("number", ["0", "33", "-1", "two", "1.5", "²"])
def test_a_number_that_cannot_be_meant_is_named(tmp_path: Path, number: str) -> None:
    ended = manage(
        PROJECT,
        *("up", "--port", "0"),
        python=sys.executable,
        FUSION_BOOTSTRAP="0",
        FUSION_VAR_DIR=str(tmp_path / "var"),
        FUSION_WEB_PROCESSES=number,
    )
    assert ended.returncode == 2
    said = ended.stderr.splitlines()[-1]
    assert f"FUSION_WEB_PROCESSES is a number from 1 to 32, not '{number}'." in said


@pytest.mark.parametrize(("cores", "usual"), [(1, 1), (2, 2), (8, 2)])
def test_there_are_as_many_as_cores_but_no_more_than_two(
    monkeypatch: pytest.MonkeyPatch, cores: int, usual: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert programs.web_processes("") == usual


@pytest.mark.parametrize("are_copies", [True, False])
@pytest.mark.parametrize(("count", "names"), [(1, ["web"]), (2, ["web-1", "web-2"])])
def test_each_has_a_name_of_its_own(count: int, names: list[str], *, are_copies: bool) -> None:
    with address.listen("127.0.0.1", 0) as listening:
        made = webs.children(listening, count, are_copies=are_copies)
        assert [child.name for child in made] == names


def test_where_none_is_copied_each_is_a_program_on_the_same_socket(
    tmp_path: Path,
) -> None:
    with address.listen("127.0.0.1", 0) as listening:
        [web] = webs.children(listening, 1, are_copies=False)
        port = listening.getsockname()[1]
        web.start(environment(SECRET_KEY="x" * 50, FUSION_VAR_DIR=str(tmp_path)))
        try:
            at = f"{address.url('127.0.0.1', port)}/healthz"
            with urllib.request.urlopen(at, timeout=PATIENCE) as answer:
                assert answer.status == 200
        finally:
            web.terminate()
            web.kill()


def test_what_pages_leave_is_looked_for_often_and_what_was_loaded_is_not_looked_through() -> None:
    usual = gc.get_threshold()
    try:
        memory.look_for_garbage()
        assert gc.get_threshold()[0] <= 5_000
        assert gc.get_freeze_count() > 10_000 > len(gc.get_objects())
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)


def _said(started: Webs) -> str:
    return started.output.read_text()


@pytest.mark.parametrize(
    ("beforehand", "loop"),
    [("", "uvloop"), ("sys.modules['uvloop'] = None", "asyncio.unix_events")],
)
def test_web_servers_run_on_the_loop_that_workers_have(
    tmp_path: Path, beforehand: str, loop: str
) -> None:
    """Which asyncio's is where uvloop has no wheel."""
    says = "type(reactor._asyncioEventloop).__module__"
    code = f"import sys; {beforehand}\nfrom fusion_site import web\n"
    code += f"from twisted.internet import reactor\nprint({says})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(SECRET_KEY="x" * 50, FUSION_VAR_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == loop, done.stderr
