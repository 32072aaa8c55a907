"""What may be a username, an e-mail address, a time zone, a language."""

import re
import zoneinfo
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bookbridge.api.text import identifier_key, language_tag

EMAIL_LENGTH = 190

# Names that are, or may become, a path of the API or would pass for somebody who speaks for the site.
RESERVED = frozenset(
    """
    about abuse account accounts admin administrator all anonymous api auth billing bookbridge books bot club clubs
    contact deleted docs everyone feedback guest healthz help home info invites legal login logout mail me metrics
    moderation moderator moderators nobody null official owner postmaster privacy readyz register reports reviews root
    schema search security settings staff stats status support system team terms test undefined user users webmaster
    www you
    """.split()
)


def validate_username(name: str) -> None:
    """3 to 30 ASCII letters, digits, `_`, `.` and `-`, first a letter or digit. Raises ValidationError, `invalid`."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,29}", name):
        raise ValidationError(
            _("3 to 30 letters without accents, digits, “_”, “.” or “-”, beginning with a letter or digit."), "invalid"
        )


def validate_chosen_username(name: str) -> None:
    """What readers may call themselves; the reserved names are left for staff. Raises ValidationError."""
    if identifier_key(name) in RESERVED:
        raise ValidationError(_("This name is reserved."), "reserved")
    validate_username(name)


def validate_email_key(address: str) -> None:
    """The address in the form it is compared by must fit too: a few characters of other scripts grow eighteenfold.

    Raises ValidationError with the code `max_length`.
    """
    if len(identifier_key(address)) > EMAIL_LENGTH:
        raise ValidationError(_("This address is too long."), "max_length")


@cache
def time_zones() -> frozenset[str]:
    """The IANA names of all time zones."""
    # Files of the system's that lie among them and mean what each machine is set to, or nothing.
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


def validate_timezone(name: str) -> None:
    """An IANA name such as `America/Sao_Paulo`. Raises ValidationError with the code `invalid`."""
    if name not in time_zones():
        raise ValidationError(_("Not a time zone of the IANA database, such as America/Sao_Paulo."), "invalid")


LANGUAGES = {language_tag(code): name for code, name in settings.LANGUAGES}
LANGUAGE_TAGS = [*LANGUAGES]
