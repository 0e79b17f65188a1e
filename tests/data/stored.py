"""A stored site: a folder that holds everything an installation of that day had kept.

`site.sqlite3.sql` and `site.postgres.sql.gz` are the same rows, `logs.json` the event logs of runs
under way (Redis key -> entries), `evaluation/` its tasks and results, `facts.json` what a test
must know: keys, passwords, tokens, sessions, and of every run what should become of it.
What is different each time, and what would be long, stands as `@@name@@`.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from redis import Redis

from tests.upstream import Upstream

HERE = Path(__file__).resolve().parent


def stored_sites() -> list[StoredSite]:
    return [StoredSite(folder) for folder in sorted(HERE.glob("site-*"))]


@dataclass(frozen=True)
class StoredSite:
    folder: Path

    @cached_property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        return facts

    @property
    def _postgres(self) -> Path:
        return self.folder / "site.postgres.sql.gz"

    @property
    def has_postgres(self) -> bool:
        return self._postgres.exists()

    def into_sqlite(self, file: Path, upstream: Upstream) -> None:
        """Into a file that is not there yet."""
        said = placed(upstream) | shorthand(self.facts["prompts"])
        connection = sqlite3.connect(file)
        connection.executescript(filled_in(self._read("site.sqlite3.sql"), said))
        connection.close()

    def into_postgres(self, url: str, upstream: Upstream) -> None:
        """Into an empty database."""
        import psycopg

        sql = filled_in(gzip.decompress(self._postgres.read_bytes()).decode(), placed(upstream))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def into_redis(self, url: str) -> None:
        logs: dict[str, list[tuple[str, dict[str, str]]]] = json.loads(self._read("logs.json"))
        with Redis.from_url(url) as redis:
            for key, entries in logs.items():
                for entry_id, fields in entries:
                    redis.xadd(key, dict(fields), id=entry_id)

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def placed(upstream: Upstream) -> dict[str, str]:
    """Where the site's credential finds its models. Without a path: its secret is bound to that."""
    return {"@@upstream@@": upstream.url.removesuffix("/v1")}


def shorthand(prompts: Mapping[str, str]) -> dict[str, str]:
    """The prompts, of which every run keeps a copy, as JSON within SQL."""
    return {
        f"@@prompt {name}@@": json.dumps(text)[1:-1].replace("'", "''")
        for name, text in prompts.items()
    }


def filled_in(text: str, said: Mapping[str, str]) -> str:
    for name, truth in said.items():
        text = text.replace(name, truth)
    return text


def shortened(text: str, said: Mapping[str, str]) -> str:
    for name, truth in said.items():
        text = text.replace(truth, name)
    return text
