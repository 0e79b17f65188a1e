"""`/fusion/projects`: named sets of questions that the team sees, each with its context, its preset
and its budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ... import access
from ...files.attached import described
from ...files.kinds import OFFERED as FILES_OFFERED
from ...fragments.spent import standing_view
from ...models import Project, ProjectFile
from ...models.money import DAY, MONTH
from ...money.amounts import plain
from ...money.standing import standings_of
from ...services.errors import Refused
from ...services.project_files import project_file_add, project_file_remove
from ...services.projects import (
    LONGEST_CONTEXT,
    budgets_of,
    preset_choices,
    project_delete,
    project_save,
)
from ...site.public_url import public_url
from ..attaching import attached_by
from ..search_form import of_project
from ..uploads import AttachedUploads
from .files import download, private_file
from .questions import found_questions

SHOWN = 12  # questions on its page; the history has all of them


def _dollars(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=12, decimal_places=4
    )


class ProjectForm(forms.Form):
    """What else is wrong with it, its service says."""

    name = forms.CharField(required=False)
    context = forms.CharField(required=False, strip=False)
    preset = forms.ChoiceField(required=False)
    per_run = _dollars("A run")
    per_day = _dollars("A day")
    per_month = _dollars("A month")

    def __init__(self, *args: Any, project: Project | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "What one asked with last"), *preset_choices(project)]
        self.fields["preset"].choices = choices  # type: ignore[attr-defined]

    @property
    def budgets(self) -> Sequence[forms.BoundField]:
        return [self[name] for name in ("per_run", "per_day", "per_month")]

    @property
    def has_budget(self) -> bool:
        return any(field.value() not in (None, "") or field.errors for field in self.budgets)


@never_cache
@require_safe
@login_required
def list(request: HttpRequest) -> HttpResponse:
    projects = access.projects_of(request.user).select_related("made_by")
    return render(request, "console/projects/projects.html", {"projects": projects})


@never_cache
@require_safe
@login_required
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    project = access.project_of(request.user, slug)
    assert isinstance(request.user, User)
    found = found_questions(request.user, of_project(project, request.user), SHOWN, None)
    context = {
        "project": project,
        "may_edit": _may_edit(request, project),
        "rows": found.rows,
        "has_more": found.older is not None,
        "preset": dict(preset_choices(project)).get(project.preset, ""),
        "files": [_file(one) for one in project.files.select_related("file")],
        "offered": ",".join(o for o in FILES_OFFERED.split(",") if not o.startswith("image")),
        "of_a_run": "" if (most := project.run_budget_nano) is None else plain(most),
        "standings": [standing_view(one) for one in standings_of(project)],
    }
    return render(request, "console/projects/project.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _save(request, None)
    return _form_page(request, ProjectForm(project=None), None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    project = access.project_editable_by(request.user, slug)
    if request.method == "POST":
        return _save(request, project)
    budgets = {period: _plain(limit) for period, limit in budgets_of(project).items()}
    initial = {
        "name": project.name,
        "context": project.context,
        "preset": project.preset,
        "per_run": _plain(project.run_budget),
        "per_day": budgets.get(DAY),
        "per_month": budgets.get(MONTH),
    }
    return _form_page(request, ProjectForm(initial=initial, project=project), project)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    project = access.project_editable_by(request.user, slug)
    if request.method == "POST":
        project_delete(project=project)
        messages.success(request, f"{project.name} is deleted. Its questions are still there.")
        return redirect("project-list")
    return render(request, "console/projects/delete.html", {"project": project})


@csrf_exempt  # looked at below: a file is read of whom it is known
@require_POST
@never_cache
@login_required
def file_add(request: HttpRequest, slug: str) -> HttpResponse:
    request.upload_handlers = [AttachedUploads(request)]
    return _file_add(request, slug)


@csrf_protect
def _file_add(request: HttpRequest, slug: str) -> HttpResponse:
    project = access.project_editable_by(request.user, slug)
    attached = attached_by(request)
    refused = [*attached.errors]
    for file in attached.files:
        try:
            project_file_add(
                project=project, file=file, by=attached.owner, address_of=public_url("", request)
            )
        except Refused as why:
            refused.append(str(why))
    for sentence in refused or ([] if attached.files else ["Choose a file first."]):
        messages.error(request, sentence)
    return redirect("project-detail", project.slug)


@require_POST
@never_cache
@login_required
def file_remove(request: HttpRequest, slug: str, file_id: int) -> HttpResponse:
    project = access.project_editable_by(request.user, slug)
    file = access.file_of_project(request.user, slug, file_id)
    project_file_remove(file=file)
    messages.success(request, f"“{file.name}” is taken away.")
    return redirect("project-detail", project.slug)


@private_file
@require_safe
@login_required
def file(request: HttpRequest, slug: str, file_id: int) -> HttpResponse:
    row = access.file_of_project(request.user, slug, file_id)
    return download(row.file_id, row.name)


def _file(row: ProjectFile) -> dict[str, Any]:
    told = described(row.file.type, row.file.read)
    return {"pk": row.pk, "name": row.name, "in_words": told, "added_at": row.created_at}


def _may_edit(request: HttpRequest, project: Project) -> bool:
    return project.made_by_id == request.user.pk or access.is_admin(request.user)


def _plain(amount: Any) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"


def _save(request: HttpRequest, project: Project | None) -> HttpResponse:
    assert isinstance(request.user, User)
    form = ProjectForm(request.POST, project=project)
    if form.is_valid():
        try:
            saved = project_save(by=request.user, project=project, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("project-detail", saved.slug)
    return _form_page(request, form, project, status=422)


def _form_page(
    request: HttpRequest, form: ProjectForm, project: Project | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "project": project, "longest": f"{LONGEST_CONTEXT:,}"}
    return render(request, "console/projects/edit.html", context, status=status)
