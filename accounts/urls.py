"""URLs of accounts, under `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.views import auth, users

router = SimpleRouter(use_regex_path=False)
router.register("auth/sessions", auth.SessionViewSet, basename="session")
router.register("users", users.UserViewSet, basename="user")

urlpatterns = [
    path("auth/register/", auth.RegisterView.as_view(), name="register"),
    path("auth/login/", auth.LoginView.as_view(), name="login"),
    path("auth/refresh/", auth.RefreshView.as_view(), name="refresh"),
    path("auth/verify/", auth.VerifyView.as_view(), name="verify"),
    path("auth/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "auth/sessions/",
        auth.SessionViewSet.as_view({"get": "list", "delete": "revoke_others"}, detail=False),
        name="session-list",
    ),
    path("auth/password/change/", auth.PasswordChangeView.as_view(), name="password-change"),
    path("auth/password/reset/", auth.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", auth.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/email/verify/", auth.EmailVerifyView.as_view(), name="email-verify"),
    path("auth/email/verify/confirm/", auth.EmailConfirmView.as_view(), name="email-confirm"),
    path("auth/email/change/", auth.EmailChangeView.as_view(), name="email-change"),
    path("users/me/", users.CurrentUserView.as_view(), name="me"),
    path("users/me/avatar/", users.AvatarView.as_view(), name="avatar"),
    path("users/me/export/", users.ExportView.as_view(), name="export"),
    path("users/me/blocks/", users.BlockListView.as_view({"get": "list"}), name="block-list"),
    path("users/<str:username>/block/", users.BlockView.as_view(), name="block"),
    path("", include(router.urls)),
]
