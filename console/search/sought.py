"""What a database is asked, before it is put in its own words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .queries import Term


@dataclass(frozen=True)
class Sought:
    """Every term, one of some facets and all of others, of entries with numbers from `since` and
    below `before`."""

    terms: tuple[Term, ...]
    one_of: tuple[str, ...]
    all_of: tuple[str, ...] = ()
    since: int | None = None
    before: int | None = None

    def older_than(self, entry: int) -> Sought:
        return replace(self, before=entry)

    @property
    def bounds(self) -> tuple[str, list[int]]:
        sql, given = "", list[int]()
        if self.since is not None:
            sql, given = f"{sql} AND {{id}} >= %s", [*given, self.since]
        if self.before is not None:
            sql, given = f"{sql} AND {{id}} < %s", [*given, self.before]
        return sql, given
