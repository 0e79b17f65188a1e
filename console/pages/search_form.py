"""What the list of questions is searched and narrowed by. What the form refuses filters nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone

from ..fragments.sentences import run_word
from ..models import Preset, PresetPanelist, Project, Run, Visibility
from ..search import Filters, Query, owner_named, read_query
from ..search.facets import kept_facets, project_named
from ..services.wish import CUSTOM

NEWEST, BEST = "newest", "best"
STATES = [
    ("completed", "answered"),
    *((state, run_word(state)) for state in ("failed", "cancelled")),
    ("open", "under way"),
]
COSTS = [
    ("cents", "below 1 cent"),
    ("dime", "1 to 10 cents"),
    ("dollar", "10 cents to $1"),
    ("more", "$1 and more"),
]
FLAGS = {
    "degraded": "something missing",
    "contradictions": "with contradictions",
    "rulings": "with rulings",
    "best": "best one chosen",
    "star": "starred",
    "archived": "archived",
}
# Shown first; the others stand behind *More* until they are set.
USUAL = ("preset", "model", "person", "tag")


class SearchForm(forms.Form):
    q = forms.CharField(required=False, strip=True)
    order = forms.ChoiceField(
        required=False, choices=[("", "Newest first"), (BEST, "Best of the newest")], label="Order"
    )
    preset = forms.CharField(required=False, max_length=40, widget=forms.Select)
    model = forms.CharField(required=False, max_length=200, label="Model", widget=forms.Select)
    person = forms.CharField(required=False, max_length=150, widget=forms.Select)
    state = forms.ChoiceField(required=False, choices=[("", "any"), *STATES])
    cost = forms.ChoiceField(required=False, choices=[("", "any"), *COSTS])
    tag = forms.CharField(required=False, max_length=40)
    project = forms.CharField(required=False, max_length=40, widget=forms.Select)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        required=False, label="Up to", widget=forms.DateInput(attrs={"type": "date"})
    )
    degraded = forms.BooleanField(required=False, label="Something missing")
    contradictions = forms.BooleanField(required=False, label="With contradictions")
    rulings = forms.BooleanField(required=False, label="With rulings")
    best = forms.BooleanField(required=False, label="Best one chosen")
    star = forms.BooleanField(required=False, label="Starred")
    archived = forms.BooleanField(required=False, label="Archived")

    def offer(self) -> None:
        """What can be chosen, where the fields are shown."""
        presets = [*Preset.objects.values_list("slug", "name"), (CUSTOM, "Custom")]
        models = PresetPanelist.objects.exclude(model="").order_by("model").values_list("model")
        shared = Run.objects.filter(owner=OuterRef("pk"), visibility=Visibility.TEAM)
        people = User.objects.filter(Exists(shared)).order_by("username")
        named = [name for (name,) in models.distinct()]
        projects = [*Project.objects.values_list("slug", "name")]
        if projects or self.data.get("project"):
            self._choose("project", projects)
        else:
            del self.fields["project"]
        self._choose("preset", presets)
        self._choose("model", [(name, name) for name in named])
        self._choose("person", [(name, name) for name in people.values_list("username", flat=True)])

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """With what the address names, whatever there is today."""
        given = str(self.data.get(name, ""))
        more = [] if not given or given in dict(choices) else [(given, given)]
        widget: Any = self.fields[name].widget
        widget.choices = [("", "any"), *choices, *more]


@dataclass(frozen=True)
class Chosen:
    """One filter that is on, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Search:
    form: SearchForm
    query: Query
    filters: Filters
    by_rank: bool
    given: dict[str, str]
    chosen: tuple[Chosen, ...]

    @property
    def is_on(self) -> bool:
        return bool(self.given)

    @property
    def fields(self) -> list[BoundField]:
        """The usual ones, and what is set."""
        return [one for one in self._all if one.name in USUAL or one.name in self.given]

    @property
    def further(self) -> list[BoundField]:
        return [one for one in self._all if one.name not in USUAL and one.name not in self.given]

    @property
    def _all(self) -> list[BoundField]:
        return [one for one in self.form if one.name != "q"]

    @property
    def kept(self) -> str:
        """For the addresses of further pages."""
        return f"{urlencode(self.given)}&" if self.given else ""

    @property
    def newest(self) -> str:
        return urlencode({name: value for name, value in self.given.items() if name != "order"})

    @property
    def best(self) -> str:
        return urlencode(self.given | {"order": BEST})


def read_search(asked: QueryDict, reader: User) -> Search:
    form = SearchForm(asked)
    form.is_valid()
    good = {name: value for name, value in form.cleaned_data.items() if value}
    query = read_query(good.pop("q", ""))
    by_rank = good.pop("order", "") == BEST and bool(query.terms)
    person = owner_named(good["person"]) if "person" in good else None
    since, until = good.get("since"), good.get("until")
    filters = Filters(
        preset=good.get("preset", ""),
        model=good.get("model", ""),
        person=person,
        state=good.get("state", ""),
        cost=good.get("cost", ""),
        since=_midnight(since) if since else None,
        until=_midnight(until, after=1) if until else None,
        degraded="degraded" in good,
        contradictions="contradictions" in good,
        rulings="rulings" in good,
        best="best" in good,
        more=kept_facets(
            reader.pk,
            tag=good.get("tag", ""),
            project=project_named(good["project"]) if "project" in good else None,
            starred="star" in good,
            archived="archived" in good,
        ),
    )
    given = {name: str(asked[name]) for name in good}
    if query.text:
        given = {"q": query.text} | given
    if by_rank:
        given["order"] = BEST
    return Search(form, query, filters, by_rank, given, tuple(_chosen(good, given)))


def _chosen(good: dict[str, Any], given: dict[str, str]) -> list[Chosen]:
    words = {"state": dict(STATES), "cost": dict(COSTS)}
    found = []
    for name, value in good.items():
        said = FLAGS.get(name) or words.get(name, {}).get(value) or str(value)
        if name == "preset":
            said = _preset_name(value)
        if name == "project":
            said = _project_name(value)
        if name in ("since", "until"):
            said = f"{'since' if name == 'since' else 'up to'} {value.day} {value:%b %Y}"
        left = {other: text for other, text in given.items() if other != name}
        found.append(Chosen(said, f"?{urlencode(left)}" if left else "?"))
    return found


def of_project(project: Project, reader: User) -> Search:
    """Its questions, the newest first."""
    filters = Filters(more=kept_facets(reader.pk, project=project.pk))
    return Search(SearchForm(), read_query(""), filters, False, {"project": project.slug}, ())


def _project_name(slug: str) -> str:
    found = Project.objects.filter(slug=slug.replace("\0", "")).values_list("name", flat=True)
    return found.first() or slug


def _preset_name(slug: str) -> str:
    found = Preset.objects.filter(slug=slug).values_list("name", flat=True).first()
    return found or {CUSTOM: "Custom"}.get(slug, slug)


def _midnight(day: date, *, after: int = 0) -> datetime:
    """Of a year that every calendar has days around, in the site's zone."""
    if not 1970 < day.year < 2200:
        day = date(min(max(day.year, 1971), 2199), 6, 15)
    return timezone.make_aware(datetime.combine(day + timedelta(days=after), time()))
