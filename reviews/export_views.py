"""API view of the CSV export."""

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import current_user
from accounts.events import emit
from core.api.negotiation import IgnoreAcceptNegotiation
from core.api.views import APIView
from reviews.csv_export import build_csv


class ExportCSVView(APIView):
    """Reviews and readings as CSV."""

    content_negotiation_class = IgnoreAcceptNegotiation

    @extend_schema(summary="Export your reviews and readings as CSV", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> FileResponse:
        """Return a row for each book in the layout of Goodreads, with further columns.

        The file can be imported again with the source `bookbridge`. What a spreadsheet would take for a formula has an
        apostrophe before it.
        """
        user = current_user(request)
        if request.method == "GET":
            emit("account.exported", user.pk)
        filename = f"bookbridge-{user.username}.csv"
        headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(
            build_csv(user),
            as_attachment=True,
            filename=filename,
            content_type="text/csv; charset=utf-8",
            headers=headers,
        )
