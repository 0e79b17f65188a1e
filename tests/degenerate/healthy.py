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


def _table(head: str, *rows: str) -> str:
    lines = [head, "|".join(["---"] * (head.count("|") + 1)), *rows]
    return "Here it is:\n\n" + "\n".join(f"| {line} |" for line in lines)


# Tables and lists whose first cells, or whole rows, stand there again for a reason.
TOLD_AGAIN: dict[str, str] = {
    "rows in groups": _table("Continent | Country | Capital", *(
        f"{continent} | {country}"
        for continent, countries in {
            "Europe": ("France | Paris", "Italy | Rome", "Spain | Madrid", "Norway | Oslo"),
            "Asia": ("Japan | Tokyo", "India | Delhi", "Nepal | Kathmandu"),
            "Africa": ("Kenya | Nairobi", "Ghana | Accra", "Egypt | Cairo"),
        }.items()
        for country in countries
    )),
    "groups named once": _table("Continent | Country", "Europe | France", " | Italy", " | Spain",
        "Asia | Japan", " | India", " | Nepal"),
    "groups of figures": _table("Plan | Seats", *(
        f"{plan} | {seats}" for plan in ("Small", "Large") for seats in (1, 2, 5, 10, 20, 50)
    )),
    "yes and no": _table("Tool | Free | Offline", *(
        f"{name} | {'Yes' if n % 2 else 'No'} | {'No' if n % 3 else 'Yes'}"
        for n, name in enumerate(SAINTS)
    )),
    "yes and no alone": _table("Expected | Found", *(
        f"{'Yes' if n % 2 else 'No'} | {'No' if n % 3 else 'Yes'}" for n in range(14)
    )),
    "a truth table": _table("A | B | A and B", "T | T | T", "F | T | F", "T | F | F", "F | F | F"),
    "a truth table in words": _table("Rain | Sun | Rainbow", *(
        f"{a} | {b} | {str(a and b).lower()}".lower()
        for _ in range(2) for b in (True, False) for a in (True, False)
    )),
    "a truth table of figures": _table("a | b | c", *(
        f"{a} | {b} | {a & b}" for _ in range(3) for b in (0, 1) for a in (0, 1)
    )),
    "Monday thrice": _table("Day | Time | Lesson", *(
        f"{day} | {hour}:00 | {lesson}"
        for hour, lesson in ((8, "Maths"), (10, "Music"), (13, "Sport"))
        for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    )),
    "a plan of four weeks": _table("Day | Run", *(
        f"{day} | {km + week} km" if km else f"{day} | Rest"
        for week in range(4) for day, km in (("Monday", 5), ("Wednesday", 8), ("Friday", 0))
    )),
    "two weeks alike": _table("Tag | Training", *(
        f"{day} | {what}" for _ in range(2) for day, what in zip(
            ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
            ("Laufen", "Ruhe", "Schwimmen", "Ruhe", "Laufen", "Rad", "Ruhe"), strict=True)
    )),
    "rest between exercises": _table("Exercise | For", *(
        row for name in ("Squats", "Push-ups", "Plank", "Lunges", "Crunches", "Burpees")
        for row in (f"{name} | 30 s", "Rest | 15 s")
    )),
    "who says what": _table("Who | Says", "Guest | A table for two?", "Waiter | This way, please.",
        "Guest | What is good today?", "Waiter | The trout.", "Guest | Then trout.",
        "Waiter | Twice?", "Guest | Yes.", "Waiter | Gladly.", "Guest | Thank you."),
    "quarters by region": _table("Region | Quarter | Sales", *(
        f"{region} | Q{quarter} | {quarter * 100 + len(region)}"
        for quarter in range(1, 5) for region in ("North", "South", "East", "West")
    )),
    "years by region": _table("Region | Year | Sales", *(
        f"{region} | {year} | {year - 1900}"
        for year in range(2019, 2026) for region in ("North", "South", "East")
    )),
    "years by party": _table("Year | Party | Seats", *(
        f"{year} | {('Reds', 'Blues')[year % 2]} | {year - 1700}" for year in range(2001, 2012)
    )),
    "measured at times": _table("Sensor | Taken | Degrees", *(
        f"{sensor} | {hour}:30 | {hour + 11}"
        for hour in range(6, 12) for sensor in ("Cellar", "Attic", "Garden")
    )),
    "rounds by player": _table("Player | Round | Points", *(
        f"{name} | {n} | {n * 7919 % 31}" for n in range(1, 7) for name in ("Anna", "Bert", "Carl")
    )),
    "sizes by plan": _table("Plan | Seats", *(
        f"{plan} | {seats}" for seats in (1, 2, 5, 10, 20, 50) for plan in ("Small", "Large")
    )),
    "matches played": _table("Round | Result | Points", *(
        f"{n} | {('Win', 'Loss', 'Win')[n % 3]} | {(3, 0, 3)[n % 3]}" for n in range(1, 15)
    )),
    "coins tossed": _table("Toss | Side", *(
        f"{n} | {'Heads' if n * n % 7 < 3 else 'Tails'}" for n in range(1, 21)
    )),
    "sizes by colours": _table("Colour | Size | Price", *(
        f"{colour} | {size} | 19.90"
        for size in ("Small", "Medium", "Large") for colour in ("Red", "Blue", "Green", "Black")
    )),
    "all at one price": _table("Item | Price", *(f"{name}'s cake | 3.50 €" for name in SAINTS)),
    "marks by letter": _table("Grade | Points", *(f"{'ABAC'[n % 4]} | {n % 4}" for n in range(16))),
    "chords": "\n".join(["| Cmaj7 | Am7 | Dm7 | G7 |"] * 3 + ["| Cmaj7 | F | G7 | C |"]),
    "a table in Chinese": _table("洲 | 国家", "欧洲 | 法国", "欧洲 | 意大利", "亚洲 | 日本",
        "亚洲 | 印度", "非洲 | 肯尼亚", "欧洲 | 西班牙"),
    "a key to a test": "\n".join(f"{n}. {'True' if n % 3 else 'False'}" for n in range(1, 16)),
    "a key in a table": _table("Question | Answer", *(
        f"{n} | {'True' if n % 2 else 'False'}" for n in range(1, 16)
    )),
    "knitting": "\n".join(f"{n}. {'Knit across.' if n % 2 else 'Purl across.'}"
        for n in range(1, 11)),
    "steps that come again": "\n".join(f"{n}. {step}" for n, step in enumerate((
        "Fold the dough over once.", "Let it rest for 30 minutes.", "Fold the dough over again.",
        "Let it rest for 30 minutes.", "Shape a round loaf.", "Let it rest for 30 minutes.",
        "Bake it at 230 degrees.", "Let it cool on a rack."), 1)),
    "the same under each": "\n".join(f"- {day}\n  - Walk for half an hour\n  - Drink water\n"
        "  - Go to bed early" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                                         "Saturday", "Sunday")),
    "meals of a week": "\n".join(f"Day {n}:\n- Breakfast: a bowl of porridge\n- Lunch: "
        "bread and some cheese\n- Dinner: vegetable soup" for n in range(1, 6)),
    "steps with code": "\n".join(f"{n}. Run this command now:\n   ```sh\n   make part-{n}\n   ```"
        for n in range(1, 10)),
    "nothing found": "\n\n".join(f"## {name}\n\n- None" for name in SAINTS),
    "rooms and windows": "\n".join(f"- **{room}**: {n % 3 + 1} windows" for n, room in enumerate(
        ("Kitchen", "Bath", "Hall", "Study", "Cellar", "Attic", "Pantry"))),
    "rows of a list in code": "```yaml\n" + "- role: reader of the books\n" * 12 + "```",
}  # fmt: skip

WRITTEN: dict[str, str] = TOLD_AGAIN | {
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
