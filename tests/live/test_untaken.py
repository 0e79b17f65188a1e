"""Replies that are not taken: how long, and how many of them, a web process holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.test import override_settings
from twisted.internet.task import Clock

from fusion_site import web_untaken
from fusion_site.web_untaken import HELD_BYTES, SECONDS, TAKEN_BYTES, Untaken


@dataclass(eq=False)
class Reader:
    left: int
    cut_off: list[bool] = field(default_factory=list)

    def forceAbortClient(self) -> None:
        self.cut_off.append(True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(web_untaken, "reactor", clock)
    return clock


def test_who_takes_next_to_nothing_is_cut_off_and_who_reads_slowly_is_not(clock: Clock) -> None:
    untaken = Untaken()
    stuck, dripping, slow = readers = [Reader(5_000_000) for _ in range(3)]
    for reader in readers:
        untaken.add(reader)
    for _ in range(4):
        dripping.left -= TAKEN_BYTES - 1
        slow.left -= TAKEN_BYTES
        clock.advance(SECONDS)
    assert stuck.cut_off == dripping.cut_off == [True] and not slow.cut_off


def test_who_has_taken_all_or_is_gone_is_looked_at_no_more(clock: Clock) -> None:
    untaken = Untaken()
    reader = Reader(100_000)
    untaken.add(reader)
    untaken.add(reader)
    untaken.remove(reader)
    untaken.remove(reader)
    assert not clock.getDelayedCalls()
    clock.advance(2 * SECONDS)
    assert not reader.cut_off


def test_of_more_than_are_held_those_who_had_theirs_longest_are_cut_off(clock: Clock) -> None:
    untaken = Untaken()
    third = HELD_BYTES // 3
    with override_settings(WEB_PROCESSES=1):
        first, second, *others = readers = [Reader(third) for _ in range(4)]
        for reader in readers:
            untaken.add(reader)
        assert first.cut_off and not any(one.cut_off for one in [second, *others])
        others[0].left += third  # a stream goes on
        untaken.add(others[0])
        assert second.cut_off and not any(one.cut_off for one in others)


def test_each_process_has_its_share(clock: Clock) -> None:
    untaken = Untaken()
    with override_settings(WEB_PROCESSES=2):
        first, second = Reader(HELD_BYTES // 3), Reader(HELD_BYTES // 3)
        untaken.add(first)
        untaken.add(second)
    assert first.cut_off and not second.cut_off
