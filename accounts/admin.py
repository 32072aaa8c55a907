"""Readers and their sign-ins in the admin."""

from collections.abc import Collection
from functools import partial
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import UserCreationForm as BaseUserCreationForm
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.authentication import caller
from accounts.departure import depart, shut
from accounts.models import DERIVED, PEOPLE, AuthSession, AuthSessionQuerySet, Leaving, User
from accounts.names import LANGUAGES
from accounts.staff.models import SecondFactor
from accounts.staff.roles import ROLES
from bookbridge.api import counters
from bookbridge.api.admin.base import LookingAdmin, QuickAdmin
from bookbridge.api.admin.filters import of_people
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
class UserAdmin(BaseUserAdmin, QuickAdmin):  # type: ignore[misc, type-arg]
    """Readers: found by name or address, shut out or let in, never listed by a full count."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ("username", "display_name", "email", "email_verified", "is_staff", "is_active", "joined_at")
    list_filter = ("is_staff", "is_active", "email_verified", "language")
    search_fields = ("username_key",)  # what is searched is in get_search_results
    search_help_text = _("A name, or an e-mail address up to its @")
    ordering = ("-joined_at", "-id")  # type: ignore[misc]
    # Suspended are readers at the desk, for a reason that they are told.
    readonly_fields = ("joined_at", "last_login", "reviews_count", "picture", "suspended_until")
    actions = ("end_sessions", "end_suspensions", "remove_avatars", "reset_second_factor")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Profile"), {"fields": ("display_name", "bio", "language", "timezone", "picture", "reviews_count")}),
        (_("E-mail"), {"fields": ("email", "email_verified")}),
        (_("Rights"), {"fields": ("is_active", "suspended_until", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    # Two boxes side by side are wider than the page.
    filter_horizontal = ()

    @admin.display(description=_("picture"))
    def picture(self, user: User) -> str | None:
        """Its address."""
        return user.avatar_url

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """By an index in both cases, however many readers there are."""
        if "@" in search_term:
            return queryset.filter(email_key__startswith=identifier_key(search_term)), False
        return (queryset.search(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A box to tick for each role: there are few."""
        field: Any = super().formfield_for_manytomany(
            db_field, request, **kwargs, widget=UnfoldAdminCheckboxSelectMultipleWidget()
        )
        if db_field.name == "groups":
            field.label_from_instance = _called
        return field

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Languages by their names."""
        if db_field.name == "language":
            kwargs["choices"] = [*LANGUAGES.items()]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write what was changed and nothing else: counters and passwords move meanwhile."""
        columns = {field.name for field in User._meta.concrete_fields} & set(form.changed_data)
        obj.save(update_fields=[*columns, *DERIVED] if change else None)
        if not change or "is_active" in columns:
            obj.count(+1 if obj.is_active else -1)
        counters.moved(PEOPLE)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """As its reader would close it; shut in the admin's own transaction, and gone after it."""
        shut(obj, reviews=Leaving.ANONYMISE)
        # What fails there is finished by `clear_expired`.
        transaction.on_commit(partial(depart, obj), robust=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """One after the other, all or none."""
        with transaction.atomic():
            for user in queryset.order_by("pk"):
                self.delete_model(request, user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The readers alone: what is theirs goes, stays without them or passes to others as they depart."""
        names = [str(user) for user in objs]
        missing = (
            {User._meta.verbose_name} if any(not self.has_delete_permission(request, user) for user in objs) else set()
        )
        return names, {User._meta.verbose_name_plural: len(names)}, missing, []

    @admin.action(description=_("End all sign-ins"), permissions=["sessions"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Their tokens are refused from the next request on."""
        ended = AuthSession.objects.filter(user__in=_managed(request, queryset)).end()
        self.message_user(request, _("Sign-ins ended: %(ended)d.") % {"ended": ended})

    @admin.action(description=_("End their suspensions"), permissions=["sessions"])
    def end_suspensions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For what cannot be undone at the desk, where the case is gone."""
        suspended = [user for user in _managed(request, queryset) if user.is_suspended]
        for user in suspended:
            user.suspend(None, by=caller(request))
        self.message_user(request, _("Suspensions ended: %(ended)d.") % {"ended": len(suspended)})

    @admin.action(description=_("Reset the second factor"), permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """They are out at once, and set up another app at their next sign-in."""
        managed = _managed(request, queryset)
        reset = sum(SecondFactor.objects.reset(user, by=request.user.pk) for user in managed)
        self.message_user(request, _("Second factors reset: %(reset)d.") % {"reset": reset})

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Who appoints staff."""
        return request.user.has_perm("accounts.appoint_staff")

    def has_sessions_permission(self, request: HttpRequest) -> bool:
        """Who may change readers here."""
        return request.user.has_perm("accounts.change_user")

    def has_pictures_permission(self, request: HttpRequest) -> bool:
        """Who may change readers here, or decides about what they show."""
        return request.user.has_perm("accounts.change_user") or request.user.has_perm("moderation.decide")

    @admin.action(description=_("Remove pictures"), permissions=["pictures"])
    def remove_avatars(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For pictures that nobody should have to see."""
        for user in _managed(request, queryset.exclude(avatar="")):
            user.change_avatar("")
        self.message_user(request, _("The pictures are removed."))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff's accounts are changed by who appoints them."""
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff's accounts are deleted by who appoints them."""
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody raises themselves: rights are given by who appoints staff, all of them by who has all."""
        fixed = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fixed.append("is_superuser")
        if not request.user.has_perm("accounts.appoint_staff"):
            fixed += ["is_staff", "groups"]
        return fixed


def _may_manage(request: HttpRequest, other: User | None) -> bool:
    return other is None or caller(request).may_manage(other)


def _managed(request: HttpRequest, users: QuerySet[User]) -> list[User]:
    """Those of them on whose accounts whoever asks may act."""
    return [user for user in users if _may_manage(request, user)]


DEEDS = {"view": _("View"), "add": _("Add"), "change": _("Change"), "delete": _("Delete")}


def kind(permission: Permission) -> str:
    """What a permission is about, in the reader's language."""
    return capfirst(permission.content_type.name)


def deed(permission: Permission) -> str:
    """What a permission allows, in the reader's language: its name is stored in English."""
    return str(DEEDS.get(permission.codename.partition("_")[0]) or gettext(permission.name))


def _called(group: Group) -> str:
    """A role's name in the reader's language, another group's as it is."""
    return gettext(group.name)


class GroupAdmin(QuickAdmin):
    """Roles, whose rights stand in the code, and further groups, which superusers make."""

    list_display = ("called",)
    sortable_by = ("called",)
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("rights",)
    beside = ("permissions__content_type",)

    @admin.display(description=_("name"), ordering="name")
    def called(self, group: Group) -> str:
        """In the reader's language."""
        return _called(group)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rights in new bundles are given by who has all."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """What a role may is decided in the code."""
        return bool(request.user.is_superuser) and (obj is None or obj.name not in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """A role would come back."""
        return self.has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        """The rights to tick, or to read."""
        return ["name", "permissions" if self.has_change_permission(request, obj) else "rights"]

    @admin.display(description=_("rights"))
    def rights(self, group: Group) -> SafeString:
        """A line for each kind that has a page here: nothing asks for the others."""
        shown = [given for given in group.permissions.all() if given.content_type.model_class() in self._pages]
        lines = ((about, ", ".join(map(deed, given))) for about, given in groupby(shown, kind))
        return format_html_join(mark_safe("<br>"), "{}: {}", lines)

    @property
    def _pages(self) -> Collection[type[Model]]:
        return self.admin_site._registry.keys()

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """With the kinds of the permissions, which stand in what they are called."""
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        types = ContentType.objects.get_for_models(*self._pages).values()
        kwargs["queryset"] = Permission.objects.filter(content_type__in=types).select_related("content_type")
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.label_from_instance = lambda permission: f"{kind(permission)}: {deed(permission)}"
        return field


admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)


@admin.register(AuthSession)
class AuthSessionAdmin(LookingAdmin):
    """Sign-ins: looked at and ended here; token ids are not shown.

    None is deleted here: the row recognises stolen tokens, and `clear_expired` deletes it in time.
    """

    list_display = ("id", "user", "device", "created_at", "last_used_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("id",)
    search_help_text = _("Beginning of a username")
    beside = ("user",)
    fields = ("user", "device", "created_at", "last_used_at", "expires_at", "ended_at")
    actions = ("end",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By an index."""
        return (of_people(queryset, "user", search_term) if search_term.strip() else queryset), False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Who may change readers here."""
        return request.user.has_perm("accounts.change_user")

    @admin.action(description=_("End these sign-ins"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: AuthSessionQuerySet) -> None:
        """Their tokens are refused from the next request on."""
        users = User.objects.filter(pk__in=queryset.values("user"))
        ended = queryset.filter(user__in=_managed(request, users)).end()
        self.message_user(request, _("Sign-ins ended: %(ended)d.") % {"ended": ended})
