"""Validators of usernames, e-mail addresses and time zones, and the supported languages."""

import re
import zoneinfo
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from core.search.normalize import ascii_domain, language_tag, normalize_identifier

EMAIL_LENGTH = 190

# Names that are or may become part of an API path, or could be used to impersonate the site's operators.
RESERVED_USERNAMES = frozenset(
    """
    about abuse account accounts admin administrator all anonymous api auth billing bookbridge books bot club clubs
    contact deleted docs everyone feedback guest healthz help home info invites legal login logout mail me metrics
    moderation moderator moderators nobody null official owner postmaster privacy readyz register reports reviews root
    schema search security settings staff stats status support system team terms test undefined user users webmaster
    www you
    """.split()
)


def validate_username(name: str) -> None:
    """Require 3 to 30 ASCII letters, digits, `_`, `.` and `-`, starting with a letter or digit.

    Raises ValidationError with the code `invalid`.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,29}", name):
        raise ValidationError(
            _("Enter 3 to 30 unaccented letters, digits, “_”, “.” or “-”, starting with a letter or digit."), "invalid"
        )


def validate_chosen_username(name: str) -> None:
    """Validate a username chosen at registration; only staff may use reserved names. Raises ValidationError."""
    if normalize_identifier(name) in RESERVED_USERNAMES:
        raise ValidationError(_("This name is reserved."), "reserved")
    validate_username(name)


def validate_email_key(address: str) -> None:
    """Check the domain by IDNA, and the length of the normalized address, which can be longer than the address.

    Rejects other forms of the same mailbox: a quoted local part, and letters outside ASCII that Django's validator
    takes for ASCII letters without case (`\u0130`, `\u0131`, `\u017f`, `\u212a`). Rejects IP addresses.
    Raises ValidationError with the code `invalid` or `max_length`.
    """
    name, _at, domain = address.rpartition("@")
    if not name.isascii() or '"' in name or domain.startswith("["):
        raise ValidationError(EmailValidator.message, "invalid")
    try:
        ascii_domain(domain)
    except ValueError:
        raise ValidationError(_("Enter an e-mail address with a valid domain."), "invalid") from None
    if len(normalize_identifier(address)) > EMAIL_LENGTH:
        raise ValidationError(_("This address is too long."), "max_length")


@cache
def available_timezones() -> frozenset[str]:
    """Return the IANA names of all time zones."""
    # These system files are listed too, but they are not portable time zones.
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


def validate_timezone(name: str) -> None:
    """Require an IANA name such as `America/Sao_Paulo`. Raises ValidationError with the code `invalid`."""
    if name not in available_timezones():
        raise ValidationError(_("Enter an IANA time zone, such as America/Sao_Paulo."), "invalid")


LANGUAGES = {language_tag(code): name for code, name in settings.LANGUAGES}
LANGUAGE_TAGS = [*LANGUAGES]
