"""Sentences of Django REST framework that its Portuguese catalogue gets wrong: ours says them first.

It has "pode não ser nulo" ("might not be null") where "may not be null" forbids it. The project's catalogue goes before
those of packages; the messages stand here so that `script/messages` finds them.
"""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

REWORDED = (
    _("This field may not be blank."),
    _("This field may not be null."),
    _("This list may not be empty."),
    _("This dictionary may not be empty."),
    _("This selection may not be empty."),
    _("The submitted file is empty."),
    _("Ensure this field has at least {min_length} characters."),
    _("Ensure this value is greater than or equal to {min_value}."),
    _("Ensure this value is less than or equal to {max_value}."),
    _("Request was throttled."),
    _("Expected available in {wait} second."),
    _("Expected available in {wait} seconds."),
)

# What it says without asking for a translation: of a body that is `null`.
UNASKED = (_("No data provided"),)


def worded(text: str) -> str:
    """A sentence in the reader's language, also where the framework has not asked for it."""
    return gettext(text) if text in UNASKED else text
