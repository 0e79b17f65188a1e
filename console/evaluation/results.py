"""The results file: one JSON object a line, each added as its step ends.

The first line says what is evaluated and names the evaluation; runs are found
again by that name. A line cut off by a sudden end is dropped when the file is
opened again: its run is found by its step all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import IO, Any

Entry = dict[str, Any]

# What must be the same for results to belong together.
_IDENTITY = {
    "tasks": "other tasks",
    "preset": "another preset",
    "grader": "another grader",
}


class BadResults(Exception):
    """The file cannot be gone on with; the message is one plain sentence."""


class Results:
    """Steps done so far, by name. Open in one process at a time; raises BadResults."""

    def __init__(self, path: Path, header: Entry) -> None:
        self.path = path
        self.header: Entry = {}
        self.steps: dict[str, Entry] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("a+b", buffering=0)
        except OSError as error:
            raise BadResults(f"{path} cannot be written: {error.strerror or error}.") from None
        try:
            self._lock()
            self._load()
            if not self.header:
                self.header = {"evaluation": str(uuid.uuid4())} | header
                self._append(self.header)
            self._check(header)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadResults(f"Another evaluate is writing to {self.path}.") from None

    def _load(self) -> None:
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file.readlines(), 1):
            if not line.endswith(b"\n") and number > 1:
                break
            try:
                entry = json.loads(line)
                if number == 1:
                    self.header = {"evaluation": entry["evaluation"]} | entry
                else:
                    self.steps[entry["step"]] = entry
            except (ValueError, KeyError, TypeError):
                raise BadResults(f"{self.path}, line {number}: this is no result.") from None
            whole += len(line)
        self._file.truncate(whole)

    def _check(self, header: Entry) -> None:
        for name, what in _IDENTITY.items():
            if self.header.get(name) != header[name]:
                raise BadResults(
                    f"{self.path} holds results of {what}. Name another file with --out."
                )

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, step: str, **data: Any) -> None:
        self.steps[step] = {"step": step} | data
        self._append(self.steps[step])

    def _append(self, entry: Entry) -> None:
        left = (json.dumps(entry, ensure_ascii=True) + "\n").encode()
        whole = self._file.seek(0, os.SEEK_END)
        try:
            while left:  # where room ends, less is written than was asked
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(whole)
            raise BadResults(
                f"{self.path} cannot be written: {error.strerror or error}. "
                "Start again when it can be, to go on; nothing is bought twice."
            ) from None
