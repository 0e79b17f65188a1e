"""The text of a page, held against what was marked by hand, and pages that attack their reader."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from pypdf import PdfWriter

from console.research.client import Fetched, NotFetched
from console.research.reading import PageText, Reader

PAGES = Path(__file__).parent.parent / "data" / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.html"))
DEEP = b"<!doctype html>" + b"<div>" * 400_000 + b"text"


async def read(body: bytes, type: str = "html", reader: Reader | None = None) -> PageText:
    return await (reader or Reader()).read(Fetched("https://example.org/a", type, "utf-8", body))


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def f1(found: str, marked: str) -> float:
    shared = (words(found) & words(marked)).total()
    return 2 * shared / (words(found).total() + words(marked).total())


def test_there_are_twenty_pages() -> None:
    assert len(NAMES) == 20


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_read_is_the_text_of_the_page(name: str) -> None:
    reading = await read((PAGES / f"{name}.html").read_bytes())
    assert f1(reading.text, (PAGES / f"{name}.txt").read_text()) >= 0.9


async def test_what_is_no_part_of_the_text_is_counted() -> None:
    reading = await read((PAGES / "news.html").read_bytes())
    assert reading.title.startswith("Panels of models")
    assert reading.left_out > 50


async def test_a_text_is_taken_as_it_is() -> None:
    reading = await read(b"# Title\n\nIts text,  of two lines.\n\n\n\nEnd.", "text")
    assert reading.text == "# Title\n\nIts text, of two lines.\n\nEnd."


def pdf(text: str) -> bytes:
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 10 200 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/Title": "A paper"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_the_text_of_a_pdf_is_read() -> None:
    reading = await read(pdf("Forty-two is the answer."), "pdf")
    assert (reading.title, reading.text, reading.pages) == (
        "A paper", "Forty-two is the answer.", 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (b"%PDF-1.7\n" + b"1 0 obj<</Length 99999>>stream" * 100, "pdf"),
        (b"%PDF-1.7 broken", "pdf"),
        (b"<!doctype html><script>document.write('all of it')</script>", "html"),
        (b"\x00\x01\x02<html>", "html"),
    ],
)
async def test_what_holds_no_text_is_refused(body: bytes, type: str) -> None:
    with pytest.raises(NotFetched):
        await read(body, type)


async def test_a_page_that_takes_too_long_or_too_much_is_ended() -> None:
    with pytest.raises(NotFetched):
        await read(DEEP, reader=Reader(seconds=0.05))
    with pytest.raises(NotFetched):
        await read(b"<p>" + b"word " * 2_000_000, reader=Reader(memory=60_000_000))


async def test_a_text_without_end_is_cut_and_said_to_be() -> None:
    reading = await read(b"word " * 1000, "text", Reader(longest=100))
    assert reading.is_cut and len(reading.text) == 100
