"""Views of ballots."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from ballots.choices import VotingMethod
from ballots.filters import BallotFilter
from ballots.models import Ballot
from ballots.querysets import BallotQuerySet
from ballots.serializers import BallotCreateSerializer, BallotSerializer, RecountCreateSerializer, VoteSerializer
from clubs.access import AccessLevel, ClubChildViewSetMixin
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate

CONFLICT_RESPONSES = problem_schema(409, "`ballot_closed`.")


@extend_schema_view(
    list=extend_schema(summary="List a club's ballots"),
    retrieve=extend_schema(summary="Get a ballot"),
    destroy=extend_schema(
        summary="Delete a ballot",
        description="Deletes the ballot with its votes and result. A winning book stays planned.",
    ),
)
class BallotViewSet(
    ClubChildViewSetMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Ballots on the next book. Votes are secret, and results appear once a ballot is closed."""

    access_levels = {
        "list": AccessLevel.MEMBER,
        "retrieve": AccessLevel.MEMBER,
        "create": AccessLevel.MODERATOR,
        "destroy": AccessLevel.MODERATOR,
        "vote": AccessLevel.MEMBER,
        "withdraw_vote": AccessLevel.MEMBER,
        "close": AccessLevel.MODERATOR,
        "recount": AccessLevel.MODERATOR,
    }
    queryset = Ballot.objects.all()
    lookup_url_kwarg = "ballot_id"
    serializer_class = BallotSerializer
    filterset_class = BallotFilter
    ordering_fields: ClassVar = {"-created_at": ("-created_at", "-id")}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.level is not None and not self._is_unconditional_vote:
            # Close due ballots first, in case the task is late.
            Ballot.objects.filter(club=self.club).close_due()

    def get_queryset(self) -> BallotQuerySet:
        ballots = Ballot.objects.filter(club=self.club)
        if self._is_unconditional_vote:
            return ballots
        return ballots.with_details_for(current_user(self.request))

    @property
    def _is_unconditional_vote(self) -> bool:
        """Whether the ballot's `ETag` is not needed. A due ballot rejects votes even if it is not closed yet."""
        return self.action in ("vote", "withdraw_vote") and not self.is_conditional

    @extend_schema(
        summary="Create a ballot",
        request=BallotCreateSerializer,
        responses={201: BallotSerializer, **problem_schema(409, "`too_many_ballots`: the club has 20 open ballots.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the members vote on proposed books until `closes_at`."""
        values = validate(BallotCreateSerializer(data=request.data))
        ballot = Ballot.create_ballot(club=self.club, by=current_user(request), **values)
        return self.serialize(ballot, status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Ballot) -> None:
        instance.delete_ballot(by=current_user(self.request))

    @extend_schema(
        summary="Vote, or change your vote",
        request=VoteSerializer,
        responses={200: VoteSerializer, **CONFLICT_RESPONSES},
    )
    @action(detail=True, methods=["put"], responds_with_object=False)
    def vote(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replaces an earlier vote. The response has the format of `my_vote`."""
        ballot = self.get_object()
        ballot.require_open()
        vote = validate(VoteSerializer(data=request.data, context={"method": ballot.method}))
        ballot.vote(by=current_user(request), **vote)
        return Response({VotingMethod(ballot.method).field: vote["choices"]})

    @extend_schema(summary="Withdraw your vote", request=None, responses={204: NO_CONTENT, **CONFLICT_RESPONSES})
    @vote.mapping.delete
    def withdraw_vote(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Idempotent: also succeeds without a vote."""
        self.get_object().withdraw_vote(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Close a ballot early", request=None, responses={200: BallotSerializer, **CONFLICT_RESPONSES}
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The response contains the result."""
        ballot = self.get_object()
        ballot.close(by=current_user(request))
        return self.serialize(ballot)

    @extend_schema(
        summary="Count a ballot again without the winner",
        request=RecountCreateSerializer,
        responses={200: BallotSerializer, **problem_schema(409, "`ballot_open`, `too_late` or `under_way`.")},
    )
    @action(detail=True, methods=["post"])
    def recount(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For a winner that the club cannot get, within 30 days. The same votes are counted without it.

        The former winner is proposed again, and the new one planned.
        """
        ballot = self.get_object()
        ballot.recount(by=current_user(request), **validate(RecountCreateSerializer(data=request.data)))
        return self.serialize(ballot)

    def lock_object(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        self.club.lock(with_user=current_user(self.request))
        del self.club
