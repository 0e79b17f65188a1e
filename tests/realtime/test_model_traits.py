"""What is learned of a model in one run is known in the next, at the same address, for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.models import Credential, ModelTrait, Run
from console.models.traits import BELIEVED_FOR
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


def without_stream_options(body: dict[str, Any]) -> Script:
    if "stream_options" in body:
        return Script(status=400, error_message="Unknown field: stream_options")
    return Script(text="Fine.")


@pytest.fixture
def picky(upstream: Upstream) -> Upstream:
    upstream.script("picky", without_stream_options)
    return upstream


def causes(worker: Worker, run: Run) -> list[str]:
    """Of the calls of its one seat."""
    carry_out(worker, str(run.pk))
    run.refresh_from_db()
    assert run.status == "completed"
    return list(run.calls.filter(seat=0).order_by("number").values_list("cause", flat=True))


def test_what_one_run_has_learned_the_next_one_knows(
    worker: Worker, start: StartRun, picky: Upstream
) -> None:
    assert causes(worker, start("picky", "good")) == ["first", "adapt"]
    assert causes(worker, start("picky", "good")) == ["first"]
    assert len(picky.calls_of("picky")) == 3
    trait = ModelTrait.objects.get()
    assert (trait.model, trait.name, trait.value) == ("picky", "stream_options", "without")
    assert trait.address == picky.url
    assert trait.ends_at - trait.learned_at == BELIEVED_FOR


def test_it_ends_and_is_learned_anew_or_not(
    worker: Worker, start: StartRun, picky: Upstream
) -> None:
    assert causes(worker, start("picky", "good")) == ["first", "adapt"]
    ModelTrait.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert causes(worker, start("picky", "good")) == ["first", "adapt"]
    assert ModelTrait.objects.get().ends_at > timezone.now()
    ModelTrait.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    picky.script("picky", Script(text="Mended."))
    assert causes(worker, start("picky", "good")) == ["first"]
    assert "stream_options" in picky.calls_of("picky")[-1].body


def test_a_call_that_is_only_answered_does_not_prolong_it(
    worker: Worker, start: StartRun, picky: Upstream
) -> None:
    causes(worker, start("picky", "good"))
    ended = ModelTrait.objects.get().ends_at
    causes(worker, start("picky", "good"))
    assert ModelTrait.objects.get().ends_at == ended


def test_behind_another_address_or_of_another_model_nothing_is_known(
    worker: Worker, start: StartRun, picky: Upstream, credential: Credential
) -> None:
    causes(worker, start("picky", "good"))
    picky.script("picky-too", without_stream_options)
    assert causes(worker, start("picky-too", "good")) == ["first", "adapt"]
    with Upstream() as elsewhere:
        elsewhere.script("picky", without_stream_options)
        Credential.objects.filter(pk=credential.pk).update(base_url=elsewhere.url)
        assert causes(worker, start("picky", "good")) == ["first", "adapt"]
        assert causes(worker, start("picky", "good")) == ["first"]


def test_what_a_newer_version_has_learned_changes_nothing(
    worker: Worker, start: StartRun, upstream: Upstream, credential: Credential
) -> None:
    now = timezone.now()
    for name, value in (("temperature", "halved"), ("humour", "dry")):
        credential.traits.create(
            address=upstream.url, model="good", name=name, value=value,
            learned_at=now, ends_at=now + BELIEVED_FOR,
        )  # fmt: skip
    assert causes(worker, start("good", "good")) == ["first"]


def test_a_refusal_that_was_not_followed_by_an_answer_is_not_kept(
    worker: Worker, start: StartRun, upstream: Upstream
) -> None:
    upstream.script("sulky", Script(status=400, error_message="No stream_options, please."))
    carry_out(worker, str(start("sulky", "good").pk))
    assert len(upstream.calls_of("sulky")) == 2
    assert not ModelTrait.objects.exists()


def test_a_model_whose_thoughts_nothing_opens_is_known_to_the_next_run(
    worker: Worker, start: StartRun, upstream: Upstream
) -> None:
    def asked() -> tuple[str, str]:
        run = start("aloud", "good")
        assert causes(worker, run) == ["first"]
        call = run.calls.get(seat=0)
        return call.text, call.reasoning

    upstream.script("aloud", Script(deltas=["let me ", "see\n</think>\n\n", "Rain is wet."]))
    for _ in range(2):
        assert asked() == ("Rain is wet.", "let me see")
        trait = ModelTrait.objects.get()
        assert (trait.model, trait.name, trait.value) == ("aloud", "thoughts", "<think>")
    upstream.script("aloud", Script(text="Rain is wet."))
    assert asked() == ("Rain is wet.", "")
    assert not ModelTrait.objects.exists()
