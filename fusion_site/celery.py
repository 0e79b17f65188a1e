from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from . import memory, own_modules_last

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
# A worker would have Django's checks made, which load every page and the API, and pass over what
# they find. They are made where a site is prepared: by `migrate` and by `check --deploy`.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("fusion_site")
own_modules_last()  # it has put the working directory first
app.config_from_object("django.conf:settings", namespace="CELERY")
# By name: the task stands in a room of the app, where Celery does not look by itself.
app.autodiscover_tasks(["console.worker"])


@worker_ready.connect
def look_for_garbage(**_: Any) -> None:
    memory.look_for_garbage()
