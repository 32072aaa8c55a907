"""Readers and their sign-ins in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import UserCreationForm as BaseUserCreationForm
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import DERIVED, PEOPLE, AuthSession, AuthSessionQuerySet, User
from bookbridge.api import counters
from bookbridge.api.text import identifier_key


class EndsSignIns:
    """A password form of the admin: a new password ends every sign-in, as it does in the API."""

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        """As Django's, writing the password alone."""
        super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]
        if commit:
            user.save_password()
        return user


class PasswordForm(EndsSignIns, AdminPasswordChangeForm):
    """Staff give a reader a new password."""


class OwnPasswordForm(EndsSignIns, AdminOwnPasswordChangeForm):
    """Staff change their own."""


admin.site.password_change_form = OwnPasswordForm


class NewUserForm(UserCreationForm, BaseUserCreationForm):  # type: ignore[type-arg]
    """The theme's form, for this project's readers."""

    class Meta:
        model = User
        fields = ("username",)


class UserForm(UserChangeForm):
    """The theme's form, for this project's readers."""

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Readers: found by name or address, shut out or let in, never listed by a full count."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ("username", "display_name", "email", "email_verified", "is_staff", "is_active", "joined_at")
    list_filter = ("is_staff", "is_active", "email_verified", "language")
    search_fields = ("username_key",)  # what is searched is in get_search_results
    search_help_text = _("Beginnings of words of a name, or of an e-mail address up to its “@” at least")
    ordering = ("-joined_at", "-id")
    show_full_result_count = False
    readonly_fields = ("joined_at", "last_login", "reviews_count")
    actions = ("end_sessions",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Profile"), {"fields": ("display_name", "bio", "language", "timezone", "reviews_count")}),
        (_("E-mail"), {"fields": ("email", "email_verified")}),
        (_("Rights"), {"fields": ("is_active", "suspended_until", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    filter_horizontal = ("groups",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """By an index in both cases, however many readers there are."""
        if "@" in search_term:
            return queryset.filter(email_key__startswith=identifier_key(search_term)), False
        return (queryset.search(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write what was changed and nothing else: counters and passwords move meanwhile."""
        columns = {field.name for field in User._meta.concrete_fields} & set(form.changed_data)
        obj.save(update_fields=[*columns, *DERIVED] if change else None)
        if not change or "is_active" in columns:
            obj.count(+1 if obj.is_active else -1)
        counters.moved(PEOPLE)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Count it off; the admin's own transaction is around it."""
        obj.delete()
        if obj.is_active:
            obj.count(-1)
        counters.moved(PEOPLE)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """One after the other, all or none."""
        with transaction.atomic():
            for user in queryset:
                self.delete_model(request, user)

    @admin.action(description=_("End all sign-ins"))
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Their tokens are refused from the next request on."""
        ended = AuthSession.objects.filter(user__in=queryset).end()
        self.message_user(request, _("%(ended)d sign-ins ended.") % {"ended": ended})


@admin.register(AuthSession)
class AuthSessionAdmin(ModelAdmin):
    """Sign-ins: looked at and ended here, never made or edited; token ids are not shown."""

    list_display = ("id", "user", "device", "created_at", "last_used_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__username_key__startswith",)
    search_help_text = _("Beginning of a username")
    list_select_related = ("user",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("user", "device", "created_at", "last_used_at", "expires_at", "ended_at")
    actions = ("end",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a sign-in makes one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing of it is editable."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The row recognises stolen tokens; `clear_expired` deletes it in time."""
        return False

    @admin.action(description=_("End these sign-ins"), permissions=["view"])
    def end(self, request: HttpRequest, queryset: AuthSessionQuerySet) -> None:
        """Their tokens are refused from the next request on."""
        ended = queryset.end()
        self.message_user(request, _("%(ended)d sign-ins ended.") % {"ended": ended})
