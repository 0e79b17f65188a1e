import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

from console.models import Credential, Preset


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def form(models: list[str], *, seats: list[int | str] | None = None, **more: Any) -> dict[str, Any]:
    credential = Credential.objects.get(slug="openrouter").pk
    data = {
        "name": "Pair",
        "slug": "pair",
        "description": "",
        "position": 5,
        "enabled": "on",
        "judge_model": "judge",
        "judge_credential": credential,
        "panelists-TOTAL_FORMS": len(models),
        "panelists-INITIAL_FORMS": 0,
    }
    for i, model in enumerate(models):
        data |= {
            f"panelists-{i}-seat": seats[i] if seats else i,
            f"panelists-{i}-model": model,
            f"panelists-{i}-credential": credential,
        }
    return data | more


def test_an_admin_makes_a_preset_of_two_seats(admin: Client) -> None:
    response = admin.post("/admin/console/preset/add/", form(["alpha", "beta"]))
    assert response.status_code == 302
    preset = Preset.objects.get(slug="pair")
    assert [p.model for p in preset.panelists.all()] == ["alpha", "beta"]


def test_seats_are_counted_anew_in_the_order_given(admin: Client) -> None:
    data = form(["last", "first", "middle"], seats=["", 0, 4])
    admin.post("/admin/console/preset/add/", data)
    panelists = Preset.objects.get(slug="pair").panelists.all()
    assert [(p.seat, p.model) for p in panelists] == [(0, "first"), (1, "middle"), (2, "last")]


def test_a_preset_needs_a_panel(admin: Client) -> None:
    response = admin.post("/admin/console/preset/add/", form([]))
    assert b"A panel needs at least 1 model." in response.content
    assert not Preset.objects.filter(slug="pair").exists()


def test_a_panel_has_at_most_eight_seats(admin: Client) -> None:
    response = admin.post("/admin/console/preset/add/", form(["m"] * 9, seats=[0] * 9))
    assert b"A panel has at most 8 seats." in response.content
    assert not Preset.objects.filter(slug="pair").exists()


def test_eight_seats_of_the_same_model_are_fine(admin: Client) -> None:
    admin.post("/admin/console/preset/add/", form(["m"] * 8))
    assert Preset.objects.get(slug="pair").panelists.count() == 8


def test_custom_is_not_a_name_for_a_preset(admin: Client) -> None:
    response = admin.post("/admin/console/preset/add/", form(["m"], slug="custom"))
    assert "people fill in themselves" in response.content.decode()


def test_a_synthesizer_needs_a_model(admin: Client) -> None:
    credential = Credential.objects.get(slug="openrouter").pk
    response = admin.post(
        "/admin/console/preset/add/", form(["m"], synthesizer_credential=credential)
    )
    assert "Name the writer&#x27;s model too." in response.content.decode()


def test_who_writes_is_called_writer_where_it_is_read(admin: Client) -> None:
    for address in ("/admin/console/preset/add/", "/fusion"):
        read = strip_tags(admin.get(address).content.decode())
        assert "Writer" in read and "ynthes" not in read


def test_fields_nobody_offered_are_not_taken(admin: Client) -> None:
    admin.post("/admin/console/preset/add/", form(["m"], id=4711, panelists="x"))
    assert Preset.objects.get(slug="pair").pk != 4711


def test_duplicating_keeps_the_panel_and_opens_the_copy(admin: Client) -> None:
    quality = Preset.objects.get(slug="quality")
    action = {"action": "duplicate", "_selected_action": quality.pk}
    response = admin.post("/admin/console/preset/", action)
    copy = Preset.objects.get(slug="quality-copy")
    assert response.headers["Location"] == f"/admin/console/preset/{copy.pk}/change/"
    assert [p.model for p in copy.panelists.all()] == [p.model for p in quality.panelists.all()]
    admin.post("/admin/console/preset/", action)
    assert Preset.objects.filter(slug="quality-copy-2").exists()


@pytest.mark.database
def test_a_credential_in_use_cannot_be_deleted(admin: Client) -> None:
    mine = Credential.objects.create(
        slug="mine", name="Mine", kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
    )
    Preset.objects.filter(slug="quality").update(judge_credential=mine)
    response = admin.post(f"/admin/console/credential/{mine.pk}/delete/", {"post": "yes"})
    assert response.status_code == 200
    assert Credential.objects.filter(pk=mine.pk).exists()


def test_what_is_wrong_is_never_left_folded_away(admin: Client) -> None:
    wrong = {"quorum": 9, "panelists-0-temperature": 5}
    html = admin.post("/admin/console/preset/add/", form(["m"], **wrong)).content.decode()
    shown = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    assert 'id="id_quorum"' in shown and 'id="id_panelists-0-temperature"' in shown
    assert "less than or equal to 8" in shown and "less than or equal to 2" in shown
    folded = admin.get("/admin/console/preset/add/").content.decode()
    assert folded.count("<details") >= 2


def test_a_seats_options_have_the_same_bounds_as_in_a_panel_of_ones_own(admin: Client) -> None:
    wrong = {"panelists-0-max_output_tokens": 0, "panelists-0-system_prompt": "x" * 20_001}
    html = admin.post("/admin/console/preset/add/", form(["m"], **wrong)).content.decode()
    assert "greater than or equal to 1" in html and "at most 20000 characters" in html
    assert not Preset.objects.filter(slug="pair").exists()


def test_what_a_line_of_the_list_cuts_off_is_in_its_title(admin: Client) -> None:
    models = [f"maker/model-{n}" for n in range(8)]
    admin.post("/admin/console/preset/add/", form(models, judge_model="maker/some-judge"))
    listed = admin.get("/admin/console/preset/").text
    names = ", ".join(f"model-{n}" for n in range(8))
    for whole in (names, "some-judge"):
        assert f'<span class="one-line" title="{whole}">{whole}</span>' in listed
    assert 'id="changelist-filter"' not in listed
