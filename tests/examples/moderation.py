"""Reports and appeals. One report hides the review here, so that its author can appeal."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    target = {"target_type": "review", "target_id": walk.objects["review"]}
    note = "Conta o final do livro sem avisar."
    walk.call("createReport", "davi", target | {"reason": "spoiler", "note": note})
    walk.call("createAppeal", "ana", target | {"text": "A resenha não revela nada além da orelha do livro."})
