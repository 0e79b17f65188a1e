"""The whole product with its usual limits, and what others' harm needs of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.live.conftest import PASSWORD, add_people, make_stack
from tests.live.member import Member
from tests.load.harms import Target
from tests.prose import words
from tests.stack import Stack
from tests.upstream import Script, Upstream

HOSTILE = "`` `[^A] ``"
_HOSTILE_RUN = """
from django.contrib.auth.models import User
from console.engine.state import Step
from console.models import Visibility
from tests.console.story import Story, link_to
story = Story().whole()
[*_, fused] = [c for c in story.state.calls.values() if c.step is Step.SYNTHESIS]
fused.text = ({unit!r} * 2_000_000)[:2_000_000]
run = story.save(User.objects.get(username="alice"))
link_to(run, "h" * 43)
run.visibility, run.share_token = Visibility.LINK, None
run.save()
"""


@dataclass(frozen=True)
class Site:
    stack: Stack
    upstream: Upstream
    alice: Member
    bob: Member
    target: Target

    def bytes_on_disk(self) -> int:
        """In the web server's temporary files, which have no name any more."""
        size = 0
        process = psutil.Process(self.stack.processes["web"].pid)
        for handle in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                if os.readlink(handle).endswith(" (deleted)"):
                    size += handle.stat().st_size
            except FileNotFoundError:
                pass  # closed meanwhile
        return size


@contextmanager
def site(**env: str) -> Iterator[Site]:
    limits = {
        "FUSION_STALL_TIMEOUT": "600",
        "FUSION_RUNS_PER_WORKER": "8",
        "FUSION_SIGN_INS_PER_MINUTE": "30",
        "FUSION_SOCKETS_PER_PERSON": "20",
        "FUSION_SOCKETS_PER_ADDRESS": "100",
        "LOG_LEVEL": "INFO",
    }
    with Upstream() as upstream, make_stack(upstream, **limits | env) as stack:
        add_people(stack)
        with Member(stack, "alice", PASSWORD) as alice, Member(stack, "bob", PASSWORD) as bob:
            upstream.script("endless", Script(text=words(40_000), tokens_per_second=5))
            upstream.keep()
            run_id = alice.ask("endless")
            page = f"/fusion/runs/{run_id}"
            made = alice.post(f"{page}/share", {"visibility": "link"}, page)
            [link] = set(re.findall(r"/fusion/shared/[\w-]+", made.text))
            stack.shell(_HOSTILE_RUN.format(unit=HOSTILE))
            target = Target(stack.port, link, f"/fusion/shared/{'h' * 43}")
            yield Site(stack, upstream, alice, bob, target)
            alice.post(f"{page}/cancel", {}, page)
