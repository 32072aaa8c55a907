"""Messages of Django's and the theme's templates that lack a translation; listed for `script/messages`."""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

# Field labels as Django's history of an object capitalizes them.
HISTORY_LABELS = (
    _("Bio"),
    _("Display name"),
    _("Email"),
    _("Email verified"),
    _("Groups"),
    _("Is active"),
    _("Is staff"),
    _("Join policy"),
    _("Member limit"),
    _("Name"),
    _("Page count"),
    _("Published year"),
    _("Superuser status"),
    _("Suspended until"),
    _("Timezone"),
    _("Visibility"),
)

# Texts of the theme, which has no Portuguese translation.
UNFOLD_MESSAGES = (
    _("%(full_result_count)s total"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _("All applications"),
    _("Apply Filters"),
    _("Cancel"),
    _("Click to cancel"),
    _("Dark"),
    _("Date"),
    _("Date from"),
    _("Date to"),
    _("Expand row"),
    _("False"),
    _("From"),
    _("General"),
    _("Go back"),
    _("Light"),
    _("Loading more results..."),
    _("More actions"),
    _("Next"),
    _("No data"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("Previous"),
    _("Recent searches"),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password "
        'using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("System"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("To"),
    _("Toggle password visibility"),
    _("True"),
    _("Type to search"),
    _("Value"),
    _("Welcome"),
    _("Welcome back to"),
    _("You have been successfully logged out from the administration"),
    # With the whitespace of its template.
    ngettext_lazy(
        "\n                Found %(counter)s result in %(time)s seconds\n            ",
        "\n                Found %(counter)s results in %(time)s seconds\n            ",
    ),
)
