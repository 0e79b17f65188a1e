"""Who searches for a run: the web, where it was wished for, and the files of its project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.urls import reverse

from ..engine.errors import Reason
from ..engine.pool import NotRead, PageRead, SearchHits
from ..files.excerpts import excerpt, in_words
from ..files.reading import parts_of
from ..models import ProjectFile
from ..money.asking import Denied, Payer
from ..money.searching import search_hold, search_settle
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
        payer: Payer,
        attempt: int,
        db: Any,
        *,
        web: bool,
        queries: Sequence[str] = (),
    ) -> None:
        """`queries` that another worker has asked for it before."""
        super().__init__(payer.run_id, attempt, db)
        self._payer, self._project_id, self._has_web = payer, payer.project_id, web
        self._files: dict[str, ProjectFile] | None = None
        self._found: set[str] = set()  # addresses of files, which no page is read from
        self._queries = [*queries]
        if self._project_id is not None and not web:
            self.engine = FILES

    async def search(self, query: str, count: int) -> SearchHits:
        found: list[dict[str, str]] = []
        if self._project_id is not None:
            self._queries.append(query)
            found = await self.db(_files_found, self._project_id, query, count)
            self._found |= {one["url"] for one in found}
        if not self._has_web:
            return SearchHits(found)
        try:
            pages = await self._search_the_web(query, count)
        except NotRead as why:
            if found:
                return SearchHits(found, lacks=why)
            raise
        # In turn, so that neither leaves the other no room.
        hits = [one for pair in zip_longest(found, pages.hits) for one in pair if one]
        return SearchHits(hits, pages.cost)

    async def _search_the_web(self, query: str, count: int) -> SearchHits:
        """One that is stopped before its engine has answered stays held: nobody knows whether it
        is billed, and who gives back what is left takes it for that."""
        if not self.price:
            return await super().search(query, count)
        asked = (self._payer, self.attempt)
        held = await self.db(search_hold, *asked, self.engine, self.price)
        if isinstance(held, Denied):
            raise NotRead(held.sentence, Reason.BUDGET_EXCEEDED)
        try:
            found = await super().search(query, count)
        except NotRead:
            await self.db(search_settle, *asked, held, Decimal(0))
            raise
        await self.db(search_settle, *asked, held, found.cost)
        return found

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
