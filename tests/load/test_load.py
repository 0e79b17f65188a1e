"""What does a site harm is refused, stands nowhere on disk, and keeps nobody from their turn.

Refusals, disk and order; what it costs others in time is told by the long form:

    .venv/bin/python -m tests.load
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.load import harms
from tests.load.harms import Answers, Harm
from tests.load.site import Site, site
from tests.stack import until
from tests.upstream import Script

pytestmark = pytest.mark.live

SIGN_INS, SOCKETS = 6, 8


@pytest.fixture(scope="module")
def small() -> Iterator[Site]:
    few = {
        "FUSION_SIGN_INS_PER_MINUTE": str(SIGN_INS),
        "FUSION_SOCKETS_PER_ADDRESS": str(SOCKETS),
    }
    with site(**few) as one:
        yield one


def meanwhile(one: Site, harm: Harm, times: int) -> Answers:
    """The harm is done while bob reads his pages, and nothing of it is written to disk."""
    answers: list[Answers] = []
    doing = threading.Thread(target=lambda: answers.append(harm(one.target, times)))
    doing.start()
    read = 0
    while doing.is_alive() or not read:
        assert one.bob.http.get("/fusion/runs").status_code == 200
        assert one.bytes_on_disk() == 0
        read += 1
    doing.join()
    assert answers, "it ended in an error of its own"
    return answers[0]


@pytest.mark.parametrize("harm", [harms.post_by_length, harms.post_in_chunks])
def test_gigabytes_of_whoever_is_not_known_are_cut_off(small: Site, harm: Harm) -> None:
    assert meanwhile(small, harm, 2) == {"cut off": 2}


def test_slow_heads_are_cut_off(small: Site) -> None:
    answers = meanwhile(small, harms.slow_loris, 60)
    assert answers["cut off"] == 60 and not answers["held"]


def test_more_sockets_than_an_address_may_have_are_told_to_ask(small: Site) -> None:
    assert meanwhile(small, harms.sockets, 30) == {"open": SOCKETS, "told to ask": 30 - SOCKETS}


def test_the_worst_text_is_read_by_all_who_have_its_link(small: Site) -> None:
    assert meanwhile(small, harms.read_the_text, 10) == {"200": 10}


def test_replies_that_nobody_takes_are_held_up_to_a_bound(small: Site) -> None:
    """Each has five megabytes: a hundred are held in all."""
    answers = meanwhile(small, harms.leave_the_text_unread, 40)
    assert answers["cut off"] >= 15 and answers["held"] >= 10 and not answers["silent"]


def test_a_hundred_runs_of_one_member_keep_another_waiting_for_one_place(small: Site) -> None:
    """The worker has eight places, one of them the shared run's: alice takes the others."""
    upstream, stack, alice = small.upstream, small.stack, small.alice
    upstream.script("held", Script(text="Hello there world", hold_after=1))
    upstream.hold(everything=False)
    hers = [alice.ask("held", "held") for _ in range(12)]

    def how_many(status: str) -> int:
        return sum(row.run["status"] == status for row in stack.rows(*hers).values())

    until(lambda: how_many("running") == 7, every=1)
    his = small.bob.ask("held", "held")
    assert stack.rows(his)[his].run["status"] == "queued"
    [ended] = [run for run in hers if alice.page(run).status == "running"][:1]
    alice.post(f"/fusion/runs/{ended}/cancel", {}, f"/fusion/runs/{ended}")
    until(lambda: stack.rows(his)[his].run["status"] == "running", every=1)
    assert how_many("queued") == 5, "the first place that became free was his"
    upstream.release()
    for run in hers:
        alice.until(run)


def test_forged_headers_and_many_names_are_attempts_of_one_address(small: Site) -> None:
    """Last: this address signs in no more for a minute."""
    answers = meanwhile(small, harms.spoofed, 40)
    assert answers["200"] <= SIGN_INS and answers["429"] >= 40 - SIGN_INS
    assert meanwhile(small, harms.sign_ins, 40)["429"] >= 40 - SIGN_INS
