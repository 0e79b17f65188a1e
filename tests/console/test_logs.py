"""Log lines: one event, one line, and no secret in it."""

from __future__ import annotations

import io
import logging
import sys

import pytest
from django.test import Client

from console.site.logs import OneLine, Redact


def line(message: str, *args: object) -> str:
    record = logging.LogRecord("console", logging.WARNING, "x.py", 1, message, args, None)
    assert Redact().filter(record)
    return OneLine().format(record)


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("a\r\n2026-01-01 ERROR forged", r"a\r\n2026-01-01 ERROR forged"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x9b2Jgone", r"\x9b2Jgone"),
        ("nul\0 bell\x07 next\x85 line", r"nul\x00 bell\x07 next\x85 line"),
        ("\u2028one\u2029two", r"\u2028one\u2029two"),
        ("\u202etxt.exe\u2066", r"\u202etxt.exe\u2066"),
        ("Größe 😀 مرحبا", "Größe 😀 مرحبا"),
    ],
)
def test_what_a_stranger_sends_stays_one_harmless_line(sent: str, written: str) -> None:
    assert line("Not Found: %s", sent).endswith(f"WARNING console: Not Found: {written}")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer fus_planted0123456789",
        "{'authorization': 'planted0123456789'}",
        "api_key=planted0123456789",
        "sk-or-v1-planted0123456789",
        "redis://user:planted0123456789@host:6379/0",
        "the token fus_planted0123456789abcdef",
        "authorization: Basic planted0123456789",
        "redis://:planted0123456789@host:6379/0",
    ],
)
def test_what_looks_like_a_secret_is_not_written(text: str) -> None:
    assert "planted" not in line("failed: %s", text) and "***" in line(text)


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("/fusion/shared/planted0-1_23456789", "/fusion/shared/***"),
        ("/fusion/shared/planted0123456789/frames?after=1", "/fusion/shared/***/frames?after=1"),
        ("/ws/shared/planted0123456789", "/ws/shared/***"),
        ("/claim/planted0123456789", "/claim/***"),
        ("/fusion/shared", "/fusion/shared"),
        ("/fusion/runs/01234567-89ab", "/fusion/runs/01234567-89ab"),
        ("shared by alice", "shared by alice"),
    ],
)
def test_addresses_that_let_somebody_in_are_not_written(sent: str, written: str) -> None:
    assert line("Not Found: %s", sent).endswith(f"Not Found: {written}")


@pytest.mark.parametrize("host", ["evil.test", "", "a b"])
def test_a_host_that_is_not_ours_is_told_in_one_line(client: Client, host: str) -> None:
    written = io.StringIO()
    [handler] = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    before = handler.setStream(written)
    try:
        assert client.get("/sign-in", headers={"Host": host}).status_code == 400
    finally:
        handler.setStream(before or sys.stderr)
    first = written.getvalue().partition("\n")[0]
    assert "Invalid HTTP_HOST" in first and "Traceback" not in written.getvalue()


@pytest.mark.parametrize("method", ["put", "post", "get"])
def test_whoever_asks_for_a_link_in_a_wrong_way_has_it_written_nowhere(
    client: Client, caplog: pytest.LogCaptureFixture, db: None, method: str
) -> None:
    getattr(client, method)("/fusion/shared/planted0123456789planted")
    [record] = [r for r in caplog.records if r.name == "django.request"]
    assert Redact().filter(record) and "planted" not in record.getMessage()
    assert "/fusion/shared/***" in record.getMessage()


def test_the_renderers_inner_workings_are_not_written() -> None:
    for name in ("markdown_it", "markdown_it.rules_block.paragraph"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
