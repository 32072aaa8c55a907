"""URLs of accounts, below `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts import sign_in_views, views

router = SimpleRouter(use_regex_path=False)
router.register("auth/sessions", sign_in_views.SessionViewSet, basename="session")
router.register("users", views.UserViewSet, basename="user")

urlpatterns = [
    path("auth/register/", sign_in_views.RegisterView.as_view(), name="register"),
    path("auth/login/", sign_in_views.LoginView.as_view(), name="login"),
    path("auth/refresh/", sign_in_views.RefreshView.as_view(), name="refresh"),
    path("auth/verify/", sign_in_views.VerifyView.as_view(), name="verify"),
    path("auth/logout/", sign_in_views.LogoutView.as_view(), name="logout"),
    path(
        "auth/sessions/",
        sign_in_views.SessionViewSet.as_view({"get": "list", "delete": "destroy_others"}, detail=False),
        name="session-list",
    ),
    path("auth/password/change/", sign_in_views.PasswordChangeView.as_view(), name="password-change"),
    path("auth/password/reset/", sign_in_views.PasswordResetView.as_view(), name="password-reset"),
    path(
        "auth/password/reset/confirm/", sign_in_views.PasswordResetConfirmView.as_view(), name="password-reset-confirm"
    ),
    path("auth/email/verify/", sign_in_views.EmailVerifyView.as_view(), name="email-verify"),
    path("auth/email/verify/confirm/", sign_in_views.EmailConfirmView.as_view(), name="email-confirm"),
    path("auth/email/change/", sign_in_views.EmailChangeView.as_view(), name="email-change"),
    path("users/me/", views.MeView.as_view(), name="me"),
    path("users/me/avatar/", views.AvatarView.as_view(), name="avatar"),
    path("users/me/export/", views.ExportView.as_view(), name="export"),
    path("users/me/blocks/", views.BlockListView.as_view({"get": "list"}), name="block-list"),
    path("users/<str:username>/block/", views.BlockView.as_view(), name="block"),
    path("", include(router.urls)),
]
