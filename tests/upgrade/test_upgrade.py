"""Nothing that an older Fusion stored is lost to a newer one: see tests/data."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx
import pytest

from tests.live.member import Member, Page
from tests.upgrade.conftest import Found, Resumed
from tests.upgrade.old_site import ENDED, OldSite, admin_pages

pytestmark = pytest.mark.live
whole = pytest.mark.whole


def test_the_tables_are_what_the_code_says(site: OldSite) -> None:
    """Whether the code says what its migrations do, no site tells: `tests.lint` asks."""
    site.shell.command("migrate", "--check")


@pytest.mark.parametrize(
    "name", ["alice", pytest.param("bob", marks=whole), pytest.param("ada", marks=whole)]
)
def test_every_page_opens_for_who_may_read_it_and_nobody_is_signed_out(
    site: OldSite, name: str
) -> None:
    with site.signed_in(name) as member:
        for path in ("/fusion", "/fusion/runs", "/fusion/tokens", "/password"):
            page = member.http.get(path)
            assert (page.status_code, page.url.path) == (200, path)
        for run in site.runs.values():
            may = run["owner"] == name or run["visibility"] == "team"
            page = member.http.get(f"/fusion/runs/{run['run']}")
            assert page.status_code == (200 if may else 404), run
            assert not may or run["prompt"] in unescape(page.text)
        listed = member.http.get("/fusion/runs").text
        while older := re.search(r'rel="next" href="([^"]+)"', listed.rpartition("<main")[2]):
            listed += member.http.get(f"/fusion/runs{older[1]}").text
        # Its follow-ups are folded into a question's line, and who archived one has it elsewhere.
        folded = {"followed on", "each its own", "another way on"}
        archived = {"failed"} if name == "alice" and "deleted" in site.facts else set()
        for title, run in site.runs.items():
            may = run["owner"] == name or run["visibility"] == "team"
            assert may or run["run"] not in listed, run
            assert not may or title in folded | archived or run["run"] in listed, run


@whole
def test_who_has_left_stays_outside(site: OldSite) -> None:
    with site.signed_in("charlie") as charlie:
        for path in ("/fusion", "/fusion/runs", f"/fusion/runs/{site.id_of('completed')}"):
            assert charlie.http.get(path).url.path == "/sign-in"
        assert charlie.http.get(_link(site, "shared by charlie")).status_code == 404
        form = {"username": "charlie", "password": site.facts["password"]}
        assert charlie.post("/sign-in", form).url.path == "/sign-in"


@whole
def test_a_password_of_that_day_still_opens(site: OldSite) -> None:
    form = {"username": "bob", "password": site.facts["password"]}
    with Member(site) as anybody:
        assert anybody.post("/sign-in", form).url.path == "/fusion"


@whole
def test_an_admin_sees_every_list_and_all_that_is_in_it(site: OldSite) -> None:
    with site.signed_in("ada") as ada:
        pages = admin_pages(ada)
        assert set(pages.values()) == {200}, pages
        for listed in ("auth/user", "console/credential", "console/preset", "console/apitoken"):
            assert any(re.match(f"/admin/{listed}/.+/change/", page) for page in pages), listed
        assert all(f"/admin/console/run/{r['run']}/change/" in pages for r in site.runs.values())
        assert "Test" in ada.http.get("/fusion/keys").text
    with site.signed_in("bob") as bob:
        assert bob.http.get("/admin/").status_code == 404


@whole
def test_a_shared_link_opens_for_anybody(site: OldSite) -> None:
    page = httpx.get(site.url + _link(site, "shared"))
    assert page.status_code == 200 and site.runs["shared"]["prompt"] in page.text
    assert Page(page.text).texts["fused"].strip() == "Fused."


def _link(site: OldSite, name: str) -> str:
    return f"/fusion/shared/{site.runs[name]['link']}"


def test_a_program_s_token_lists_models_and_reads_runs(site: OldSite) -> None:
    listed = site.api("GET", "/models")
    assert listed.status_code == 200
    assert {"fusion", "fusion/house"} <= {model["id"] for model in listed.json()["data"]}
    for name, run in site.runs.items():
        if run["owner"] == "alice" or run["visibility"] == "team":
            said = site.read(name)
            assert said["prompt"] == run["prompt"] and said["calls"] or name == "queued"
        else:
            assert site.api("GET", f"/runs/{run['run']}").status_code == 404
    assert site.api("GET", "/models", token=site.facts["token"][:-1] + "x").status_code == 401


def test_the_events_of_a_run_whose_log_is_long_gone_are_told_from_its_rows(site: OldSite) -> None:
    said = site.api("GET", f"/runs/{site.id_of('degraded')}/events").text
    assert "run.completed" in said and "What north has to say." in said and "Fused." in said


def test_what_a_run_was_is_told_as_it_was(site: OldSite) -> None:
    for name, run in site.runs.items():
        if run["status"] in ENDED and (run["owner"] == "alice" or run["visibility"] == "team"):
            assert site.read(name)["status"] == run["status"], name
    first, second = site.read("fused twice")["fusions"][:2]
    assert (first["answer"], second["answer"]) == ("Fused.", "Fused all the same.")
    assert (second["judge"], second["criteria"]) == ("babbler", "Brevity.")
    assert first["analysis"] and second["failure_reason"] == "judge_not_valid_json"
    tools = site.read("tools")
    assert tools["finish_reason"] == "tool_calls"
    assert tools["tool_calls"][0]["function"]["name"] == "weather"
    votes = [c for c in site.read("completed")["calls"] if c["step"] == "poll"]
    assert len(votes) == 2
    asked = [c["model"] for c in site.read("fallback")["calls"] if c["seat"] == "B"]
    assert [model.split(":")[-1] for model in asked] == ["broken", "spare"]
    assert site.read("failed")["error"]["metadata"]["reason"] == "all_panels_failed"
    assert not site.read("compare first")["fusions"]


@whole
def test_every_run_that_has_ended_is_taken_along_whole(site: OldSite) -> None:
    for name, run in site.runs.items():
        if run["status"] in ENDED and run["owner"] == "alice":
            file = site.api("GET", f"/runs/{run['run']}/export", params={"format": "json"})
            assert file.status_code == 200, (name, file.text)
            assert file.json()["runs"][0]["prompt"] == run["prompt"]


def test_what_readers_ruled_and_found_best_is_told_as_it_was(site: OldSite) -> None:
    for name, then in site.facts.get("found", {}).items():
        now = site.read(name)
        wishes = {str(fusion["number"]): fusion["wish"] for fusion in now["fusions"]}
        for number, wish in then["wishes"].items():
            assert wish.items() <= wishes[number].items(), (name, number)
        for found, verdict in zip(then["verdicts"], now["verdicts"], strict=True):
            assert found.items() <= verdict.items(), name


def test_answers_from_elsewhere_and_what_came_in_a_file_are_told_as_they_were(
    site: OldSite,
) -> None:
    if "brought" not in site.runs:
        pytest.skip("of a day before that")
    mine, theirs = ((c["name"], c["text"]) for c in _brought(site, "brought alone"))
    assert mine == ("Mine", "What I have to say.")
    assert theirs == ("Theirs", "What they have to say.")
    (beside,) = _brought(site, "beside brought")
    assert (beside["seat"], beside["cost"]) == ("C", 0)
    ways = site.read("completed")["follow_ups"]
    assert {site.id_of("followed on"), site.id_of("another way on")} < set(ways)
    with site.signed_in("bob") as bob:
        page = bob.http.get(f"/fusion/runs/{site.id_of('imported')}").text
    assert ">Imported<" in page and "What north has to say." in page


def _brought(site: OldSite, name: str) -> list[dict[str, Any]]:
    return [call for call in site.read(name)["calls"] if call["cause"] == "brought"]


def test_what_budgets_held_and_paid_is_told_as_it_was(site: OldSite) -> None:
    for name, then in site.facts.get("receipts", {}).items():
        now = _receipt(site, name)
        assert len(now["calls"]) == len(then["calls"])
        for line, was in zip(now["calls"], then["calls"], strict=True):
            assert was.items() <= line.items(), name
        assert now["cost"] == then["cost"]


def _receipt(site: OldSite, name: str) -> dict[str, Any]:
    read = site.api("GET", f"/runs/{site.id_of(name)}/receipt")
    assert read.status_code == 200, read.text
    said: dict[str, Any] = read.json()
    return said


def test_what_was_kept_of_runs_is_as_it_was_kept(site: OldSite, alice: Member) -> None:
    if "deleted" not in site.facts:
        pytest.skip("of a day before that")
    tagged = alice.http.get("/fusion/runs?tag=kept").text
    assert "A name of its own" in tagged and "Starred" in tagged
    failed, deleted = site.runs["failed"]["prompt"], site.facts["deleted"]
    assert failed not in alice.http.get("/fusion/runs").text
    assert failed in alice.http.get("/fusion/runs?archived=1").text
    assert failed in alice.http.get("/fusion/runs", params={"q": '"answer to failed"'}).text
    assert alice.http.get(f"/fusion/runs/{deleted['run']}").status_code == 404
    assert deleted["prompt"] in alice.http.get("/fusion/runs/deleted").text
    hidden = httpx.get(f"{site.url}/fusion/shared/{site.facts['hidden_link']}").text
    assert "Fused" in hidden
    assert not [said for said in (site.runs["ruled"]["prompt"], "$0.", "ruler") if said in hidden]


def test_what_runs_looked_up_and_had_with_them_is_told_as_it_was(
    site: OldSite, alice: Member
) -> None:
    if "looked up" not in site.runs:
        pytest.skip("of a day before that")
    looked_up = site.read("looked up")
    assert [source["title"] for source in looked_up["research"]["sources"]] == ["The answer"]
    page = alice.http.get(f"/fusion/runs/{site.id_of('looked up')}/sources/1").text
    assert "has stood here for long" in page
    assert "notes.txt" in alice.http.get(f"/fusion/runs/{site.id_of('with a file')}").text
    assert site.read("by an own preset")["preset"] == "alice-mine"
    listed = site.api("GET", "/models").json()["data"]
    assert "fusion/alice-mine" in {model["id"] for model in listed}


@whole
def test_what_an_evaluation_asked_stands_in_a_list_of_its_own(alice: Member) -> None:
    assert "2+2?" in alice.http.get("/fusion/runs?origin=evaluation").text
    assert "2+2?" not in alice.http.get("/fusion/runs").text


def test_the_same_request_again_is_still_the_same_run(site: OldSite) -> None:
    repeated = site.facts["repeated"]
    again = site.api("POST", "/runs", json=repeated["body"], headers=repeated["headers"])
    assert again.json()["id"] == site.id_of("one key"), again.text
    assert not site.asked_for(site.runs["one key"]["prompt"])


def test_a_page_shows_what_was_saved_of_a_run_that_nobody_works_on(
    site: OldSite, found: Found
) -> None:
    assert len(found.pages) >= 9
    for name, page in found.pages.items():
        assert page.status == site.runs[name]["status"], name
        shown = [text for one in (page, *found.fusions[name]) for text in one.texts.values()]
        for text in site.runs[name]["saved"].values():
            assert text.strip() in " ".join(shown), name


def test_a_viewer_sees_what_the_log_of_that_day_says_or_without_one_the_rows(
    site: OldSite, found: Found
) -> None:
    for name, view in found.views.items():
        shown = " ".join(map(view.text, view.places))
        for text in site.runs[name]["saved"].values():
            assert text.strip() in shown, name


def test_a_run_in_the_middle_is_gone_on_with_and_nothing_finished_is_bought_again(
    site: OldSite, resumed: Resumed
) -> None:
    for name, run in resumed.runs.items():
        assert run["status"] == site.runs[name]["then"], (name, run)
        assert resumed.asked[name] == site.runs[name]["asked"], name
    assert resumed.runs["panel"]["answer"] == resumed.runs["queued"]["answer"] == "Fused."
    assert resumed.runs["analysis"]["answer"] == "Fused late."
    assert not resumed.runs["comparing, log lost"]["fusions"]
    last = resumed.runs["fused twice"]["fusions"][-1]
    assert last["number"] == 3 and last["answer"] == resumed.runs["synthesis"]["answer"]


def test_what_an_interrupted_call_had_said_is_kept(site: OldSite, resumed: Resumed) -> None:
    for name, run in resumed.runs.items():
        calls = {call["key"]: call for call in run["calls"]}
        for key, text in site.runs[name]["saved"].items():
            assert calls[key]["text"].startswith(text), (name, key)
            assert calls[key]["reason"] in ("worker_lost", "worker_stopped", "cancelled"), name


def test_money_that_a_lost_worker_held_is_settled_and_all_else_is_paid_from_the_same_budget(
    site: OldSite, resumed: Resumed
) -> None:
    if "money held" not in site.runs:
        pytest.skip("of a day before that")
    lines = _receipt(site, "money held")["calls"]
    assert all(line["booked"] is not None for line in lines)
    (lost,) = (line for line in lines if line["reason"] == "worker_lost")
    assert lost["is_estimated"] and 0 < lost["booked"] < lost["held"]


def test_a_fusion_that_was_ruled_on_is_written_as_it_was_ruled(resumed: Resumed) -> None:
    for name in {"writing as ruled"} & resumed.told.keys():
        assert all(words in resumed.told[name] for words in ("South was there.", "It is winter."))


@whole
def test_an_evaluation_goes_on_and_buys_nothing_twice(site: OldSite, resumed: Resumed) -> None:
    assert resumed.report["complete"] is True and resumed.report["best_solo"] == "beta"
    assert resumed.report["arms"]["preset"]["mean_score"] == 1.0
    assert resumed.asked_by_evaluation == site.facts["evaluation"]["asked"]


@whole
def test_an_old_run_is_fused_again_and_its_panel_is_not_asked(
    site: OldSite, alice: Member, resumed: Resumed
) -> None:
    for name in ("completed", "compare first"):
        before, asked = site.read(name), len(site.upstream.calls)
        path = f"/fusion/runs/{site.id_of(name)}"
        form = {"judge": "test:another", "criteria": "Brevity.", "seat": ["0", "1"]}
        alice.post(f"{path}/fuse", form, token_from=path)
        after = site.until_over(site.id_of(name))
        assert after["status"] == "completed" and len(after["fusions"]) > len(before["fusions"])
        assert after["answer"] == "This is the scripted answer of another."
        assert [call.model for call in site.upstream.calls[asked:]] == ["another"] * 2
        now = {call["key"]: call for call in after["calls"]}
        assert all(now[call["key"]] == call for call in before["calls"])


@whole
@pytest.mark.parametrize(
    ("name", "whose", "said"),
    [("followed on", "fused", "Fused."), ("each its own", "own", "What north has to say.")],
)
def test_an_old_run_is_followed_up(
    site: OldSite, alice: Member, resumed: Resumed, name: str, whose: str, said: str
) -> None:
    """One that follows another itself."""
    path, prompt = f"/fusion/runs/{site.id_of(name)}", f"And now, after {name}?"
    page = alice.post(f"{path}/follow", {"prompt": prompt, "from": whose}, token_from=path)
    run = site.until_over(page.url.path.rsplit("/", 1)[1])
    assert run["status"] == "completed"
    assert site.asked_for(prompt) == {"north": 1, "south": 1, "judge": 2}
    (asked,) = (c for c in site.upstream.calls_of("north") if prompt in str(c.body["messages"]))
    conversation = [message["content"] for message in asked.body["messages"]]
    assert conversation[0] == site.runs["completed"]["prompt"]
    assert said in conversation[-2] and conversation[-1] == prompt


@whole
def test_an_old_preset_and_its_encrypted_key_still_ask(
    site: OldSite, alice: Member, resumed: Resumed
) -> None:
    prompt = "What does the house say today?"
    page = alice.post("/fusion", {"prompt": prompt, "preset": "house"})
    run = site.until_over(page.url.path.rsplit("/", 1)[1])
    assert run["status"] == "completed" and run["preset"] == "house"
    (asked,) = (c for c in site.upstream.calls_of("south") if prompt in str(c.body["messages"]))
    assert asked.headers["authorization"] == f"Bearer {site.facts['provider_key']}"
    assert asked.body["temperature"] == 0.5 and "Be brief." in str(asked.body["messages"][0])
