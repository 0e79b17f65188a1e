"""From what was fetched to its title and its text, whatever it is made to do to its reader."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.text import storable
from .client import Fetched, NotFetched

PROCESS = Path(__file__).with_name("in_a_process.py")
MEMORY = 1 << 30
LONGEST_TITLE = 200
AT_ONCE = 2  # processes of one worker: what they do is computing

_FAILED = {
    "memory": "The page needs more memory than its reader is given.",
    "locked": "The PDF is locked with a password.",
}
_UNREADABLE = "No text could be read out of it."


@dataclass(frozen=True)
class PageText:
    """`pages` of a PDF, None of anything else. `left_out`: how many words of the page are no part
    of its text (menus, adverts, comments)."""

    title: str
    text: str
    pages: int | None = None
    left_out: int = 0
    is_cut: bool = False


@dataclass
class Reader:
    seconds: float = 20
    longest: int = 400_000  # characters of a text
    memory: int = MEMORY

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, page: Fetched) -> PageText:
        """Raises NotFetched."""
        async with self._places:
            found = await self._in_a_process(page)
        if failure := found.get("failure"):
            raise NotFetched(_FAILED.get(failure, _UNREADABLE))
        text = _tidy(found["text"])
        if not text:
            raise NotFetched(_UNREADABLE)
        title = " ".join(storable(found["title"]).split())[:LONGEST_TITLE]
        left_out = max(0, found.get("seen", 0) - len(text.split()))
        is_cut = len(text) > self.longest
        return PageText(title, text[: self.longest], found.get("pages"), left_out, is_cut)

    async def _in_a_process(self, page: Fetched) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(PROCESS),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            limit=1 << 20,
        )
        asked = {
            "type": page.type,
            "charset": page.charset,
            "address": page.address,
            "memory": self.memory,
            "seconds": max(1, round(self.seconds)),
            "most": self.longest,
        }
        try:
            async with asyncio.timeout(self.seconds):
                said, _ = await process.communicate(json.dumps(asked).encode() + b"\n" + page.body)
            found = json.loads(said)
            assert isinstance(found, dict)
            return found
        except TimeoutError:
            return {"failure": "time"}
        except (ValueError, OSError):  # it was ended before it could say anything
            return {"failure": "ended"}
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _tidy(text: str) -> str:
    lines = (re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in storable(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
