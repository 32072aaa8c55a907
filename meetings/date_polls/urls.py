"""URLs of date polls, under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from meetings.date_polls.views import DateAnswerViewSet, DatePollViewSet

LIST = "clubs/<int:club_id>/date-polls"

router = SimpleRouter(use_regex_path=False)
router.register(LIST, DatePollViewSet, basename="club-date-poll")
router.register(f"{LIST}/<int:poll_id>/answers", DateAnswerViewSet, basename="club-date-poll-answers")

urlpatterns = router.urls
