"""What is written in this project, as files and as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "scheduling"


@cache
def files(*folders: str) -> tuple[Path, ...]:
    """Return all Python files under these folders of the project, by path."""
    found = [file for name in folders for file in (ROOT / name).rglob("*.py")]
    assert found, folders
    return tuple(sorted(found))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(file: Path) -> Iterator[str]:
    """Yield the full names of the modules that a file imports."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module or ""


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))
