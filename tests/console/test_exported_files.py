"""Files in docs/ that the product makes: the sample as a web page, and the form of the JSON.

With FUSION_RECORD_GOLDEN=1 they are written anew instead of compared.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from console.export import ended_in_thread, export_runs
from console.models import Run
from console.models.runs import Origin
from console.models.shown import ALL, BY_LINK
from console.record.portable import Document
from console.site.sample import FILE, sample_give

from .story import Story

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = DOCS / "export.schema.json"


def same(file: Path, text: str) -> None:
    if os.environ.get("FUSION_RECORD_GOLDEN") == "1":
        file.write_text(text)
    assert file.read_text() == text, f"FUSION_RECORD_GOLDEN=1 writes docs/{file.name} anew"


@pytest.fixture
def sample(db: None, settings: Settings) -> Run:
    settings.SAMPLE = True
    sample_give()
    return Run.objects.get(origin=Origin.SAMPLE, follows=None)


def test_the_sample_stands_in_docs_as_the_product_exports_it(sample: Run) -> None:
    taken = export_runs([sample], "html", lambda _: ALL)
    same(DOCS / "sample.html", taken.body.decode())


def test_the_sample_as_json_is_the_file_it_came_in(sample: Run) -> None:
    runs = ended_in_thread(sample, Run.objects.all())
    assert export_runs(runs, "json", lambda _: ALL).body == FILE.read_bytes()


def test_the_form_stands_in_docs_as_it_is_read() -> None:
    form: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    form |= Document.model_json_schema() | {"title": "A run of Fusion, taken along"}
    same(SCHEMA, json.dumps(form, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize("shown", [ALL, BY_LINK])
def test_what_is_exported_is_of_that_form(sample: Run, alice: User, shown: Any) -> None:
    schema = json.loads(SCHEMA.read_text())
    run = Story().whole().fuse_again("Again.", wish={"facts": ["x"]}).save(alice)
    for one in (sample, run):
        taken = json.loads(export_runs([one], "json", lambda _: shown).body)
        jsonschema.validate(taken, schema)
    taken["runs"][0]["prompt"] = 5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(taken, schema)
