"""URL name = view function = template = test module, by one word."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from .views import account, console, health, keys, runs

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="console")),
    # /fusion
    path("fusion", console.console, name="console"),
    path("fusion/", RedirectView.as_view(pattern_name="console")),
    path("fusion/runs", runs.list, name="run-list"),
    path("fusion/runs/<uuid:run_id>", runs.detail, name="run-detail"),
    path("fusion/runs/<uuid:run_id>/cancel", runs.cancel, name="run-cancel"),
    path("fusion/runs/<uuid:run_id>/share", runs.share, name="run-share"),
    path("fusion/shared/<str:token>", runs.shared, name="run-shared"),
    path("fusion/keys", keys.keys, name="keys"),
    # people
    path("sign-in", account.sign_in, name="sign-in"),
    path("sign-out", account.sign_out, name="sign-out"),
    path("claim/<str:token>", account.claim, name="claim"),
    # machines
    path("v1/", include("console.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", health.robots, name="robots"),
]
