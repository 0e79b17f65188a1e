"""Files of every kind that is read, and those that are made to do harm."""

from __future__ import annotations

import resource
from datetime import date

import pytest

from console.files import reading
from console.files.kinds import DOCX, PDF, PLAIN, PPTX, XLSX
from console.files.reading import parts_of, read
from console.files.refused import FileRefused
from console.files.store import keep, path_of
from console.models import File
from tests.files import making

pytestmark = pytest.mark.django_db


def brought(data: bytes, name: str) -> File:
    return read(keep(data, name))


def text_of(file: File) -> str:
    return "\n".join(part.text for part in parts_of(file.hash))


@pytest.mark.parametrize(
    ("name", "data", "type", "says"),
    [
        ("a.txt", b"Rain is wet.", PLAIN, "Rain is wet."),
        ("a.py", b"\xef\xbb\xbfprint('rain')\r\n", PLAIN, "print('rain')"),
        ("a.txt", "Rägn".encode("utf-16"), PLAIN, "Rägn"),
        ("a.csv", "a;b\n1;ä".encode("latin-1"), "text/csv", "a;b\n1;ä"),
        ("a.pdf", making.pdf(["Rain is wet."]), PDF, "Rain is wet."),
        (
            "a.docx",
            making.word(
                making.paragraph("Weather", "Heading1")
                + making.paragraph("Rain is wet.")
                + making.table([["day", "mm"], ["Monday", "12"]])
            ),
            DOCX,
            "# Weather\nRain is wet.\n| day | mm |\n| Monday | 12 |",
        ),
        (
            "a.xlsx",
            making.sheet([["day", "mm"], [date(2026, 3, 1), 12.5]]),
            XLSX,
            "| day | mm |\n| 2026-03-01 00:00:00 | 12.5 |",
        ),
        ("a.pptx", making.slides(["First rain", "then sun"]), PPTX, "First rain\nthen sun"),
    ],
)
def test_a_file_is_read_as_what_it_is(name, data, type, says):
    file = brought(data, name)
    assert (file.type, file.read.get("error")) == (type, None)
    assert text_of(file) == says


def test_a_name_says_nothing_of_what_a_file_is():
    assert brought(making.pdf(["Rain"]), "holiday.png").type == PDF
    assert brought(making.picture(), "report.pdf").type == "image/png"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_has_a_size_and_a_small_one_beside_it(kind):
    file = brought(making.picture(4000, 3000, kind), "photo")
    assert (file.read["width"], file.read["height"]) == (4000, 3000)
    assert path_of(file.hash, "thumbnail").read_bytes().startswith(b"\x89PNG")
    assert path_of(file.hash, "thumbnail").stat().st_size < 100_000


def test_three_hundred_pages_are_three_hundred_parts():
    file = brought(making.pdf([f"This is page {n}." for n in range(1, 301)]), "long.pdf")
    parts = parts_of(file.hash)
    assert (file.read["pages"], len(parts)) == (300, 300)
    assert (parts[299].name, parts[299].text) == ("page 300", "This is page 300.")


BOMB = making.archive({"word/document.xml": b"<a>" + b" " * 250_000_000 + b"</a>"})
ENTITIES = making.archive(
    {
        "word/document.xml": '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    }
)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("bomb.docx", BOMB, "would unpack to 250 MB; at most 200 MB are read"),
        ("laughs.docx", ENTITIES, "declares things of its own, which is not read"),
        ("empty.docx", making.archive({"word/x": "y"}), "is broken and cannot be read"),
        ("broken.pdf", b"%PDF-1.7\nnothing follows", "is no PDF that can be read"),
        ("broken.png", making.picture()[:60], "is no picture that can be read: it is broken"),
        ("wide.png", making.picture(12_000, 5_000), "has 60 megapixels; at most 50 are read"),
    ],
)
def test_what_would_do_harm_or_is_broken_has_a_sentence(name, data, says):
    file = brought(data, name)
    assert says in file.read["error"]
    assert parts_of(file.hash) == []


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (
            "a.zip",
            making.archive({"notes.txt": "x"}),
            "“a.zip” is an archive. Attach what is in it.",
        ),
        ("a.docx", b"PK\x03\x04 and no more", "“a.docx” is broken"),
        ("a.exe", b"MZ\x90\x00\x03", "“a.exe” is a program."),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as docx"),
        ("a.bin", bytes(range(256)), "of a kind that is not read here"),
        ("a.txt", b"", "“a.txt” is empty."),
    ],
)
def test_what_is_none_of_them_is_not_kept(name, data, says):
    with pytest.raises(FileRefused, match="^“") as refused:
        keep(data, name)
    assert says in str(refused.value)
    assert not File.objects.exists()


def test_what_is_too_large_is_not_read_to_its_end(settings):
    settings.FILE_BYTES = 1_000_000
    taken = []

    def pieces():
        for number in range(100):
            taken.append(number)
            yield b"x" * 100_000

    with pytest.raises(FileRefused, match="may have 1 MB"):
        keep(pieces(), "a.txt")
    assert len(taken) == 11


def test_a_picture_that_is_a_page_as_well_is_a_picture_and_an_svg_is_text():
    polyglot = making.picture() + b"<script>alert(1)</script>"
    assert brought(polyglot, "a.html").type == "image/png"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    file = brought(svg, "a.svg")
    assert (file.type, text_of(file)) == (PLAIN, svg.decode())


def test_reading_may_not_take_all_the_time_there_is(settings):
    settings.FILE_SECONDS = 0
    file = brought(b"x" * 100, "a.txt")
    assert "time" in file.read["error"] or "too long" in file.read["error"]


def test_this_process_keeps_its_own_limits():
    before = resource.getrlimit(resource.RLIMIT_AS)
    brought(b"rain", "a.txt")
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_reading_may_not_take_all_the_memory_there_is(monkeypatch):
    monkeypatch.setattr(reading, "MEGABYTES", 160)
    file = brought(making.picture(8_000, 6_000), "large.png")
    assert "memory" in file.read["error"]


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(settings, tmp_path):
    (tmp_path / "files").write_text("no folder")
    settings.FILES_DIR = str(tmp_path / "files")
    with pytest.raises(FileRefused, match="cannot be kept: files have no room here"):
        keep(b"rain", "a.txt")
