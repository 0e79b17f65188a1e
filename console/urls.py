"""A URL's name ends in its view's: `run-cancel` is `pages/views/runs.py::cancel`, tested in
`tests/console/test_run_cancel.py` or beside what it acts on; a page's templates are its folder's.
"""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from .api.http.base import nothing_here_view
from .live import views as live
from .pages.views import (
    account,
    budgets,
    compare,
    console,
    exports,
    files,
    first,
    fusions,
    health,
    imports,
    keys,
    own_presets,
    presets,
    receipts,
    runs,
    servers,
    sharing,
    sources,
    tokens,
    verdicts,
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="console")),
    # /fusion
    path("fusion", console.console, name="console"),
    path("fusion/", RedirectView.as_view(pattern_name="console")),
    path("fusion/first/key", first.key, name="first-key"),
    path("fusion/sample/remove", first.sample_away, name="sample-away"),
    path("fusion/runs", runs.list, name="run-list"),
    path("fusion/import", imports.import_runs, name="run-import"),
    path("fusion/files", files.bring, name="file-bring"),
    path("fusion/files/text", files.text, name="file-text"),
    path("fusion/runs/under-way", runs.under_way, name="runs-under-way"),
    path("fusion/runs/<uuid:run_id>", runs.detail, name="run-detail"),
    path("fusion/runs/<uuid:run_id>/frames", live.frames, name="run-frames"),
    path("fusion/runs/<uuid:run_id>/compare", compare.compare, name="run-compare"),
    path("fusion/runs/<uuid:run_id>/export", exports.export, name="run-export"),
    path("fusion/runs/<uuid:run_id>/receipt.csv", receipts.receipt, name="run-receipt"),
    path("fusion/runs/<uuid:run_id>/files/<int:number>", files.of_run, name="file-of-run"),
    path(
        "fusion/runs/<uuid:run_id>/files/<int:number>/thumbnail",
        files.thumbnail,
        name="file-thumbnail",
    ),
    path("fusion/runs/<uuid:run_id>/sources/<int:number>", sources.source, name="run-source"),
    path("fusion/runs/<uuid:run_id>/cancel", runs.cancel, name="run-cancel"),
    path("fusion/runs/<uuid:run_id>/share", sharing.share, name="run-share"),
    path("fusion/runs/<uuid:run_id>/verdict", verdicts.verdict, name="run-verdict"),
    path("fusion/runs/<uuid:run_id>/fuse-now", fusions.fuse_now, name="run-fuse-now"),
    path("fusion/runs/<uuid:run_id>/fuse", fusions.fuse, name="run-fuse"),
    path("fusion/runs/<uuid:run_id>/go-on", fusions.go_on, name="run-go-on"),
    path("fusion/runs/<uuid:run_id>/fusions/<int:number>/poll", fusions.poll, name="fusion-poll"),
    path("fusion/runs/<uuid:run_id>/follow", fusions.follow, name="run-follow"),
    path("fusion/runs/<uuid:run_id>/seats", fusions.seat_add, name="seat-add"),
    path("fusion/runs/<uuid:run_id>/seats/<int:seat>/stop", fusions.seat_stop, name="seat-stop"),
    path("fusion/runs/<uuid:run_id>/seats/<int:seat>/ask", fusions.seat_ask, name="seat-ask"),
    path("fusion/presets", own_presets.list, name="preset-list"),
    path("fusion/presets/new", own_presets.new, name="preset-new"),
    path("fusion/presets/<slug:slug>/edit", own_presets.edit, name="preset-edit"),
    path("fusion/presets/<slug:slug>/delete", own_presets.delete, name="preset-delete"),
    path("fusion/presets/<slug:slug>/offer", own_presets.offer, name="preset-offer"),
    path("fusion/presets/<slug:slug>/copy", own_presets.copy, name="preset-copy"),
    path("fusion/presets/<slug:slug>/versions", own_presets.versions, name="preset-versions"),
    path("fusion/presets/<slug:slug>/mend", presets.mend, name="preset-mend"),
    path("fusion/shared/<str:token>", runs.shared, name="run-shared"),
    path("fusion/shared/<str:token>/frames", live.shared_frames, name="shared-frames"),
    path("fusion/shared/<str:token>/compare", compare.shared_compare, name="shared-compare"),
    path("fusion/shared/<str:token>/export", exports.shared_export, name="shared-export"),
    path("fusion/presets/<slug:slug>/renew", presets.renew, name="preset-renew"),
    path("fusion/keys", keys.keys, name="keys"),
    path("fusion/servers", servers.servers, name="servers"),
    path("fusion/budgets", budgets.budgets, name="budgets"),
    path("fusion/budgets.csv", budgets.budgets_file, name="budgets-file"),
    path("fusion/tokens", tokens.tokens, name="tokens"),
    path("fusion/tokens/<int:token_id>/revoke", tokens.revoke, name="token-revoke"),
    # people
    path("sign-in", account.sign_in, name="sign-in"),
    path("sign-out", account.sign_out, name="sign-out"),
    path("password", account.password, name="password"),
    path("claim/<str:token>", account.claim, name="claim"),
    # machines
    path("v1", nothing_here_view),
    path("v1/", include("console.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", health.robots, name="robots"),
]
