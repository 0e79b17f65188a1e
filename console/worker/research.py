"""Who searches for a run: the web, where it was wished for, and the files of its project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.urls import reverse

from ..engine.pool import NotRead, PageRead
from ..files.excerpts import excerpt, in_words
from ..files.reading import parts_of
from ..models import ProjectFile
from ..research.researcher import SiteResearcher
from ..search.of_files import find_in_files

FILES = "the project's files"
TOKENS = 12_000  # of one file that are read for a run, of the parts that fit its queries best
LOST = "The file is not there any more."


class RunResearcher(SiteResearcher):
    """Of a run in a project, its files are found first; a file is a source like a page, with the
    parts of it that the queries ask for."""

    def __init__(
        self,
        run_id: Any,
        attempt: int,
        db: Any,
        project_id: int | None,
        *,
        web: bool,
        queries: Sequence[str] = (),
    ) -> None:
        """`queries` that another worker has asked for it before."""
        super().__init__(run_id, attempt, db)
        self._project_id, self._has_web = project_id, web
        self._files: dict[str, ProjectFile] | None = None
        self._found: set[str] = set()  # addresses of files, which no page is read from
        self._queries = [*queries]
        if project_id is not None and not web:
            self.engine, self.price = FILES, Decimal(0)

    async def search(self, query: str, count: int) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        if self._project_id is not None:
            self._queries.append(query)
            found = await self.db(_files_found, self._project_id, query, count)
            self._found |= {one["url"] for one in found}
        if not self._has_web:
            return found
        try:
            pages = await super().search(query, count)
        except NotRead:
            if found:
                return found
            raise
        # In turn, so that neither leaves the other no room.
        return [one for pair in zip_longest(found, pages) for one in pair if one]

    async def read(self, url: str) -> PageRead:
        if self._files is None:
            self._files = await self.db(_files_of, self._project_id)
        if (file := self._files.get(url)) is None:
            if url in self._found or not self._has_web:
                raise NotRead(LOST)
            return await super().read(url)
        parts = await asyncio.to_thread(parts_of, file.file_id)
        if not parts:
            raise NotRead(LOST)
        said = await asyncio.to_thread(excerpt, parts, "\n".join(self._queries), TOKENS)
        title = f"{file.name}, {in_words(said.names)}" if said.names else file.name
        return PageRead(url, title, said.text, file.file_id, file.file.read.get("pages"))


def address(file: ProjectFile) -> str:
    """By which it is cited and looked at. Not for the loop: the first who asks reads all
    addresses in."""
    if settings.BASE_URL:
        path = reverse("project-file", args=[file.project.slug, file.pk])
        return f"{settings.BASE_URL}{path}"
    return file.address


def _files_of(project_id: int | None) -> dict[str, ProjectFile]:
    if project_id is None:
        return {}
    its = ProjectFile.objects.filter(project=project_id).select_related("file", "project")
    return {address(file): file for file in its}


def _files_found(project_id: int, query: str, count: int) -> list[dict[str, str]]:
    """The likeliest first, each once, as a search tells pages."""
    order = list(dict.fromkeys(one.file for one in find_in_files(project_id, query, 4 * count)))
    rows = ProjectFile.objects.filter(pk__in=order).select_related("file", "project")
    known = rows.in_bulk()
    files = [known[pk] for pk in order if pk in known][:count]
    return [{"url": address(file), "title": file.name} for file in files]
