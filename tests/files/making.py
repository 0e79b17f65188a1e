"""Files as people have them and as nobody should, made when they are needed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from PIL import Image

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pdf(pages: Sequence[str], box: str = "0 0 600 800", opens: str = "") -> bytes:
    """A page with a line of text for each, as large as `box`; `opens`: a script of its own."""
    script = f"/OpenAction<</S/JavaScript/JS({opens})>>" if opens else ""
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{script}>>",
        f"<</Type/Pages/Count {len(pages)}/Kids["
        + " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
        + "]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        shown = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        drawn = f"BT /F1 12 Tf 50 700 Td ({shown}) Tj ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]"
            f"/Resources<</Font<</F1 3 0 R>>>>/Contents {5 + 2 * number} 0 R>>"
        )
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{place:010} 00000 n \n".encode() for place in places))
    out.write(f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n".encode())
    out.write(f"startxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def picture(width: int = 40, height: int = 30, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 40)).save(out, kind)
    return out.getvalue()


def archive(members: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("[Content_Types].xml", "<Types/>")
        for name, data in members.items():
            zipped.writestr(name, data)
    return out.getvalue()


def enormous(edge: int) -> bytes:
    """A PNG that says that it is so large, and has nothing to show."""
    data = bytearray(picture())
    data[16:24] = struct.pack(">II", edge, edge)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def bomb(member: str) -> bytes:
    """An Office document of some 250 kB that would be 250 MB."""
    begin = {"word/document.xml": b"<a>"}.get(member, b"<b>")
    out = io.BytesIO(archive({}))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as zipped, zipped.open(member, "w") as to:
        to.write(begin)
        for _ in range(250):
            to.write(b" " * 1_000_000)
    return out.getvalue()


def word(body: str) -> bytes:
    return archive(
        {"word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'}
    )


def paragraph(text: str, style: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t>{text}</w:t></w:r></w:p>"


def table(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def slides(texts: Sequence[str]) -> bytes:
    """Shown in the order of `texts`, and numbered the other way round."""
    count = len(texts)
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(count))
    relations = "".join(
        f'<Relationship Id="rId{n}" Target="slides/slide{count - n}.xml"/>' for n in range(count)
    )
    return archive(
        {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{R}"><p:sldIdLst>{ids}'
            "</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": f"<Relationships>{relations}</Relationships>",
            **{
                f"ppt/slides/slide{count - n}.xml": f'<p:sld xmlns:p="{P}" xmlns:a="{A}">'
                f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>"
                for n, text in enumerate(texts)
            },
        }
    )


def sheet(rows: Sequence[Sequence[object]], title: str = "Costs") -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def scanned(pages: int) -> bytes:
    """A PDF of pictures, without a word of text."""
    drawn = [Image.new("RGB", (600, 800), (240, 240, 250 - n % 200)) for n in range(pages)]
    out = io.BytesIO()
    drawn[0].save(out, "PDF", save_all=True, append_images=drawn[1:])
    return out.getvalue()
