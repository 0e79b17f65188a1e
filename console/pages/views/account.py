"""Sign in, sign out, and the first admin's claim of the site."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from ...services import people
from ...services.errors import Refused
from ...site import attempts, signed_in
from ..account_forms import ClaimForm, PasswordForm, SignInForm, address_of
from .fragment import by_htmx


class SignIn(LoginView):
    template_name = "console/account/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who asked for a part of a page and is known no more is led here with the whole of it."""
        if by_htmx(request):
            return HttpResponseClientRedirect(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return signed_in.remember(super().form_valid(form))

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return form.in_reply(super().form_invalid(form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "unclaimed": not User.objects.exists(),
            "has_ended": signed_in.has_ended(self.request),
        }


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = signed_in.forget(super().post(request, *args, **kwargs))
        # Drafts of who has left are nobody's; the page clears them, too, where scripts run.
        response["Clear-Site-Data"] = '"storage"'
        return response


sign_in = SignIn.as_view()
sign_out = SignOut.as_view()


class Password(PasswordChangeView):
    """Everybody's own. It ends their sessions elsewhere, not this one."""

    template_name = "console/account/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("console")

    def get_form(self, form_class: Any = None) -> PasswordForm:
        form = cast(PasswordForm, super().get_form(form_class))
        form.address = address_of(self.request)
        return form

    def form_invalid(self, form: PasswordForm) -> HttpResponse:  # type: ignore[override]
        return form.in_reply(super().form_invalid(form))

    def form_valid(self, form: PasswordForm) -> HttpResponse:  # type: ignore[override]
        try:
            response = super().form_valid(form)
        except attempts.TooMany as too_many:
            form.add_error(None, form.limited(too_many))
            return self.form_invalid(form)
        messages.success(self.request, "Your password is changed. Other sessions were ended.")
        return response


password = never_cache(Password.as_view())


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, token: str) -> HttpResponse:
    if not people.claim_is_open(token):
        return _no_claim(request, token)
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with attempts.place_to_hash():
                user = people.claim_use(
                    token=token,
                    username=form.cleaned_data["username"],
                    password=form.cleaned_data["password1"],
                )
        except Refused:
            return _no_claim(request, token)
        except attempts.TooMany as too_many:
            form.add_error(None, form.limited(too_many))
            return form.in_reply(render(request, "console/account/claim.html", {"form": form}))
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return signed_in.remember(redirect("console"))
    return render(request, "console/account/claim.html", {"form": form})


def _no_claim(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has a link that was real is told the way; to anybody else there is no such page."""
    if not people.claim_is_spent(token):
        raise Http404("No such page.")
    return render(request, "console/account/claimed.html", status=410)
