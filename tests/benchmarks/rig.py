"""What a group of figures is given: an upstream, sites that stay open from one repetition to the
next, marks for prompts, and whether it is to be quick."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.floor import Reading
from tests.benchmarks.litellm import Peer, Unavailable
from tests.benchmarks.rows import FLOOR, Asked, Sample
from tests.benchmarks.site import ALL, OTHERS, Layout, Site, marks
from tests.benchmarks.upstream import Upstream


class Rig:
    def __init__(
        self, checkout: Path, at: str = "", *, quick: bool = False, tiny: bool = False
    ) -> None:
        self.checkout, self.at = checkout, at  # `at`: which commit, "" is this checkout
        self.quick, self.tiny = quick, tiny  # `tiny`: only that everything works
        self.floor = Reading(FLOOR, 0, 0, 0, 0)  # just before
        self.repetition = 0
        self.marks = marks()
        self._peer: Peer | str | None = None
        self._open = contextlib.ExitStack()
        self._sites: dict[tuple[Layout, tuple[tuple[str, str], ...]], Site] = {}

    def __enter__(self) -> Rig:
        self._open.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        self.upstream = self._open.enter_context(Upstream())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def lay_out(self, layout: Layout) -> None:
        """Upstream and who watches, which is this process, as that layout has them."""
        for process in (0, self.upstream.process.pid):
            os.sched_setaffinity(process, (OTHERS,) if layout == "1c" else ALL)

    def site(self, layout: Layout, **env: str) -> Site:
        """The same one each time it is asked for. Idle, it costs half a percent of a core."""
        layout = "1c" if self.tiny else layout
        self.lay_out(layout)
        key: tuple[Layout, tuple[tuple[str, str], ...]] = (layout, tuple(sorted(env.items())))
        if key not in self._sites:
            made = Site(self.upstream.url, layout, checkout=self.checkout, env=env)
            self._sites[key] = self._open.enter_context(made)
        return self._sites[key]

    def fresh_site(self, **env: str) -> Site:
        """One that nothing was asked of, for the caller to enter."""
        self.lay_out("2c")
        return Site(self.upstream.url, "2c", checkout=self.checkout, env=env)

    def peer(self) -> Peer | str:
        """LiteLLM, or why there is none. It is asleep until it is used."""
        if self._peer is None:
            try:
                self._peer = self._open.enter_context(Peer(self.upstream.url))
            except Unavailable as error:
                self._peer = str(error)
        return self._peer

    def sample(
        self,
        asked: Asked,
        value: float | None,
        *,
        floor: float | None = None,
        peer: float | None = None,
        why: str = "",
    ) -> Sample:
        return Sample(asked, value, floor, peer, why, self.at, self.floor.cpu, self.repetition)

    def beyond(self, aim: float) -> float:
        """So many, of what is more where it is better, show on this machine whether it is met."""
        return 1.1 * aim * FLOOR / self.floor.cpu

    def size(self, usual: int, quick: int | None = None, tiny: int = 1) -> int:
        """A number of runs, tokens, seconds: smaller where it is to be quick."""
        if self.tiny:
            return tiny
        return usual if quick is None or not self.quick else quick


Samples = Iterator[Sample]
