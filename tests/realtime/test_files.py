"""Files from the shell, carried out by a real worker: what goes out, and what the rows keep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from console.models import Credential, Run
from tests.files import making
from tests.realtime.test_fuse_command import answered, fuse  # noqa: F401 - a fixture
from tests.realtime.test_run_way import assert_log_equals_rows
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

PANEL = ("--panel", "test:good,test:markdown", "--judge", "test:judge")


def test_the_shell_attaches_what_each_can_take(
    answered: None,  # noqa: F811
    credential: Credential,
    upstream: Upstream,
    tmp_path: Path,
) -> None:
    rows = [
        {"id": "good"},
        {"id": "judge"},
        {"id": "markdown", "architecture": {"input_modalities": ["text"]}},
    ]
    upstream.script("/v1/models", Script(body=json.dumps({"data": rows})))
    (tmp_path / "photo.png").write_bytes(making.picture())
    (tmp_path / "report.pdf").write_bytes(making.pdf(["Rain is wet."]))
    names = [arg for n in ("photo.png", "report.pdf") for arg in ("--attach", str(tmp_path / n))]
    code, out, err = fuse(*PANEL, *names)
    assert code == 0, err
    assert "B (markdown) takes no pictures and is asked without “photo.png”." in err
    assert "[was not given “photo.png”: it takes no pictures]" in out
    seeing, blind = (upstream.calls_of(m)[0].body["messages"][0] for m in ("good", "markdown"))
    assert [part["type"] for part in seeing["content"]] == ["image_url", "text", "text"]
    assert "Rain is wet." in blind["content"] and "Rain is wet." in str(seeing)
    assert_log_equals_rows(Run.objects.get())


def test_what_the_shell_cannot_attach_is_said(
    answered: None,  # noqa: F811
    credential: Credential,
    tmp_path: Path,
) -> None:
    for name, says in (("none.png", "No such file"), ("run.exe", "“run.exe” is a program.")):
        (tmp_path / "run.exe").write_bytes(b"MZ\x00")
        with pytest.raises(CommandError, match=says):
            fuse(*PANEL, "--attach", str(tmp_path / name))
    assert not Run.objects.exists()
