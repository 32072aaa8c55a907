"""Routes of accounts, below `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts import views

router = SimpleRouter(use_regex_path=False)
router.register("auth/sessions", views.SessionViewSet, basename="session")
router.register("users", views.UserViewSet, basename="user")

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view(), name="register"),
    path("auth/login/", views.LoginView.as_view(), name="login"),
    path("auth/refresh/", views.RefreshView.as_view(), name="refresh"),
    path("auth/verify/", views.VerifyView.as_view(), name="verify"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path(
        "auth/sessions/",
        views.SessionViewSet.as_view({"get": "list", "delete": "destroy_others"}),
        name="session-list",
    ),
    path("auth/password/change/", views.PasswordChangeView.as_view(), name="password-change"),
    path("auth/password/reset/", views.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", views.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/email/verify/", views.EmailVerifyView.as_view(), name="email-verify"),
    path("auth/email/verify/confirm/", views.EmailConfirmView.as_view(), name="email-confirm"),
    path("auth/email/change/", views.EmailChangeView.as_view(), name="email-change"),
    path("users/me/", views.MeView.as_view(), name="me"),
    path("users/me/avatar/", views.AvatarView.as_view(), name="avatar"),
    path("users/me/export/", views.ExportView.as_view(), name="export"),
    path("users/me/blocks/", views.BlockListView.as_view({"get": "list"}), name="block-list"),
    path("users/<str:username>/block/", views.BlockView.as_view(), name="block"),
    path("", include(router.urls)),
]
