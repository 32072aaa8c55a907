"""Clubs, members and invitations."""

from tests.examples.catalog import picture
from tests.examples.recorder import Walk

PINHEIROS = {
    "name": "Clube do Livro de Pinheiros",
    "description": "Literatura brasileira e café no último sábado do mês.",
    "visibility": "public",
    "join_policy": "request",
    "member_limit": 40,
    "language": "pt-BR",
    "timezone": "America/Sao_Paulo",
}
NIGHT_READERS = {
    "name": "The Night Readers",
    "description": "Long novels after dark. No spoilers before the milestone.",
    "language": "en",
    "timezone": "Europe/London",
}


def record(walk: Walk) -> None:
    club = walk.objects["club"] = walk.call("createClub", "ana", PINHEIROS)["id"]
    night = walk.objects["night"] = walk.call("createClub", "emma", NIGHT_READERS)["id"]
    walk.call("replaceClub", "ana", PINHEIROS | {"member_limit": 50}, club_id=club)
    walk.call("updateClub", "ana", {"description": "Literatura brasileira, sem pressa."}, club_id=club)
    walk.call("setClubCover", "ana", file=picture(), club_id=club)
    record_members(walk, club, night)
    given = walk.call("createClub", "emma", {"name": "Slow Classics", "language": "en"})["id"]
    walk.call("joinClub", "bruno", {}, club_id=given)
    walk.call("transferClub", "emma", {"user": walk.users["bruno"].pk}, club_id=given)


def record_reads(walk: Walk) -> None:
    """Read a club with a current book and a meeting."""
    walk.call("getClub", "carla", club_id=walk.objects["club"])
    walk.call("listClubs", None, query={"search": "pinheiros"})


def record_members(walk: Walk, club: int, night: int) -> None:
    """Let Bruno in by an invitation, and Carla and Davi by a request."""
    invitation = walk.call("createInvitation", "ana", {"max_uses": 5, "expires_in_hours": 72}, club_id=club)
    code = {"code": invitation["code"]}
    walk.call("listInvitations", "ana", club_id=club)
    walk.call("previewInvitation", None, code)
    walk.call("acceptInvitation", "bruno", code)
    walk.call("joinClub", "davi", {"message": "Sou vizinho e adoro Guimarães Rosa."}, club_id=club)
    walk.call("joinClub", "carla", {}, club_id=night)
    walk.call("updateMember", "ana", {"status": "active"}, club_id=club, user_id=walk.users["davi"].pk)
    walk.call("joinClub", "carla", {}, club_id=club)
    for name, change in (("carla", {"status": "active"}), ("bruno", {"role": "moderator"})):
        walk.call("updateMember", "ana", change, club_id=club, user_id=walk.users[name].pk)
    walk.call("getMember", "davi", club_id=club, user_id=walk.users["bruno"].pk)
    walk.call("listMembers", "davi", club_id=club, query={"page_size": 2})
    walk.call("pauseMembership", "carla", {"until": "2027-01-31"}, club_id=club)
    walk.call("getPause", "carla", club_id=club)
    walk.call("endPause", "carla", club_id=club)
    walk.call("pauseMember", "ana", {"until": None}, club_id=club, user_id=walk.users["davi"].pk)
    walk.call("endMemberPause", "ana", club_id=club, user_id=walk.users["davi"].pk)
    unknown = walk.users["emma"].pk
    walk.call("updateMembers", "ana", {"action": "pause", "users": [walk.users["davi"].pk, unknown]}, club_id=club)
    walk.call("endPause", "davi", club_id=club)
