from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("console.urls")),
]
handler400 = "console.api.http.fallback.bad_request"
handler403 = "console.api.http.fallback.permission_denied"
handler404 = "console.api.http.fallback.not_found"
handler500 = "console.api.http.fallback.server_error"
