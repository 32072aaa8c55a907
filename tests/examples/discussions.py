"""Threads and posts."""

from urllib.parse import quote

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    opening = {"title": "A faca da avó Donana", "body": "Por que as irmãs nunca falam dela?", "spoiler_percent": 20}
    thread = walk.call("createThread", "carla", opening | {"entry": walk.objects["entry"]}, **club)["id"]
    below = club | {"thread_id": thread}
    first = walk.call("listPosts", "carla", query={"search": "irmas"}, **club)["results"][0]["id"]
    reply = {"body": "Eu acho que é medo. @carla.nogueira, e você?", "reply_to": first, "spoiler_percent": 35}
    answer = walk.call("createThreadPost", "ana", reply, **below)["id"]
    walk.call("reactToThreadPost", "ana", **below, post_id=first, emoji=quote("📖"))
    # Carla has read 25 %, so the answer is locked for her. Davi has not started.
    walk.call("listThreadPosts", "carla", **below)
    walk.call("revealThreadPost", "davi", **below, post_id=first)
    walk.call("revealPost", "davi", **club, post_id=answer)
    for name, path in (("ThreadPost", below), ("Post", club)):
        walk.call(f"get{name}", "carla", **path, post_id=first)
    walk.call("updateThreadPost", "carla", {"body": "Por que as irmãs quase nunca falam dela?"}, **below, post_id=first)
    walk.call("updatePost", "ana", {"body": "Acho que é medo.", "spoiler_percent": 40}, **club, post_id=answer)
    walk.call("getThread", "carla", **below)
    walk.call("updateThread", "bruno", {"pinned": True}, **below)
    walk.call("listThreads", "carla", query={"page_size": 1}, **club)
