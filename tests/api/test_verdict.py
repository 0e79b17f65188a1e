"""`POST /v1/runs/{id}/verdict`: which of a run's answers was found best."""

from __future__ import annotations

from typing import Any

from .conftest import Api
from .test_run_events import follow
from .test_runs import ended, read, start


def test_a_verdict_is_said_changed_taken_back_and_told_of_the_run(api: Api) -> None:
    run_id = ended(api, start(api)["id"])["id"]
    assert read(api, run_id)["verdicts"] == []

    def say(status: int = 200, **body: Any) -> dict[str, Any]:
        response = api.post(f"/runs/{run_id}/verdict", json=body)
        assert response.status_code == status, response.text
        said: dict[str, Any] = response.json()
        return said

    seen = {"names_shown": False, "order": ["C", "A", "B"]}
    (verdict,) = say(best="B", note="Shorter.", **seen)["verdicts"]
    assert (verdict["best"], verdict["note"], verdict["is_own"]) == ("B", "Shorter.", True)
    assert verdict["seen"] == seen | {"look": ""} and verdict["by"]
    assert verdict["calls"]["B"] == "panel-1-1"
    say(best="tie")
    assert [v["best"] for v in read(api, run_id)["verdicts"]] == ["tie"]
    assert api.lose_log(run_id)
    snapshot = next(event for event in follow(api, run_id) if event.name == "run.snapshot")
    # What goes on from a run is told where it is read.
    assert snapshot.data["run"] == read(api, run_id) | {"follow_ups": None}
    for body in ({"best": "H"}, {"best": "fused"}, {}, {"best": "A", "order": ["A", "A"]}):
        assert say(400, **body)["error"]["param"] in ("best", "order")
    assert say(best=None)["verdicts"] == []


def test_of_a_run_that_goes_on_or_is_none_nothing_is_said(api: Api) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert api.post(f"/runs/{nobody}/verdict", json={"best": "A"}).status_code == 404
