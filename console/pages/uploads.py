"""Files that a form brings: kept in memory, and of one that is too large nothing at all.

Django's own handlers write what is long to disk, or pass it over without a word.
"""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from ..services.brought import largest_file


class UploadedText(SimpleUploadedFile):
    """`size` is what was sent; `whole` is None where that was more than is read."""

    def __init__(self, name: str, content: bytes | None, size: int) -> None:
        super().__init__(name, content or b"")
        self.whole, self.size = content, size


class TextFiles(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._pieces: list[bytes] = []
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size <= largest_file():
            self._pieces.append(raw_data)
        else:
            self._pieces.clear()

    def file_complete(self, file_size: int) -> UploadedText:
        is_whole = self._size <= largest_file()
        whole = b"".join(self._pieces) if is_whole else None
        return UploadedText(str(self.file_name), whole, file_size)
