"""Static files under addresses that carry a hash of what is in them.

A page names its scripts and styles by these, its modules through an import map
(`templatetags/modules.py`). So a page of one version gets files of that version or none, never
some of each, and a browser keeps what it has for good. The files are those that the finders
find: no collecting stands between a clone and a page. With DEBUG they go by their plain names,
as Django's own hashed files do. Fonts, which style sheets name, have plain names always: another
font has another name, so a browser keeps them for good as well.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from servestatic.middleware import ServeStaticMiddleware

FONTS = "console/fonts/"


@dataclass(frozen=True)
class Version:
    """A file as it was when this process began."""

    name: str  # with the hash, as its address has it
    path: str
    stamp: tuple[int, int]

    def is_still_there(self) -> bool:
        try:
            return _stamp(self.path) == self.stamp
        except OSError:
            return False


class VersionedStatics(StaticFilesStorage):
    @cached_property
    def versions(self) -> Mapping[str, Version]:
        """By plain name."""
        return {name: _version(name, path) for name, path in _found().items()}

    @cached_property
    def _urls(self) -> dict[str, str]:
        """Of the versions, by plain name: a page names sixty, and they never change."""
        url = super().url
        return {name: url(version.name) for name, version in self.versions.items()}

    def url(self, name: str | None) -> str:
        known = None if settings.DEBUG else self._urls.get(name or "")
        return known or super().url(name)

    def kept(self, what: tuple[str, ...], make: Callable[[], str]) -> str:
        """What names many of them, made once; of files that may change it is made each time."""
        if settings.DEBUG:
            return make()
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    @cached_property
    def _made(self) -> dict[tuple[str, ...], str]:
        return {}

    def names(self) -> list[str]:
        return sorted(_found() if settings.DEBUG else self.versions)

    def post_process(
        self, paths: Mapping[str, Any], dry_run: bool = False, **_: Any
    ) -> Iterator[tuple[str, str, bool]]:
        """`collectstatic`, for a server of files in front: each under both its names."""
        for name in paths if not dry_run else ():
            version = self.versions[name].name
            self.delete(version)
            with self.open(name) as file:
                self.save(version, file)
            yield name, version, True


class Statics(ServeStaticMiddleware):
    """Serves each file found by both its names; that with the hash may be kept for good."""

    versions: Mapping[str, Version] = {}  # by address

    def add_files_from_finders(self) -> None:
        super().add_files_from_finders()
        if settings.DEBUG:
            return
        self.versions = {
            f"{self.static_prefix}{version.name}": version
            for version in versioned_statics().versions.values()
        }
        for url, version in self.versions.items():
            self.files[url] = self.get_static_file(version.path, url)

    def immutable_file_test(self, path: str, url: str) -> bool:
        is_font = url.startswith(f"{self.static_prefix}{FONTS}")
        return is_font or bool(super().immutable_file_test(path, url))

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """What an upgrade has put under a running server is not what the address promises."""
        version = self.versions.get(request.path_info)
        if version and not version.is_still_there():
            return cast(HttpResponseBase, await self.get_response(request))
        return cast(HttpResponseBase, await super().__call__(request))


def versioned_statics() -> VersionedStatics:
    """The storage that the settings name."""
    return cast(VersionedStatics, staticfiles_storage)


def _found() -> dict[str, str]:
    """Names and paths; of two files with one name the first found is it, as everywhere."""
    files: dict[str, str] = {}
    for finder in finders.get_finders():
        for path, storage in finder.list(None):
            prefix = getattr(storage, "prefix", None)
            name = path.replace("\\", "/")
            files.setdefault(f"{prefix}/{name}" if prefix else name, storage.path(path))
    return files


def _version(name: str, path: str) -> Version:
    stamp = _stamp(path)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
    root, extension = os.path.splitext(name)
    return Version(f"{root}.{digest}{extension}", path, stamp)


def _stamp(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size
