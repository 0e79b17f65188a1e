"""What the compose form has several of: seats, and answers from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from ..engine.spec import MAX_SEATS, letter
from ..models import PresetPanelist
from ..models.presets import MAX_OUTPUT_TOKENS, MAX_SYSTEM_PROMPT
from ..services.brought import AnswerRefused, Brought, name_of_file, read_file
from ..services.runs import clean_text
from ..services.wish import SeatWish


class SeatsWidget(forms.Widget):
    """One input per seat, all of one name."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> list[str]:
        given = data.getlist(name) if isinstance(data, QueryDict) else data.get(name, [])
        return [str(value).strip() for value in given if str(value).strip()]


class SeatsField(forms.Field):
    widget = SeatsWidget

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > MAX_SEATS:
            raise forms.ValidationError(f"A panel has at most {MAX_SEATS} seats.")


class SeatOptions(forms.ModelForm[PresetPanelist]):
    """What is asked of a seat, in a preset or in a panel of one's own."""

    class Meta:
        model = PresetPanelist
        fields = [
            *("temperature", "max_output_tokens", "reasoning_effort"),
            *("system_prompt", "fallback_model", "label", "seed"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["max_output_tokens"].validators += [
            MinValueValidator(1),
            MaxValueValidator(MAX_OUTPUT_TOKENS),
        ]
        self.fields["system_prompt"].validators.append(MaxLengthValidator(MAX_SYSTEM_PROMPT))

    def clean_system_prompt(self) -> str:
        return clean_text(self.cleaned_data["system_prompt"])


@dataclass
class SeatRow:
    """A seat as it is filled in: the name of a model, and its options, as they were `sent` or
    `filled` in beforehand. `error` is what is wrong with the name, `near` what may have been
    meant."""

    seat: int
    model: str = ""
    sent: Mapping[str, Any] | None = field(default=None, repr=False)
    filled: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    near: Sequence[str] = ()
    reason: str = ""  # why it was proposed

    @cached_property
    def options(self) -> SeatOptions:
        """Made when they are looked at: of most forms nobody does."""
        return SeatOptions(self.sent, prefix=f"seat-{self.seat}", initial=self.filled)

    @property
    def letter(self) -> str:
        return letter(self.seat)

    @property
    def is_as_usual(self) -> bool:
        """Sent without any option: then its form is not made, which is dear, to find that out."""
        names = (f"seat-{self.seat}-{name}" for name in SeatOptions.Meta.fields)
        return self.sent is not None and not any(self.sent.get(name) for name in names)

    @property
    def is_open(self) -> bool:
        """What was filled in, and what is wrong with it, is never folded away."""
        if self.options.is_bound:
            return self.options.has_changed()
        return any(field.value() not in (None, "") for field in self.options)

    @property
    def named(self) -> SeatWish:
        """Once the form is valid."""
        if self.is_as_usual:
            return SeatWish(self.model)
        options = dict(self.options.cleaned_data)
        return SeatWish(self.model, fallback=options.pop("fallback_model"), **options)


@dataclass
class AnswerRow:
    """An answer from elsewhere as it is filled in. A file's text is taken into its field, so that
    it is there again where something is wrong. `part` is where `error` lies."""

    number: int
    name: str = ""
    model: str = ""
    text: str = ""
    error: str = ""
    part: str = ""
    brought: Brought | None = None

    @property
    def place(self) -> int:
        return self.number + 1

    @property
    def is_used(self) -> bool:
        return bool(self.name.strip() or self.model.strip() or self.text or self.error)

    def take(self, file: Any) -> None:
        """Raises AnswerRefused."""
        if self.text.strip():
            sentence = f"Answer {self.place} has a text and a file. Leave one of them out."
            raise AnswerRefused(sentence, self.number)
        whole = getattr(file, "whole", None)
        self.text = read_file(number=self.number, name=file.name, size=file.size, read=whole)
        self.name = self.name.strip() or name_of_file(file.name)
