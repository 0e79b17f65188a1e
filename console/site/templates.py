"""Templates as they are sent: without the indentation that whoever writes them needs, which is
a fourteenth of a run's page. What a template shows of anybody's text is not touched: only its own
lines are, when it is loaded."""

from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import filesystem

_INDENTATION = re.compile(r"\n[ \t]+")


class Loader(filesystem.Loader):
    def get_contents(self, origin: Origin) -> str:
        return _INDENTATION.sub("\n", super().get_contents(origin))
