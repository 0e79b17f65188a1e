"""The fast panel: of the models that sat on panels here, the three that answer soonest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.api.http.errors import ApiError
from console.api.openai.requests import ChatRequest
from console.api.planning.plan import plan_for
from console.engine.spec import Spec
from console.models import Call, Credential, Preset, Run
from console.services.quickest import fast_wish, quickest_seats
from console.services.wish import SeatWish, Wish

pytestmark = [pytest.mark.database, pytest.mark.django_db]
OPUS = "~anthropic/claude-opus-latest"
BUDGET = [
    "~google/gemini-flash-latest",
    "~deepseek/deepseek-flash-latest",
    "~moonshotai/kimi-latest",
]


@pytest.fixture(autouse=True)
def router(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-of-a-test")


def answered(
    model: str,
    *seconds: float,
    credential: str = "openrouter",
    status: str = "completed",
    preset: str = "quality",
    days: int = 0,
    step: str = "panel",
) -> None:
    run = Run.objects.create(prompt="?", messages=[], spec={}, preset=preset, preset_name="")
    for number, took in enumerate(seconds, 1):
        sent = timezone.now() - timedelta(days=days, hours=1)
        Call.objects.create(
            run=run,
            key=f"{step}-0-{number}",
            step=step,
            seat=0,
            number=number,
            cause="first",
            panelist={"model": model, "credential": credential},
            status=status,
            sent_at=sent,
            finished_at=sent + timedelta(seconds=took),
        )


def quickest() -> list[str]:
    return [seat.model for seat in quickest_seats()]


def asked(model: str, **more: object) -> Spec:
    body = {"model": model, "messages": [{"role": "user", "content": "?"}]} | more
    return plan_for(ChatRequest.model_validate(body), {}).spec


def panel(spec: Spec) -> list[str]:
    return [seat.model for seat in spec.panel]


def test_those_whose_answers_usually_took_least_come_first() -> None:
    answered("slow", 30, 40, 50)
    answered("quick", 2, 90, 3)  # one hard question does not make it slow
    answered("middling", 9)
    answered("quicker", 1)
    assert quickest() == ["quicker", "quick", "middling", "slow"]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "failed"},
        {"status": "cancelled"},
        {"days": 40},
        {"step": "synthesis"},
        {"preset": "direct"},  # a title, or another short text
        {"credential": "gone"},
        {"credential": "off"},
    ],
)
def test_what_was_no_answer_of_a_panel_lately_or_cannot_be_asked_counts_for_nothing(
    other: dict[str, str],
) -> None:
    Credential.objects.create(
        slug="off", name="Off", kind="openai_compatible", base_url="http://x.example", enabled=False
    )
    answered("known", 9)
    answered("other", 1, **other)  # type: ignore[arg-type]
    assert quickest() == ["known"]


def test_where_nothing_is_known_the_panel_is_that_of_the_preset_beside_it() -> None:
    base = Wish(panel=["a", "b"], judge="j")
    assert fast_wish(base) is base
    for model in ("openrouter/fusion-flash", "fusion/general-fast"):
        spec = asked(model)
        assert panel(spec) == BUDGET and spec.preset == "budget"


def test_where_little_is_known_the_seats_of_that_preset_fill_the_panel() -> None:
    answered(BUDGET[1], 5)
    answered("known", 1)
    spec = asked("openrouter/fusion-flash")
    assert panel(spec) == ["known", BUDGET[1], BUDGET[0]]
    assert (spec.preset, spec.preset_name, spec.judge.model) == ("fast", "Fast", OPUS)


FAST = [
    {"model": "openrouter/fusion-flash"},
    {"model": "fusion/general-fast"},
    {"model": "fusion/or-general-fast"},
    {"model": "fusion", "plugins": [{"id": "fusion", "preset": "general-fast"}]},
    {"model": "openrouter/fusion", "plugins": [{"id": "fusion", "preset": "or-general-fast"}]},
]


@pytest.mark.parametrize("body", FAST)
def test_every_name_of_the_fast_panel_asks_the_three_quickest(body: dict[str, object]) -> None:
    for model, seconds in (("d", 8), ("a", 1), ("c", 4), ("b", 2)):
        answered(model, seconds)
    assert panel(asked(**body)) == ["a", "b", "c"]  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "or-"])
@pytest.mark.parametrize(
    ("name", "slug"), [("general-high", "quality"), ("general-budget", "budget")]
)
def test_its_other_presets_are_ours_by_every_name(prefix: str, name: str, slug: str) -> None:
    assert asked(f"fusion/{prefix}{name}").preset == slug
    plugin = {"id": "fusion", "preset": f"{prefix}{name}"}
    assert asked("fusion", plugins=[plugin]).preset == slug


def test_a_preset_of_that_name_goes_before_and_any_other_name_is_none() -> None:
    copy = Preset.objects.get(slug="quality")
    panelists = list(copy.panelists.all())
    copy.pk, copy._state.adding, copy.slug, copy.name = None, True, "general-fast", "Own"
    copy.save()
    for panelist in panelists:
        panelist.pk, panelist._state.adding, panelist.preset = None, True, copy
        panelist.save()
    answered("a", 1)
    assert asked("fusion/general-fast").preset_name == "Own"
    for name in ("fusion/or-", "fusion/or-quality", "fusion/general-slow", "fusion/or-general"):
        with pytest.raises(ApiError, match="There is no preset"):
            asked(name)


def test_the_built_in_model_sits_there_only_where_there_is_no_other() -> None:
    local = Credential.objects.filter(slug="local").first()
    assert local
    answered("small", 1, credential="local")
    assert "small" not in quickest() or local.is_ready
    answered("a", 5)
    assert quickest() == ["a"]


def test_seats_keep_what_the_preset_beside_says_of_judging() -> None:
    answered("a", 1)
    base = Wish(panel=[SeatWish("x"), SeatWish("y")], judge="j", limits={"quorum": 1})
    wish = fast_wish(base)
    assert len(wish.panel) == 3 and "quorum" not in wish.limits and wish.judge == "j"
