"""Replies that are not taken: how many of them a web process holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.test import override_settings
from twisted.internet.task import Clock

from fusion_site.web_untaken import HELD_BYTES, Untaken

THIRD = HELD_BYTES // 3


@dataclass(eq=False)
class Reader:
    held: int
    cut_off: list[bool] = field(default_factory=list)

    def forceAbortClient(self) -> None:
        self.cut_off.append(True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_of_more_than_are_held_the_largest_are_cut_off_of_two_the_older(clock: Clock) -> None:
    untaken = Untaken(clock.callLater)
    with override_settings(WEB_PROCESSES=1):
        small, first, second, third = readers = [Reader(1), *(Reader(THIRD) for _ in range(3))]
        for reader in readers:
            untaken.add(reader)
        clock.advance(1)
        assert not any(one.cut_off for one in readers)
        small.held += THIRD - 1  # a stream goes on
        second.held += 1
        untaken.add(small)
        clock.advance(1)
        assert second.cut_off == [True] and not (first.cut_off or small.cut_off or third.cut_off)
        untaken.add(Reader(THIRD))
        clock.advance(1)
        assert small.cut_off == [True] and not (first.cut_off or third.cut_off)


def test_who_has_taken_all_or_is_gone_counts_no_more(clock: Clock) -> None:
    untaken = Untaken(clock.callLater)
    with override_settings(WEB_PROCESSES=1):
        gone, others = Reader(HELD_BYTES), [Reader(THIRD), Reader(THIRD)]
        for reader in [gone, *others]:
            untaken.add(reader)
        untaken.remove(gone)
        untaken.remove(gone)
        clock.advance(1)
        assert not any(one.cut_off for one in [gone, *others])


def test_each_process_has_its_share(clock: Clock) -> None:
    untaken = Untaken(clock.callLater)
    with override_settings(WEB_PROCESSES=2):
        first, second = Reader(THIRD), Reader(THIRD)
        untaken.add(first)
        untaken.add(second)
        clock.advance(1)
    assert first.cut_off and not second.cut_off


def test_a_thousand_pieces_are_one_look(clock: Clock) -> None:
    untaken = Untaken(clock.callLater)
    reader = Reader(1)
    for _ in range(1000):
        untaken.add(reader)
    assert len(clock.getDelayedCalls()) == 1
