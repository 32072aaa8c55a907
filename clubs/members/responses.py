"""Responses about memberships."""

from collections.abc import Mapping
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from clubs.members.models import Membership
from clubs.members.serializers import MemberSerializer, OwnMembershipSerializer
from clubs.roles import MembershipStatus
from core.api.conditional import compute_etag
from core.api.responses import problem_schema

NOT_ABOVE_RESPONSE = problem_schema(403, "`not_above`: the user's role is not below the caller's.")


def joined_response(membership: Membership, request: Request, context: Mapping[str, Any]) -> Response:
    """Return the caller's membership: 201 with the headers of its GET, or 202 for a join request, which has no GET."""
    data = OwnMembershipSerializer(membership, context=context).data
    if membership.status != MembershipStatus.ACTIVE:
        return Response(data, status=status.HTTP_202_ACCEPTED)
    headers = {
        "ETag": compute_etag(MemberSerializer(membership, context=context).data, request),
        "Location": reverse("club-member-detail", [membership.club_id, membership.user_id], request=request),
    }
    return Response(data, status=status.HTTP_201_CREATED, headers=headers)
