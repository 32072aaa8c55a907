"""Messages of Django and of Django REST framework whose Portuguese translation is wrong or reads badly.

DRF has "pode não ser nulo" ("might not be null") for "may not be null". The project's own catalog overrides those of
packages; the messages are listed here so that `script/messages` finds them.
"""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

OVERRIDDEN_MESSAGES = (
    _("This field may not be blank."),
    _("This field may not be null."),
    _("This list may not be empty."),
    _("This dictionary may not be empty."),
    _("This selection may not be empty."),
    _("The submitted file is empty."),
    _("Ensure this field has at least {min_length} characters."),
    _("Ensure this value is greater than or equal to {min_value}."),
    _("Ensure this value is less than or equal to {max_value}."),
    _('"{input}" is not a valid choice.'),
    _("A valid integer is required."),
    _("A valid number is required."),
    _("The password is too similar to the %(verbose_name)s."),
    _("Request was throttled."),
    _("Expected available in {wait} second."),
    _("Expected available in {wait} seconds."),
)

# Messages that DRF does not mark for translation; this one is for a body that is `null`.
UNTRANSLATED_MESSAGES = (_("No data provided"),)


def translate(text: str) -> str:
    """Return a message of DRF in the user's language, even if DRF has not marked it for translation."""
    return gettext(text) if text in UNTRANSLATED_MESSAGES else text
