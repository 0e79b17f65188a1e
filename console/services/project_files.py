"""Files of a project: added, looked up by the research of its runs, and taken away."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum

from ..engine.spec import Research, Spec
from ..files.kinds import is_picture
from ..files.reading import parts_of
from ..models import Project, ProjectFile
from ..search.of_files import forget_files, index_file
from .attaching import ToAttach
from .errors import Refused
from .wish import DIRECT

MOST = 100


def looked_into(spec: Spec, project: Project | None) -> Spec:
    """As a run in it is asked: where it has files they are looked into, also without the web. Of
    a single model that is passed through nothing is looked up."""
    is_asked = spec.preset != DIRECT and bool(spec.asked)
    has_files = project is not None and is_asked and project.files.exists()
    if has_files and spec.research is None:
        return replace(spec, research=Research(way="files"))
    if not has_files and spec.research and spec.research.way == "files":
        return replace(spec, research=None)  # of one that goes on from a run in a project
    return spec


def project_file_add(
    *, project: Project, file: ToAttach, by: User, address_of: str = ""
) -> ProjectFile:
    """One that has been brought (`services.attaching.file_bring`). `address_of`: this site's, as
    whoever adds it has reached it. Raises Refused."""
    if is_picture(file.type):
        raise Refused(f"“{file.name}” is a picture: there are no words in it to look up.")
    parts = parts_of(file.hash)
    if not any(part.text.strip() for part in parts):
        raise Refused(f"“{file.name}” has no text that can be looked up.")
    with transaction.atomic():
        if Project.objects.select_for_update().filter(pk=project.pk).first() is None:
            raise Refused("The project was deleted meanwhile.")
        its = ProjectFile.objects.filter(project=project)
        if its.filter(file=file.hash).exists():
            raise Refused(f"“{file.name}” is there already.")
        if its.count() >= MOST:
            raise Refused(f"A project has at most {MOST} files.")
        size = its.aggregate(size=Sum("file__size"))["size"] or 0
        if size + file.size > settings.PROJECT_FILES_BYTES:
            most = settings.PROJECT_FILES_BYTES / 1e6
            raise Refused(f"A project's files have at most {most:,.0f} MB together.")
        row = its.create(project=project, file_id=file.hash, name=file.name, added_by=by)
        row.address = f"{address_of}/fusion/projects/{project.slug}/files/{row.pk}"[:500]
        row.save(update_fields=["address"])
        index_file(row.pk, project.pk, [part.text for part in parts], row.created_at)
    return row


def project_file_remove(*, file: ProjectFile) -> None:
    """What runs have read of it stays theirs."""
    with transaction.atomic():
        forget_files([file.pk])
        file.delete()
