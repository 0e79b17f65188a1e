from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from ..catalog.places import place_choices
from ..engine.spec import MAX_SEATS, short_name
from ..models import Credential, OwnPreset, Preset, PresetPanelist
from ..models.terms import TERMS
from ..pages.form_rows import SeatOptions
from ..services.places import newer_models, places_refilled, places_renewed, unfilled
from ..services.preset_checks import preset_check, preset_findings
from ..services.preset_versions import version_add
from ..services.presets import (
    at_hand,
    preset_duplicate,
    preset_lacks,
    preset_renumber,
    presets_changed,
)
from ..services.wait_for import OFFERED as WAIT_FOR
from ..services.wish import CUSTOM
from .bounded import in_one_line
from .named_models import NamesModels, WithListOfModels

PLACES = (
    "A place is filled from what the keys reach; what stands beside it is what it was filled "
    "with. Strongest means the best line at ordinary prices: what costs several times as much "
    "is for whoever names it."
)


class PanelFormSet(forms.BaseInlineFormSet[PresetPanelist, Preset, Any]):
    default_error_messages = {
        **forms.BaseInlineFormSet.default_error_messages,
        "too_few_forms": "A panel needs at least %(num)d model.",
        "too_many_forms": "A panel has at most %(num)d seats.",
    }


def _place_field(stored: str, *, seats: bool) -> forms.ChoiceField:
    """A place that only a newer version knows may stay."""
    choices = [("", "none: the model named here"), *place_choices(seats=seats)]
    if stored and stored not in dict(choices):
        choices.append((stored, stored))
    return forms.ChoiceField(label="Place to fill", choices=choices, required=False)


def _any_credential() -> Credential | None:
    """Of a place that is still to be filled: what is asked there comes with what fills it."""
    return Credential.objects.order_by("pk").first()


class PanelistForm(SeatOptions):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seat"].required = False
        self.fields["seat"].help_text = "0 is the first column; empty means last."
        self.fields["place"] = _place_field(self.instance.place, seats=True)
        self.fields["credential"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("place"):
            cleaned["credential"] = cleaned.get("credential") or _any_credential()
            return cleaned
        if not cleaned.get("model"):
            self.add_error("model", "Name a model, or choose a place to fill.")
        if not cleaned.get("credential"):
            self.add_error("credential", "Choose whose model it is.")
        return cleaned

    def clean_seat(self) -> int:
        seat = self.cleaned_data["seat"]
        return MAX_SEATS - 1 if seat is None else int(seat)


class PanelInline(NamesModels, admin.StackedInline[PresetPanelist, Preset]):
    model = PresetPanelist
    form = PanelistForm
    formset = PanelFormSet
    verbose_name_plural = "panel"
    extra = 0
    min_num = 1
    max_num = MAX_SEATS
    validate_min = validate_max = True
    fieldsets = [
        (None, {"fields": [("seat", "place"), ("credential", "model"), "label"]}),
        (
            "Options",
            {
                "classes": ["collapse"],
                # Each in its own row: of fields in pairs Django does not see the errors, and
                # would leave them folded away.
                "fields": [
                    *("temperature", "seed", "max_output_tokens", "reasoning_effort"),
                    *("system_prompt", "fallback_model", "fallback_credential"),
                    *TERMS,
                ],
            },
        ),
    ]

    def get_formset(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_formset(*args, **kwargs, validate_min=True, validate_max=True)


class PresetForm(forms.ModelForm[Preset]):
    wait_for = forms.ChoiceField(
        choices=[("", "the usual: everyone"), *WAIT_FOR],
        required=False,
        help_text="Once so many answers are in, the silent have the grace; who writes is waited "
        "for twice as long as those took, a minute at least, and then writes on.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for who, called in (("judge", "Judge"), ("synthesizer", "Writer")):
            stored = getattr(self.instance, f"{who}_place")
            field = _place_field(stored, seats=False)
            field.label = f"{called}'s place"
            self.fields[f"{who}_place"] = field
        # Who writes is called so wherever it is read; columns keep their names.
        for name, one in self.fields.items():
            if name.startswith("synthes"):
                one.label = (
                    str(one.label).replace("Synthesizer", "Writer").replace("Synthesis", "Writer's")
                )
            one.help_text = str(one.help_text).replace("synthesizer", "writer")
        self.fields["judge_credential"].required = False

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug == CUSTOM:
            raise ValidationError("“custom” is the preset people fill in themselves.")
        if OwnPreset.objects.filter(slug=slug).exists():
            raise ValidationError("That name is taken already. Choose another.")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("judge_place"):
            cleaned["judge_credential"] = cleaned.get("judge_credential") or _any_credential()
        else:
            if not cleaned.get("judge_model"):
                self.add_error("judge_model", "Name a model, or choose a place to fill.")
            if not cleaned.get("judge_credential"):
                self.add_error("judge_credential", "Choose whose model it is.")
        names_writer = cleaned.get("synthesizer_model") or cleaned.get("synthesizer_place")
        if cleaned.get("synthesizer_credential") and not names_writer:
            self.add_error("synthesizer_model", "Name the writer's model too.")
        for who in ("judge_fallback", "synthesizer_fallback"):
            if cleaned.get(f"{who}_credential") and not cleaned.get(f"{who}_model"):
                self.add_error(f"{who}_model", "Name the fallback's model too.")
        return cleaned


class PresetList(ChangeList):
    """With what is counted for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        counts = presets_changed()
        at_hand([*self.result_list])
        for preset in self.result_list:
            preset.changed_of_runs = counts.get(preset.slug, (0, 0))


@admin.register(Preset)
class PresetAdmin(WithListOfModels, admin.ModelAdmin[Preset]):
    form = PresetForm
    inlines = [PanelInline]
    list_display = ["name", "slug", "panel", "judge", "position", "enabled", "state", "changed"]
    search_fields = ["name", "slug", "panelists__model", "judge_model"]
    prepopulated_fields = {"slug": ["name"]}
    actions = ["duplicate", "renew"]
    change_form_template = "admin/console/preset/change_form.html"
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", ("position", "enabled")]}),
        (
            "Judge and writer",
            {
                "description": PLACES,
                "fields": [
                    "judge_place",
                    ("judge_model", "judge_credential"),
                    "synthesizer_place",
                    ("synthesizer_model", "synthesizer_credential"),
                    "judge_writes",
                    ("judge_fallback_model", "judge_fallback_credential"),
                    ("synthesizer_fallback_model", "synthesizer_fallback_credential"),
                    "criteria",
                    "shape",
                    "project",
                ],
            },
        ),
        (
            "What is asked of whoever is sent the prompt",
            {
                "classes": ["collapse"],
                "description": "A seat whose server does not promise it falls away on the page, "
                "and makes programs' requests a refusal.",
                "fields": [*TERMS],
            },
        ),
        (
            "Research on the web",
            {
                "classes": ["collapse"],
                "description": "Empty: 3 queries, 6 pages, 45 seconds. Where each seat searches "
                "by itself, they are a seat's, and the seconds are for the tools of one turn.",
                "fields": [
                    "web",
                    ("web_queries", "web_pages", "web_seconds"),
                    "web_claims",
                ],
            },
        ),
        (
            "The very same question",
            {"classes": ["collapse"], "fields": ["reuse_minutes"]},
        ),
        (
            "Policy",
            {
                "classes": ["collapse"],
                "description": "Empty means the usual.",
                "fields": [
                    *("wait_for", "panel_timeout", "quorum", "grace"),
                    *("retries", "repeat_unconfirmed"),
                    *("first_token_timeout", "stall_timeout", "alive_timeout", "total_timeout"),
                    *("max_calls", "max_tokens", "run_budget"),
                    *("analysis_max_output_tokens", "synthesis_max_output_tokens"),
                ],
            },
        ),
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PresetList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Preset]:
        return super().get_queryset(request).prefetch_related("panelists")

    @admin.display(description="panel")
    def panel(self, preset: Preset) -> SafeString:
        return in_one_line(", ".join(short_name(p.model) for p in preset.panelists.all()))

    @admin.display(description="judge", ordering="judge_model")
    def judge(self, preset: Preset) -> SafeString:
        return in_one_line(short_name(preset.judge_model))

    @admin.display(description="changed")
    def changed(self, preset: Preset) -> SafeString:
        """By fusion, of its runs among the newest of the site, as `PresetList` has counted."""
        changed, runs = getattr(preset, "changed_of_runs", (0, 0))
        if not runs:
            return in_one_line("—")
        told = f"Fusion changed the answer in {changed} of {runs} runs"
        return in_one_line(f"{changed / runs:.0%} of {runs}", told)

    @admin.display(description="state")
    def state(self, preset: Preset) -> SafeString:
        found = [finding.sentence for finding in preset_findings([preset])[preset]]
        return in_one_line(preset_lacks(preset) or " ".join(found) or "Ready")

    def save_model(self, request: HttpRequest, obj: Preset, form: Any, change: bool) -> None:
        if change:  # what it was, where that was never written down
            version_add(preset=obj, by=None)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        preset_renumber(preset=form.instance)
        preset = places_refilled(preset=Preset.objects.get(pk=form.instance.pk))
        assert isinstance(request.user, User)
        version_add(preset=preset, by=request.user)
        if empty := unfilled(preset):
            messages.warning(request, empty)
        for offer in newer_models(preset)[preset]:
            messages.info(request, f"{offer.sentence} “Use the newest models” in the list does.")
        # It is saved all the same: a server may know more than it lists.
        if found := preset_check(Preset.objects.get(pk=form.instance.pk)):
            sentences = " ".join(finding.sentence for finding in found)
            messages.warning(request, f"{form.instance.name} is saved. {sentences}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        preset = self.get_object(request, object_id)
        found = preset_findings([preset])[preset] if preset else []
        context = {"findings": found} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description="Use the newest models")
    def renew(self, request: HttpRequest, presets: QuerySet[Preset]) -> None:
        for preset in presets:
            assert isinstance(request.user, User)
            offers = places_renewed(preset=preset, by=request.user)
            names = ", ".join(offer.name for offer in offers)
            done = f"{preset.name} asks {names} now." if names else f"{preset.name}: none is newer."
            messages.success(request, done)

    @admin.action(description="Duplicate")
    def duplicate(self, request: HttpRequest, presets: QuerySet[Preset]) -> HttpResponse | None:
        copies = [preset_duplicate(preset=p) for p in presets]
        for copy in copies:
            self.log_addition(request, copy, "Duplicated.")
        messages.success(request, f"Made {', '.join(c.name for c in copies)}.")
        if len(copies) == 1:
            return redirect("admin:console_preset_change", copies[0].pk)
        return None
