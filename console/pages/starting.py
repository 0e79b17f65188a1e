"""What the compose page starts from: a template with its blanks, or what was asked before.

A form names its template and which version of it its page showed; what stands in a blank comes as
`blank-<its name>`, and the prompt is made of both when it is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.forms import Form
from django.http import Http404, QueryDict

from ..access import Viewer, is_member, prompt_of, prompts_of, run_owned_by
from ..models.prepared import READER, Prepared
from ..services.errors import Refused
from ..services.prompt_text import Blank
from ..services.prompts import Template, asked_before, starter_of, template_of
from ..services.runs import clean_text

GONE = "That template is not there any more. What was filled in stands here as text."
CHANGED = "“{}” was changed meanwhile. Look at it again: what still fits stands in its blanks."
BLANK = "blank-"


@dataclass(frozen=True)
class Words:
    text: str
    blank: None = None


@dataclass(frozen=True)
class BlankField:
    number: int
    blank: Blank
    value: str = field(default="", repr=False)
    error: str = ""

    @property
    def name(self) -> str:
        return BLANK + self.blank.name

    @property
    def place(self) -> str:
        return str(self.number)


@dataclass
class StartedFrom:
    """From a template, as far as its blanks are filled in."""

    template: Template
    values: Mapping[str, str] = field(default_factory=dict)
    # Somebody wants to ask it: what is wrong is said. Or: it is another than was filled in.
    is_checked: bool = False
    is_changed: bool = False

    @property
    def errors(self) -> dict[str, str]:
        return self.template.why_not(self.values)

    @property
    def why_not(self) -> str:
        """Why it cannot be asked; "" where it can."""
        if self.is_changed:
            return CHANGED.format(self.template.name)
        return next(iter(self.errors.values()), "")

    @property
    def prompt(self) -> str:
        return self.template.filled(self.values)

    @property
    def record(self) -> dict[str, Any]:
        return self.template.record(self.values)

    @property
    def offers_example(self) -> bool:
        return bool(self.template.example) and not any(self.values.values())

    @property
    def sentence(self) -> list[Words | BlankField]:
        """Each blank is to be filled in where it comes first; after that it is its name."""
        errors = self.errors if self.is_checked else {}
        fields = {
            b.name: BlankField(n, b, self.values.get(b.name, ""), errors.get(b.name, ""))
            for n, b in enumerate(self.template.blanks)
        }
        sentence: list[Words | BlankField] = []
        for part in self.template.parts:
            if isinstance(part, str):
                sentence.append(Words(part))
            else:
                first = fields.pop(part.name, None)
                sentence.append(first or Words(f"[{part.name}]"))
        return sentence


@dataclass
class Sent:
    """A form as it was sent, with the prompt that its blanks make."""

    data: QueryDict
    started: StartedFrom | None = None
    error: str = ""  # of the prompt

    @property
    def record(self) -> dict[str, Any] | None:
        return self.started.record if self.started else None

    def tell(self, form: Form) -> None:
        """What is wrong with the blanks is what is wrong with the prompt."""
        if self.error:
            form.errors.pop("prompt", None)
            form.add_error("prompt", self.error)


def sent_by(person: Viewer, posted: QueryDict) -> Sent:
    key = posted.get("template", "")
    if not key:
        return Sent(posted)
    data = posted.copy()
    given = {n.removeprefix(BLANK): v for n, v in posted.items() if n.startswith(BLANK)}
    values = {name: clean_text(str(value)).strip() for name, value in given.items()}
    template = template_for(person, key)
    if template is None:
        data["prompt"] = "\n".join(f"{n}: {v}" for n, v in values.items() if v)
        return Sent(data, error=GONE)
    is_changed = posted.get("template_version") != str(template.version)
    started = StartedFrom(template, values, is_checked=True, is_changed=is_changed)
    data["prompt"] = started.prompt
    return Sent(data, started, started.why_not)


def chosen(person: Viewer, what: str) -> tuple[str, StartedFrom | None]:
    """(the prompt, what it is filled in from) of what somebody starts from: `template:<key>`, its
    `example:<key>`, or `run:<id>`, as it was asked. Raises Refused."""
    kind, _, which = what.partition(":")
    if kind == "run":
        return _of_run(person, which)
    template = template_for(person, which)
    if template is None or kind not in ("template", "example"):
        raise Refused("There is no such template here.")
    return "", StartedFrom(template, template.example if kind == "example" else {})


def template_for(person: Viewer, key: str) -> Template | None:
    if starter := starter_of(key):
        return template_of(starter)
    if not (key.isascii() and key.isdecimal() and len(key) < 12):
        return None
    with suppress(Http404, Refused):
        return template_of(prompt_of(person, int(key)))
    return None


def _of_run(person: Viewer, text: str) -> tuple[str, StartedFrom | None]:
    try:
        run = run_owned_by(person, uuid.UUID(text))
    except (ValueError, Http404):
        raise Refused("There is no such run.") from None
    kept = run.template or {}
    template = template_for(person, str(kept.get("key", "")))
    # Of another version, what was asked is its text.
    if template is None or template.version != kept.get("version"):
        return run.prompt, None
    return "", StartedFrom(template, kept.get("values", {}))


@cache
def _templates() -> Prepared:
    return Prepared(prompts_of(User(pk=READER)).defer("text").all)


def start_context(person: User) -> dict[str, Any]:
    """What one may start from."""
    return {
        "templates": _templates().rows(reader=person.pk) if is_member(person) else (),
        "asked": asked_before(person),
    }
