"""Admin of users, groups and sessions."""

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
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.authentication import current_user
from accounts.deletion import deactivate, erase
from accounts.models import DERIVED_FIELDS, USERS_VERSION, AuthSession, AuthSessionQuerySet, ReviewsOnDeletion, User
from accounts.roles import ROLES
from accounts.two_factor.models import TOTPDevice
from accounts.validators import LANGUAGES
from core.admin.base import LargeTableModelAdmin, ReadOnlyModelAdmin
from core.admin.filters import filter_by_username_prefix
from core.counters.versions import bump_versions
from core.search.normalize import normalize_identifier


class RevokeSessionsMixin:
    """Password form that revokes every session of the user, as the API does."""

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]
        if commit:
            user.save_password()
        return user


class ResetPasswordForm(RevokeSessionsMixin, AdminPasswordChangeForm):
    """Sets the password of another user."""


class ChangeOwnPasswordForm(RevokeSessionsMixin, AdminOwnPasswordChangeForm):
    """Changes one's own password."""


admin.site.password_change_form = ChangeOwnPasswordForm


class AdminUserCreationForm(UserCreationForm, BaseUserCreationForm):  # type: ignore[type-arg]
    """The theme's creation form for this project's user model."""

    class Meta:
        model = User
        fields = ("username",)


class AdminUserChangeForm(UserChangeForm):
    """The theme's change form for this project's user model."""

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(BaseUserAdmin, LargeTableModelAdmin):  # type: ignore[misc, type-arg]
    """Admin of users."""

    form = AdminUserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = ResetPasswordForm
    list_display = ("username", "display_name", "email", "email_verified", "is_staff", "is_active", "joined_at")
    list_filter = ("is_staff", "is_active", "email_verified", "language")
    search_fields = ("username_key",)  # shows the search box; `get_search_results` does the search
    search_help_text = _("A name, or an e-mail address with its @")
    ordering = ("-joined_at", "-id")  # type: ignore[misc]
    # Users are suspended by moderation decisions, which state a reason.
    readonly_fields = (
        "joined_at",
        "last_login",
        "reviews_count",
        "avatar_image",
        "suspended_until",
        "password_link",
        "language_name",
    )
    actions = ("end_sessions", "lift_suspensions", "remove_avatars", "reset_two_factor")
    fieldsets = (
        (None, {"fields": ("username", "password_link")}),
        (_("Profile"), {"fields": ("display_name", "bio", "language", "timezone", "avatar_image", "reviews_count")}),
        (_("E-mail"), {"fields": ("email", "email_verified")}),
        (_("Permissions"), {"fields": ("is_active", "suspended_until", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    # The default pair of select boxes is wider than the page.
    filter_horizontal = ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show the language by its name, and no password, to staff who may only look."""
        fieldsets: Any = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        names = {"language": ("language_name",), "password_link": ()}
        return [
            (title, {**options, "fields": [n for name in options["fields"] for n in names.get(name, (name,))]})
            for title, options in fieldsets
        ]

    @admin.display(description=_("language"))
    def language_name(self, user: User) -> str:
        return LANGUAGES.get(user.language, user.language)

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> SafeString:
        """Return the link to the form that sets a password; its hash and parameters are not shown."""
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Set password"))

    @admin.display(description=_("avatar"))
    def avatar_image(self, user: User) -> str | None:
        return user.avatar_url

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        # Both branches use an index.
        if "@" in search_term:
            return queryset.filter(email_key__startswith=normalize_identifier(search_term)), False
        return (queryset.search(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_manytomany(
            db_field, request, **kwargs, widget=UnfoldAdminCheckboxSelectMultipleWidget()
        )
        if db_field.name == "groups":
            field.label_from_instance = _group_name
        return field

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "language":
            kwargs["choices"] = [*LANGUAGES.items()]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        # Save only the changed fields: counters and passwords may have changed since the form was loaded.
        columns = {field.name for field in User._meta.concrete_fields} & set(form.changed_data)
        # Of two concurrent changes of `is_active` to the same value, only the first one counts.
        others = User.objects.filter(pk=obj.pk).exclude(is_active=obj.is_active)
        is_counted = others.update(is_active=obj.is_active) if change and "is_active" in columns else not change
        obj.save(update_fields=[*columns, *DERIVED_FIELDS] if change else None)
        if is_counted:
            obj.update_user_count(+1 if obj.is_active else -1)
        bump_versions(USERS_VERSION)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        # Deactivated in the admin's transaction and erased after its commit.
        deactivate(obj, reviews=ReviewsOnDeletion.ANONYMIZE)
        # `prune_expired` finishes a deletion that fails here.
        transaction.on_commit(partial(erase, obj), robust=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with transaction.atomic():
            for user in queryset.order_by("pk"):
                self.delete_model(request, user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Related objects are handled by the receivers of `account_deleted`, so only the users are listed.
        names = [str(user) for user in objs]
        missing = (
            {User._meta.verbose_name} if any(not self.has_delete_permission(request, user) for user in objs) else set()
        )
        return names, {User._meta.verbose_name_plural: len(names)}, missing, []

    @admin.action(description=_("Revoke all sessions"), permissions=["sessions"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        revoked = AuthSession.objects.filter(user__in=_manageable(request, queryset)).revoke()
        self.message_user(request, _("Sessions revoked: %(count)d.") % {"count": revoked})

    @admin.action(description=_("Lift suspensions"), permissions=["sessions"])
    def lift_suspensions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        # Needed when the case no longer exists; otherwise the decision is undone on the case page.
        suspended = [user for user in _manageable(request, queryset) if user.is_suspended]
        for user in suspended:
            user.suspend(None, by=current_user(request))
        self.message_user(request, _("Suspensions lifted: %(count)d.") % {"count": len(suspended)})

    @admin.action(description=_("Reset two-factor authentication"), permissions=["reset"])
    def reset_two_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        managed = _manageable(request, queryset)
        reset = sum(TOTPDevice.objects.reset(user, by=request.user.pk) for user in managed)
        self.message_user(
            request, _("Accounts whose two-factor authentication was reset: %(count)d.") % {"count": reset}
        )

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.appoint_staff")

    def has_sessions_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_user")

    def has_avatars_permission(self, request: HttpRequest) -> bool:
        """Allow user administrators and moderators."""
        return request.user.has_perm("accounts.change_user") or request.user.has_perm("moderation.decide")

    @admin.action(description=_("Remove avatars"), permissions=["avatars"])
    def remove_avatars(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in _manageable(request, queryset.exclude(avatar="")):
            user.set_avatar("")
        self.message_user(request, _("The avatars have been removed."))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _can_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _can_manage(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Prevent privilege escalation: only staff with `appoint_staff` may change permissions, and only superusers may
        # create superusers.
        readonly = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            readonly.append("is_superuser")
        if not request.user.has_perm("accounts.appoint_staff"):
            readonly += ["is_staff", "groups"]
        return readonly


def _can_manage(request: HttpRequest, other: User | None) -> bool:
    return other is None or current_user(request).can_manage(other)


def _manageable(request: HttpRequest, users: QuerySet[User]) -> list[User]:
    """Return the users whose accounts the requesting user may manage."""
    return [user for user in users if _can_manage(request, user)]


PERMISSION_ACTIONS = {"view": _("View"), "add": _("Add"), "change": _("Change"), "delete": _("Delete")}


def permission_model_name(permission: Permission) -> str:
    """Return the translated name of the permission's model."""
    return capfirst(permission.content_type.name)


def permission_action_name(permission: Permission) -> str:
    """Return the translated action of the permission, whose name is stored in English."""
    return str(PERMISSION_ACTIONS.get(permission.codename.partition("_")[0]) or gettext(permission.name))


def _group_name(group: Group) -> str:
    """Return the translated name of a role; other group names have no translation."""
    return gettext(group.name)


class GroupAdmin(LargeTableModelAdmin):
    """Admin of groups: the read-only roles, whose permissions are defined in code, and those created by superusers."""

    list_display = ("display_name",)
    sortable_by = ("display_name",)
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("permissions_display",)
    list_prefetch_related = ("permissions__content_type",)

    @admin.display(description=_("name"), ordering="name")
    def display_name(self, group: Group) -> str:
        return _group_name(group)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        # The permissions of a role are defined in code.
        return bool(request.user.is_superuser) and (obj is None or obj.name not in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        # A deleted role would be created again by the next `migrate`.
        return self.has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["name", "permissions" if self.has_change_permission(request, obj) else "permissions_display"]

    @admin.display(description=_("permissions"))
    def permissions_display(self, group: Group) -> SafeString:
        """Return one line per model registered in the admin; permissions of other models have no effect."""
        permissions = [
            item for item in group.permissions.all() if item.content_type.model_class() in self._registered_models
        ]
        lines = (
            (model, ", ".join(map(permission_action_name, items)))
            for model, items in groupby(permissions, permission_model_name)
        )
        return format_html_join(mark_safe("<br>"), "{}: {}", lines)

    @property
    def _registered_models(self) -> Collection[type[Model]]:
        return self.admin_site._registry.keys()

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        types = ContentType.objects.get_for_models(*self._registered_models).values()
        kwargs["queryset"] = Permission.objects.filter(content_type__in=types).select_related("content_type")
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.label_from_instance = lambda permission: (
            f"{permission_model_name(permission)}: {permission_action_name(permission)}"
        )
        return field


admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)


@admin.register(AuthSession)
class AuthSessionAdmin(ReadOnlyModelAdmin):
    """Read-only admin of sessions with an action to revoke them; token ids are not shown.

    Sessions cannot be deleted: ended ones are needed to detect stolen tokens, until `prune_expired` deletes them.
    """

    list_display = ("id", "user", "device", "created_at", "last_used_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("Beginning of a username")
    list_prefetch_related = ("user",)
    fields = ("user", "device", "created_at", "last_used_at", "expires_at", "ended_at")
    actions = ("end",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (filter_by_username_prefix(queryset, "user", search_term) if search_term.strip() else queryset), False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_user")

    @admin.action(description=_("Revoke sessions"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: AuthSessionQuerySet) -> None:
        users = User.objects.filter(pk__in=queryset.values("user"))
        revoked = queryset.filter(user__in=_manageable(request, users)).revoke()
        self.message_user(request, _("Sessions revoked: %(count)d.") % {"count": revoked})
