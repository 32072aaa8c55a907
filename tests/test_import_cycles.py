"""No module imports itself through others, not even inside a function; imports for type checkers do not count."""

from pathlib import Path

import grimp
import pytest

PACKAGES = sorted(path.parent.name for path in Path(__file__).resolve().parents[1].glob("*/apps.py"))


def cycles(graph: grimp.ImportGraph) -> list[list[str]]:
    """The strongly connected components of several modules (Tarjan)."""
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        number = low[module] = len(low)
        place = len(stack)
        stack.append(module)
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if imported not in low:
                visit(imported)
            if imported in stack:
                low[module] = min(low[module], low[imported])
        if low[module] == number:
            component = sorted(stack[place:])
            del stack[place:]
            if len(component) > 1:
                found.append(component)

    for module in sorted(graph.modules):
        if module not in low:
            visit(module)
    return found


def test_modules_import_in_no_cycle() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    assert cycles(graph) == []


@pytest.mark.parametrize("back", [("a", "b"), ("c", "a"), ("b", "a")])
def test_cycle_is_found(back: tuple[str, str]) -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("a", "d"), back):
        graph.add_import(importer=importer, imported=imported)
    expected = {("a", "b"): [], ("c", "a"): [["a", "b", "c"]], ("b", "a"): [["a", "b"]]}
    assert cycles(graph) == expected[back]
