"""Why a file is not taken, as one sentence for whoever attached it."""

from __future__ import annotations


class FileRefused(Exception):
    pass
