"""Accounts, from registration to deletion, of a user of their own."""

from accounts.models import User
from tests.examples.catalog import picture
from tests.examples.recorder import Walk

RITA = {
    "username": "rita.campos",
    "password": "um-bom-segredo",
    "email": "rita@example.org",
    "display_name": "Rita Campos",
    "language": "pt-BR",
    "timezone": "America/Sao_Paulo",
    "device": "Pixel 9",
}


def record(walk: Walk) -> None:
    walk.call("register", None, RITA)
    walk.users["rita"] = User.objects.get(username="rita.campos")
    walk.call("verifyEmail", None, {"token": walk.emailed_token()})
    walk.call("getDataExport", "rita")
    signed_in = walk.call(
        "login", None, {"username": "rita.campos", "password": "um-bom-segredo", "device": "Galaxy S26"}
    )
    tokens = walk.call("refreshTokens", None, {"refresh": signed_in["refresh"]})
    walk.call("verifyToken", None, {"token": tokens["access"]})
    walk.call("listSessions", "rita")
    walk.call("logout", None, {"refresh": tokens["refresh"]})
    record_profile(walk)
    record_password_and_email(walk)
    walk.clients.clear()
    walk.call("deleteAccount", "rita", {"password": "um-novo-segredo", "reviews": "anonymise"})


def record_profile(walk: Walk) -> None:
    walk.call("updateCurrentUser", "rita", {"bio": "Leio no metrô.", "timezone": "America/Fortaleza"})
    walk.call("setAvatar", "rita", file=picture())
    walk.call("getCurrentUser", "rita")
    walk.call("getUser", "rita", username="ana.ribeiro")
    walk.call("listUsers", "rita", query={"search": "ribeiro"})
    walk.call("blockUser", "rita", username="davi.moraes")
    walk.call("listBlockedUsers", "rita")


def record_password_and_email(walk: Walk) -> None:
    change = {"email": "rita.campos@example.org", "current_password": "um-bom-segredo"}
    walk.call("changeEmail", "rita", change)
    walk.call("changePassword", "rita", {"current_password": "um-bom-segredo", "new_password": "um-outro-segredo"})
    walk.call("requestPasswordReset", None, {"email": "rita@example.org"})
    walk.call("resetPassword", None, {"token": walk.emailed_token(), "new_password": "um-novo-segredo"})
