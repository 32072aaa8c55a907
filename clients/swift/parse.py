"""Check that the Swift files under some directories are valid: python parse.py DIRECTORY..."""

import sys
from pathlib import Path

import tree_sitter_swift
from tree_sitter import Language, Node, Parser


def errors(node: Node) -> list[int]:
    """Return the lines of a syntax tree that could not be parsed."""
    if node.type == "ERROR" or node.is_missing:
        return [node.start_point[0] + 1]
    return [line for child in node.children if child.has_error for line in errors(child)]


def main() -> int:
    """Parse all files; return 1 if there is none, or one is not valid."""
    parser = Parser(Language(tree_sitter_swift.language()))
    paths = sorted(path for directory in sys.argv[1:] for path in Path(directory).rglob("*.swift"))
    for path in paths:
        for line in errors(parser.parse(path.read_bytes()).root_node):
            sys.exit(f"{path}:{line}: not parsed")
    sys.stdout.write(f"{len(paths)} files generated and parsed\n")
    return int(not paths)


if __name__ == "__main__":
    sys.exit(main())
