"""An admin reads what was learned of a server's models, and has it forgotten."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Credential, ModelTrait, traits_learned

pytestmark = pytest.mark.django_db


@pytest.fixture
def kites(client: Client, ada: User) -> Credential:
    client.force_login(ada)
    kites = Credential.objects.create(
        slug="kites", name="Kites", kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
    )
    traits_learned("kites", kites.url, [("<b>kite</b>", "system_role", "user")])
    return kites


def test_it_is_shown_as_text(client: Client, kites: Credential) -> None:
    page = client.get(f"/admin/console/credential/{kites.pk}/change/").content.decode()
    assert "&lt;b&gt;kite&lt;/b&gt;: system_role user" in page


def test_of_another_address_it_is_not(client: Client, kites: Credential) -> None:
    Credential.objects.filter(pk=kites.pk).update(base_url="http://127.0.0.1:8/v1")
    page = client.get(f"/admin/console/credential/{kites.pk}/change/").content.decode()
    assert "system_role" not in page


def test_it_can_be_forgotten(client: Client, kites: Credential) -> None:
    form = {"action": "forget_traits", "_selected_action": [str(kites.pk)]}
    done = client.post("/admin/console/credential/", form, follow=True)
    assert "1 trait forgotten." in done.content.decode()
    assert not ModelTrait.objects.exists()


def test_it_goes_with_its_credential(kites: Credential) -> None:
    kites.delete()
    assert not ModelTrait.objects.exists()


def test_a_model_whose_name_no_column_holds_is_not_remembered(kites: Credential) -> None:
    traits_learned("kites", kites.url, [("x" * 201, "stream", "without")])
    traits_learned("nobody", kites.url, [("x", "stream", "without")])
    traits_learned("kites", "http://elsewhere.example/v1", [("x", "stream", "without")])
    assert [trait.name for trait in ModelTrait.objects.all()] == ["system_role"]
    traits_learned("kites", kites.url, [("<b>kite</b>", "system_role", "")])
    assert not ModelTrait.objects.exists()
