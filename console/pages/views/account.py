"""Sign in, sign out, and the first admin's claim of the site."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.core.cache import caches
from django.core.exceptions import ValidationError
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
from .fragment import by_htmx

ATTEMPTS_ALLOWED = 10
ATTEMPTS_REMEMBERED = 10 * 60  # seconds


class SignInForm(AuthenticationForm):
    """After ten failures a name is not tried any further from that address."""

    error_messages = {
        "invalid_login": "That username and password do not match an account.",
        "inactive": "That username and password do not match an account.",
    }

    def clean(self) -> dict[str, Any]:
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return super().clean()  # nothing was tried: neither a failure nor a success
        key, cache = self._key(), caches["attempts"]
        # Counted before the password is looked at, so that many at once gain nothing.
        cache.add(key, 0, ATTEMPTS_REMEMBERED)
        try:
            attempts = cache.incr(key)
        except ValueError:
            attempts = 1  # forgotten between the two lines
        if attempts > ATTEMPTS_ALLOWED:
            raise ValidationError("Too many attempts. Wait ten minutes and try again.", "limited")
        cleaned = super().clean()
        cache.delete(key)
        return cleaned

    def _key(self) -> str:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        name = self.cleaned_data.get("username", "").casefold()
        return "sign-in:" + hashlib.sha256(f"{address}\n{name}".encode()).hexdigest()


class SignIn(LoginView):
    template_name = "console/account/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who asked for a part of a page and is known no more is led here with the whole of it."""
        if by_htmx(request):
            return HttpResponseClientRedirect(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"unclaimed": not User.objects.exists()}


sign_in = SignIn.as_view()
sign_out = LogoutView.as_view()


class PasswordForm(PasswordChangeForm):
    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your present password.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Present password"


class Password(PasswordChangeView):
    """Everybody's own. It ends their sessions elsewhere, not this one."""

    template_name = "console/account/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("console")

    def form_valid(self, form: PasswordForm) -> HttpResponse:  # type: ignore[override]
        messages.success(self.request, "Your password is changed. Other sessions were ended.")
        return super().form_valid(form)


password = never_cache(Password.as_view())


class ClaimForm(UserCreationForm[User]):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, autocomplete in (("username", "username"), ("password1", "new-password")):
            self.fields[name].widget.attrs["autocomplete"] = autocomplete


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, token: str) -> HttpResponse:
    if not people.claim_is_open(token):
        raise Http404("No such page.")
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = people.claim_use(
                token=token,
                username=form.cleaned_data["username"],
                password=form.cleaned_data["password1"],
            )
        except Refused:
            raise Http404("No such page.") from None
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("console")
    return render(request, "console/account/claim.html", {"form": form})
