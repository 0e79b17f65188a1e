from __future__ import annotations

from pathlib import Path

import pytest

from .running import copy_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clean copy, as just cloned."""
    return copy_project(tmp_path / "fusion")
