"""Files that a form brings: answers from elsewhere are kept in memory, what is attached goes to
disk, and of one that is too large nothing is kept at all.

Django's own handlers write what is long to disk, or pass it over without a word.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers

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


class AttachedUploads(FileUploadHandler):
    """Of the field `files`; what else there is goes to the handlers behind it."""

    _file: TemporaryUploadedFile | None = None

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        self._file = None
        if field_name != "files":
            return
        self._file = TemporaryUploadedFile(str(self.file_name), "", 0, "")
        self._size = 0
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self._file is None:
            return raw_data
        self._size += len(raw_data)
        if self._size <= settings.FILE_BYTES:
            self._file.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> TemporaryUploadedFile | None:
        file, self._file = self._file, None
        if file is None:
            return None
        file.seek(0)
        file.size = file_size
        file.is_too_large = file_size > settings.FILE_BYTES  # type: ignore[attr-defined]
        return file

    def upload_interrupted(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
