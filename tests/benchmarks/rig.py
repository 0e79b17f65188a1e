"""What a group of figures is given: an upstream, sites that stay open from one repetition to the
next, marks for prompts, and whether it is to be quick."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.rows import FLOOR, Asked, Sample
from tests.benchmarks.site import OTHERS, Layout, Site, marks
from tests.benchmarks.upstream import Upstream


class Rig:
    def __init__(
        self, checkout: Path, at: str = "", *, quick: bool = False, tiny: bool = False
    ) -> None:
        self.checkout, self.at = checkout, at  # `at`: which commit, "" is this checkout
        self.quick, self.tiny = quick, tiny  # `tiny`: only that everything works
        self.machine = FLOOR  # of this repetition
        self.repetition = 0
        self.marks = marks()
        self._open = contextlib.ExitStack()
        self._sites: dict[tuple[Layout, tuple[tuple[str, str], ...]], Site] = {}

    def __enter__(self) -> Rig:
        self.upstream = self._open.enter_context(Upstream(cores=(OTHERS,)))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def site(self, layout: Layout, **env: str) -> Site:
        """The same one each time it is asked for. Idle, it costs half a percent of a core."""
        key = (layout, tuple(sorted(env.items())))
        if key not in self._sites:
            made = Site(self.upstream.url, layout, checkout=self.checkout, env=env)
            self._sites[key] = self._open.enter_context(made)
        return self._sites[key]

    def close_sites(self) -> None:
        """Of a group that others follow which must not share their memory or cores."""
        self._sites.clear()
        self._open.close()
        self.__enter__()

    def sample(
        self,
        asked: Asked,
        value: float | None,
        *,
        floor: float | None = None,
        peer: float | None = None,
        why: str = "",
    ) -> Sample:
        return Sample(asked, value, floor, peer, why, self.at, self.machine)

    def size(self, usual: int, quick: int | None = None, tiny: int = 1) -> int:
        """A number of runs, tokens, seconds: smaller where it is to be quick."""
        if self.tiny:
            return tiny
        return usual if quick is None or not self.quick else quick


Samples = Iterator[Sample]
