"""Texts that say something, in pieces as long as an answer: none of them is to be stopped.

Installed packages and the system bring prose, licences, code and data of every kind; what
repeats itself for a reason (refrains, tables, rows) is written here.
"""

from __future__ import annotations

import gzip
import json
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = Path(sysconfig.get_paths()["purelib"])
STDLIB = Path(sysconfig.get_paths()["stdlib"])
PIECE, OF_A_FILE = 6000, 60_000

FILES: dict[str, list[tuple[Path, str]]] = {
    "our own docs": [(ROOT, "*.md"), (ROOT / "docs", "*.md"), (ROOT / "tests", "README.md")],
    "docs": [(PACKAGES, f"**/{name}") for name in ("*.md", "*.rst", "*.txt", "METADATA")],
    "licences": [(PACKAGES, "**/LICENSE*"), (PACKAGES, "**/COPYING*")],
    "code": [(PACKAGES / "django", "**/*.py"), (PACKAGES / "pip", "**/*.py"), (STDLIB, "*.py")],
    "scripts and styles": [(PACKAGES, "**/*.js"), (PACKAGES, "**/*.css")],
    "pages": [(PACKAGES, "**/*.html")],
    "JSON": [(PACKAGES, "**/*.json")],
    "SQL": [(ROOT / "tests/data", "**/*.sql")],
    "seventy languages": [(PACKAGES / "django/conf/locale", "*/LC_MESSAGES/django.po")],
    "manuals": [(Path("/usr/share/man"), "man?/*"), (Path("/usr/share/doc"), "**/*")],
}


def pieces(kind: str, most: int) -> Iterator[str]:
    """Of files in an order of their own, the same every time."""
    files = sorted({path for root, pattern in FILES[kind] for path in root.glob(pattern)})
    random.Random(1).shuffle(files)
    count = 0
    for path in files:
        for piece in _pieces_of(path):
            yield piece
            count += 1
            if count == most:
                return


def _pieces_of(path: Path) -> Iterator[str]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, UnicodeDecodeError, EOFError):
        return
    for at in range(0, min(len(text), OF_A_FILE), PIECE):
        if len(piece := text[at : at + PIECE]) >= 300:
            yield piece


def _rows() -> list[dict[str, object]]:
    names = ("Ada", "Bo", "Cy", "Di")
    return [{"id": n, "name": names[n % 4], "city": "Bern", "active": True} for n in range(120)]


def _bottles(n: int) -> str:
    return (
        f"{n} bottles of beer on the wall,\n{n} bottles of beer.\nTake one down, pass it around,\n"
        f"{n - 1} bottles of beer on the wall.\n\n"
    )


GIFTS = ["a partridge in a pear tree", "two turtle doves", "three French hens",
         "four calling birds", "five gold rings", "six geese a-laying", "seven swans a-swimming",
         "eight maids a-milking", "nine ladies dancing", "ten lords a-leaping"]  # fmt: skip
CHORUS = "Oh the wind and the rain on the window pane,\nand it all goes round and round again.\n"
VERSES = ["The baker rose before the sun\nand baked a loaf for everyone.\n",
          "The miller ground the yellow corn\nfrom early on the market morn.\n",
          "The ferryman came home at nine\nwith half a cask of sour wine.\n",
          "The children slept, the cat was fed,\nand someone took the dog to bed.\n"]  # fmt: skip
SAINTS = ["Agnes", "Basil", "Clare", "Denis", "Edith", "Felix", "Giles", "Hilda", "Isaac",
          "Jerome", "Kevin", "Lucy", "Mark", "Nora"]  # fmt: skip

WRITTEN: dict[str, str] = {
    "times tables": "\n".join(
        f"{a} x {b} = {a * b}" for a in range(1, 11) for b in range(1, 11)
    ),
    "one to 199": ", ".join(map(str, range(1, 200))),
    "numbered lines": "\n".join(f"{n}. Item {n}" for n in range(1, 60)),
    "the alphabet": ", ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "song of bottles": "".join(map(_bottles, range(12, 0, -1))),
    "song of gifts": "\n\n".join(
        f"On day {n + 1} of Christmas my true love sent to me\n"
        + ",\n".join(reversed(GIFTS[: n + 1]))
        for n in range(10)
    ),
    "song with a chorus": "\n".join(f"{verse}\n{CHORUS}" for verse in VERSES),
    "a chorus sung twice": "\n".join(f"{verse}\n{CHORUS}\n{CHORUS}" for verse in VERSES),
    "row your boat": "Row, row, row your boat,\nGently down the stream.\nMerrily, merrily, "
    "merrily, merrily,\nLife is but a dream.\n\n" * 2,
    "litany": "\n".join(f"Saint {name}, pray for us." for name in SAINTS),
    "laughter and applause": "Ha ha ha ha ha! That is very, very, very funny. Bravo, bravo, bravo!",
    "nothing but no": "No, no, no, no, no. I said no, and I mean no: no, never, not once.",
    "questions and answers": "\n\n".join(
        f"**Question {n}.** What does the {word} do?\n**Answer.** The {word} holds the {other}."
        for n, (word, other) in enumerate(zip(SAINTS, reversed(SAINTS), strict=True))
    ),
    "log lines": "\n".join(
        f"2026-11-28 09:{n // 60:02}:{n % 60:02} INFO run {n * 7919 % 9973} saved in {n % 13} ms"
        for n in range(150)
    ),
    "log of one error": "\n".join(
        f"09:00:{n:02} ERROR could not connect to db-{n % 3}: connection refused, retrying in {n} s"
        for n in range(40)
    ),
    "CSV": "id,name,city,active\n" + "\n".join(f"{r['id']},{r['name']},Bern,yes" for r in _rows()),
    "CSV of zeros": "\n".join("0,0,0,0,0,0,1,0" for _ in range(80)),
    "JSON": json.dumps(_rows(), indent=2),
    "JSON in a line": json.dumps(_rows()),
    "JSON in a fence": f"```json\n{json.dumps([dict.fromkeys('abcd', None)] * 20, indent=1)}\n```",
    "SQL": "\n".join(
        f"INSERT INTO person (id, name, city) VALUES ({r['id']}, '{r['name']}', 'Bern');"
        for r in _rows()
    ),
    "switch": "switch (code) {\n" + "".join(
        f'  case {n}: return "{name}";\n' for n, name in enumerate(SAINTS * 3)
    ) + "}",
    "code in a fence": "```python\n" + "assert f(0) == 0\n" * 35 + "```",
    "a table": "| Day | Work | Rest |\n|---|---|---|\n" + "| Mon | yes | no |\n" * 35,
    "a table of contents": "\n".join(
        f"{n}  {w} .......... {n * 3}" for n, w in enumerate(SAINTS * 2)
    ),
    "formulas": "\n".join(
        rf"\[ \sum_{{i=1}}^{{{n}}} x_i^2 = x_1^2 + \dots + x_{{{n}}}^2 \]" for n in range(2, 30)
    ),
    "steps": "\n".join(
        f"{n}. Open the {w} file, check the date, save it." for n, w in enumerate(SAINTS)
    ),
    "a chessboard": "\n".join(" ".join("#." [(r + c) % 2] for c in range(8)) for r in range(8)),
    "Chinese": "春天来了,河边的柳树发了芽。孩子们在草地上放风筝,老人们坐在长椅上聊天。"
    "远处的山还有一点雪,近处的田里已经有人在播种。我们沿着小路慢慢走,一边走一边说起去年的事。" * 2,
    "Chinese refrain": "月儿弯弯照九州,几家欢乐几家愁。\n" * 3
    + "几家夫妇同罗帐,几家飘散在他州。\n",
    "Japanese": "春になると、川のほとりの柳が芽を出す。子どもたちは凧を揚げ、"
    "年寄りはベンチで話をする。"
    "遠くの山にはまだ雪が残っているが、畑ではもう種をまく人がいる。",
    "Thai": "ฤดูใบไม้ผลิมาถึงแล้ว ต้นหลิวริมแม่น้ำเริ่มผลิใบ เด็กๆ เล่นว่าวอยู่บนสนามหญ้า",
    "Arabic": "جاء الربيع، وأورقت أشجار الصفصاف على ضفة النهر. يلعب الأطفال بالطائرات الورقية.",
    "a dialogue": "\n".join(
        f"{who}: {line}"
        for who, line in zip("AB" * 6, ["Yes.", "No.", "Why not?", "Because."] * 3, strict=True)
    ),
    "choices": "(A) Paris (B) Rome (C) Bern\nThe answer is (C), since (A) and (B) are abroad.",
    "a long word": "x" * 100_000,
    "a row of dashes": "-" * 5000 + "\n" + "= " * 2000,
}  # fmt: skip
