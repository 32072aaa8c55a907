"""URLs of moderation, under `/api/v1/`."""

from django.urls import path

from moderation.views import AppealView, ReportView

urlpatterns = [
    path("reports/", ReportView.as_view(), name="report-list"),
    path("moderation/appeals/", AppealView.as_view(), name="appeal-list"),
]
