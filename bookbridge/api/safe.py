"""What may be asked for and never changed."""

from collections.abc import Callable

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponse]


def safe_only(view: View) -> View:
    """GET and HEAD alone; any other method is 405, and nobody asks it for a CSRF token first."""
    exempt: View = csrf_exempt(require_safe(view))
    return exempt
