"""The compose form: what a person asks, and of whom."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict

from ..catalog.names import MAX_NAME
from ..engine.spec import MAX_SEATS
from ..engine.terms import Terms
from ..models import Preset, Visibility
from ..models.terms import TERMS, provider_names
from ..services.brought import AnswerRefused, Brought, brought
from ..services.credentials import can_ask_anybody
from ..services.panel_fill import judge_proposed, panel_proposed
from ..services.policy import CHOICES
from ..services.runs import clean_text
from ..services.wait_for import OFFERED as WAIT_FOR
from ..services.wait_for import REFUSED as WAIT_FOR_REFUSED
from ..services.web import OFF, ON
from ..services.wish import CUSTOM
from .filled import initial_of, names_of, options_of, read_swaps
from .form_rows import AnswerRow, SeatRow, SeatsField

SHAPES_TOLD = [*(Preset._meta.get_field("shape").choices or ())]
VISIBILITIES = [(v.value, v.label) for v in (Visibility.PRIVATE, Visibility.TEAM)]


class ComposeForm(forms.Form):
    prompt = forms.CharField(strip=False, error_messages={"required": "Write a prompt first."})
    preset = forms.ChoiceField(
        error_messages={
            "required": "Choose a preset.",
            "invalid_choice": "That preset is not there any more. Choose another.",
        }
    )
    panel = SeatsField(required=False)
    judge = forms.CharField(required=False, max_length=200)
    synthesizer = forms.CharField(required=False, max_length=200)
    judge_fallback = forms.CharField(required=False, max_length=200)
    synthesizer_fallback = forms.CharField(required=False, max_length=200)
    criteria = forms.CharField(required=False, max_length=2000, strip=False)
    shape = forms.ChoiceField(choices=SHAPES_TOLD, required=False)
    stop_after_panel = forms.BooleanField(required=False)
    judge_writes = forms.BooleanField(required=False)
    zero_retention = forms.BooleanField(required=False)
    no_training = forms.BooleanField(required=False)
    only_local = forms.BooleanField(required=False)
    only_providers = forms.CharField(required=False, max_length=500)
    # Who falls away for that, as the page has told already.
    left_out = forms.CharField(required=False, max_length=2000)
    wait_for = forms.ChoiceField(
        choices=[("", "as the preset says"), *WAIT_FOR],
        required=False,
        error_messages={"invalid_choice": WAIT_FOR_REFUSED},
    )
    # A box that is not ticked sends nothing: that it was there is said beside it.
    web = forms.BooleanField(required=False)
    web_shown = forms.BooleanField(required=False)
    visibility = forms.ChoiceField(choices=VISIBILITIES, required=False)
    project = forms.CharField(required=False, max_length=40)
    client_run_id = forms.UUIDField(required=False)
    # The run that is edited, and whether its answers are taken over.
    reuse_of = forms.UUIDField(required=False)
    reuse = forms.BooleanField(required=False)
    # Whether what is rarely filled in is shown, too.
    shows_all = False
    # Nobody else answers: the preset, or whom one named, only judges and writes.
    answers_alone = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        presets: list[str],
        by: str = "",
        written: Sequence[Sequence[str]] = (),
        filled: Mapping[str, Any] | None = None,
        swaps: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        """`by`: whose name is on the answers from elsewhere. `written`: those that were being
        filled in, as `written` of the form they were sent in says. `filled`: a saved panel that
        Custom is filled with (services/panel_content.py). `swaps`: of seats of presets."""
        self._filled = filled or {}
        initial = initial_of(self._filled) if filled else {}
        super().__init__(*args, **kwargs | {"initial": initial | kwargs.get("initial", {})})
        self._by = by
        sent_swaps = self.data.getlist("swap") if isinstance(self.data, QueryDict) else swaps
        self.swaps = read_swaps(sent_swaps)
        self.answers = [AnswerRow(n, *self._of_answer(n)) for n in range(MAX_SEATS)]
        for number, (name, model, text, error, part) in enumerate(written):
            self.answers[number] = AnswerRow(number, name, model, text, error, part)
        self.answers_error = ""  # of all of them together
        self.fill_error = ""  # of the seats that were to be filled
        self.fields["preset"].choices = [(slug, slug) for slug in presets]  # type: ignore[attr-defined]
        sent = self.data.getlist("panel") if isinstance(self.data, QueryDict) else []
        self.near: dict[str, Sequence[str]] = {}  # field -> what may have been meant there
        # Each where it was filled in: a seat left empty between others keeps its place.
        sent = sent if self.is_bound else names_of(self._filled)
        names = sent if len(sent) <= MAX_SEATS else filter(str.strip, sent)
        padded = [*names, *[""] * MAX_SEATS][:MAX_SEATS]
        self.seats = [self._row(seat, name.strip()) for seat, name in enumerate(padded)]

    def filled_up(self) -> ComposeForm:
        """The same, with a model proposed for each seat of Custom that is still empty, and a
        judge; what is wrong with the rest is said when it is asked."""
        named = [row.model for row in self.named_seats]
        most = self._most_to_fill()
        proposed = panel_proposed(named=named, max_price=most) if not self.fill_error else []
        if not (proposed or self.fill_error):
            under = f" for ${most:g} a million tokens of output" if most is not None else ""
            self.fill_error = f"No other model is listed{under} that may be asked."
        empty = [row for row in self.seats if not row.model]
        for row, one in zip(empty, proposed, strict=False):
            row.model, row.reason = one.name, one.reason
        data = cast(QueryDict, self.data).copy()
        data["preset"] = CUSTOM
        if proposed and not data.get("judge", "").strip():
            panel = [row.model for row in self.named_seats]
            data["judge"] = judge_proposed(panel=panel, max_price=most)
        self.data = data
        return self.unchecked()

    def _most_to_fill(self) -> float | None:
        """Dollars per million tokens of output, as typed beside *Fill the panel*."""
        typed = str(self.data.get("fill_most", "")).strip().lstrip("$").replace(",", ".")
        if not typed:
            return None
        try:
            most = float(typed)
        except ValueError:
            most = -1.0
        if not 0 <= most < math.inf:
            self.fill_error = "A price is a number of dollars, as in 2.50."
            return None
        return most

    def unchecked(self) -> ComposeForm:
        """As it stands: what is wrong with it is said when it is asked."""
        self.errors.clear()
        for row in self.seats:
            row.error = ""
        return self

    def _row(self, seat: int, model: str) -> SeatRow:
        if self.is_bound:
            return SeatRow(seat, model, sent=self.data)
        return SeatRow(seat, model, filled=options_of(self._filled, seat))

    def policy_of(self, name: str) -> Any:
        """What is chosen of a policy, as it was sent or filled in."""
        if self.is_bound:
            return self.data.get(f"policy-{name}", "")
        value = self._filled.get("limits", {}).get(name, "")
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

    def _of_answer(self, number: int) -> tuple[str, str, str]:
        names = ("answer-name", "answer-model", "answer-text")
        sent = (self.data.getlist(n) if isinstance(self.data, QueryDict) else [] for n in names)
        name, model, text = ((values[number : number + 1] or [""])[0] for values in sent)
        return name, model, text

    @property
    def most_characters(self) -> int:
        return int(settings.MAX_PROMPT_CHARACTERS)

    @property
    def has_policy(self) -> bool:
        """Whether anything is chosen of it for this run."""
        if self["wait_for"].value() or self["judge_writes"].value():
            return True
        return any(self.policy_of(choice.name) not in ("", None) for choice in CHOICES)

    @property
    def has_answers(self) -> bool:
        """What was filled in, and what is wrong with it, is never folded away."""
        return bool(self.answers_error) or any(row.is_used for row in self.answers)

    def written(self) -> list[list[str]]:
        """The answers from elsewhere as they are filled in, checked no further than their files."""
        for row in self.answers:
            try:
                if file := self.files.get(f"answer-file-{row.number}"):
                    row.take(file)
            except AnswerRefused as refused:
                row.error, row.part = str(refused), refused.part
        used = max((row.place for row in self.answers if row.is_used), default=0)
        return [[r.name, r.model, r.text, r.error, r.part] for r in self.answers[:used]]

    @property
    def brought(self) -> list[Brought]:
        """Once the form is valid."""
        return [row.brought for row in self.answers if row.brought]

    @property
    def is_without_models(self) -> bool:
        """Nobody is to answer but who has answered elsewhere."""
        data = self.cleaned_data
        return bool(self.brought) and (
            data["answers_alone"] or (data["preset"] == CUSTOM and not data["panel"])
        )

    @property
    def named_seats(self) -> list[SeatRow]:
        return [row for row in self.seats if row.model]

    @property
    def terms(self) -> Terms:
        """Once it has been looked through."""
        data = self.cleaned_data
        return Terms(
            only_local=data.get("only_local", False),
            zero_retention=data.get("zero_retention", False),
            no_training=data.get("no_training", False),
            only_providers=provider_names(data.get("only_providers", "")),
        )

    @property
    def chosen_web(self) -> str:
        """Once the form is valid; "" where it was not to be chosen."""
        data = self.cleaned_data
        return (ON if data["web"] else OFF) if data["web_shown"] else ""

    @property
    def asks_terms(self) -> bool:
        return any(self[name].value() for name in TERMS)

    def clean_criteria(self) -> str:
        return clean_text(self.cleaned_data["criteria"]).strip()

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"]
        limit = settings.MAX_PROMPT_CHARACTERS
        if not prompt.strip():
            raise forms.ValidationError("Write a prompt first.")
        if len(prompt) > limit:
            raise forms.ValidationError(
                f"The prompt has {len(prompt):,} characters; {limit:,} are allowed."
            )
        return prompt

    def clean_visibility(self) -> str:
        return self.cleaned_data["visibility"] or Visibility.PRIVATE.value

    def clean_client_run_id(self) -> str:
        return str(self.cleaned_data["client_run_id"] or uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._read_answers()
        has_answers = bool(self.brought)
        if has_answers and self.data.get("preset", "") == "":
            # On a page that offers no preset, since nobody can be asked yet.
            self.errors.pop("preset", None)
            data["preset"] = CUSTOM
        if data.get("preset") == CUSTOM:
            if not (data.get("panel") or has_answers) and "panel" not in self.errors:
                self.add_error("panel", f"Name 1 to {MAX_SEATS} models for the panel.")
            if not (data.get("judge") or self._needs_no_judge(data)) and "judge" not in self.errors:
                self.add_error("judge", "Name the model that judges the answers.")
            self._check_options()
        return data

    def _needs_no_judge(self, data: Mapping[str, Any]) -> bool:
        """Texts that stand side by side, since that is all that was asked, or all there can be."""
        is_alone = data.get("answers_alone") or not data.get("panel")
        if not (self.brought and is_alone) or data.get("synthesizer"):
            return False
        return bool(data.get("stop_after_panel")) or not can_ask_anybody()

    def _read_answers(self) -> None:
        for row in self.answers:
            file = self.files.get(f"answer-file-{row.number}")
            if not (file or row.is_used):
                continue
            try:
                if file:
                    row.take(file)
                row.brought = brought(
                    number=row.number, name=row.name, text=row.text, model=row.model, by=self._by
                )
            except AnswerRefused as refused:
                row.error, row.part = str(refused), refused.part
                self.add_error(None, f"Look at answer {row.place} from elsewhere.")

    def _check_options(self) -> None:
        for row in self.seats:
            if len(row.model) > MAX_NAME:
                self.point_at_name(row, f"A model's name has at most {MAX_NAME} characters.")
            if row.is_as_usual:
                continue
            if not row.options.is_valid():
                self.point_at_options(row)
            elif row.options.has_changed() and not row.model:
                self.add_error(None, f"Seat {row.letter} has options, but no model.")

    def point_at_name(self, row: SeatRow, sentence: str, near: Sequence[str] = ()) -> None:
        row.error, row.near = sentence, near
        self.add_error(None, f"Look at the model of seat {row.letter}.")

    def point_at_options(self, row: SeatRow) -> None:
        self.add_error(None, f"Look at the options of seat {row.letter}.")
