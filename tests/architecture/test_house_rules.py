"""Rules of style that no linter has."""

import ast
import dataclasses
import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, files, imported, name, tree

LONG = 400
DRAWERS = {"utils", "common", "helpers", "services", "managers", "misc"}
EVERYTHING = files("src", "tests", "migrations")
INSIDE = files("src/scheduling/domain", "src/scheduling/application")


def modules(folder: str) -> list[str]:
    found = sorted((PACKAGE / "application" / folder).glob("[!_]*.py"))
    return [f"scheduling.application.{folder}.{file.stem}" for file in found]


def test_a_file_is_no_longer_than_400_lines_or_says_why() -> None:
    too_long = [
        name(file)
        for file in EVERYTHING
        if len(file.read_text(encoding="utf-8").splitlines()) > LONG
        and not re.search(r"\blong\b", ast.get_docstring(tree(file)) or "")
    ]
    assert too_long == []


def test_there_is_no_drawer_for_things_without_a_place() -> None:
    named = {
        name(file)
        for file in EVERYTHING
        if DRAWERS & {file.stem, *file.relative_to(PACKAGE.parents[1]).parts}
    }
    assert named == set()


def test_no_import_is_hidden_from_the_running_program() -> None:
    for file in EVERYTHING:
        if file == Path(__file__):
            continue
        for node in ast.walk(tree(file)):
            hidden = getattr(node, "id", None) or getattr(node, "attr", None)
            assert hidden != "TYPE_CHECKING", f"{name(file)} hides an import"


def test_the_domain_imports_the_standard_library_only() -> None:
    for file in files("src/scheduling/domain"):
        for module in imported(file):
            known = module.partition(".")[0] in sys.stdlib_module_names
            ours = module.startswith("scheduling.domain")
            assert known or ours, f"{name(file)} imports {module}"


def test_the_application_imports_the_domain_and_the_standard_library_only() -> None:
    for file in files("src/scheduling/application"):
        for module in imported(file):
            known = module.partition(".")[0] in sys.stdlib_module_names
            ours = module.startswith(("scheduling.domain", "scheduling.application"))
            assert known or ours, f"{name(file)} imports {module}"


@pytest.mark.parametrize("file", INSIDE, ids=name)
def test_nothing_inside_reads_a_clock_or_the_machine(file: Path) -> None:
    """Now is handed in, and so is whatever the process's surroundings decide."""
    forbidden = {
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
        ("time", "time"),
        ("os", "environ"),
        ("os", "getenv"),
    }
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in forbidden, ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("astimezone"):
            assert node.args, "astimezone() without a zone takes the machine's"


@pytest.mark.parametrize("module", [*modules("commands"), *modules("queries")])
def test_a_use_case_is_a_frozen_value_that_is_called_like_a_function(
    module: str,
) -> None:
    room = importlib.import_module(module)
    use_cases = [
        kind
        for kind in vars(room).values()
        if isinstance(kind, type)
        and kind.__module__ == module
        and "__call__" in vars(kind)
    ]
    (use_case,) = use_cases
    assert use_case.__name__ == "".join(
        word.title() for word in module.rpartition(".")[2].split("_")
    )
    assert dataclasses.is_dataclass(use_case)
    parameters = vars(use_case)["__dataclass_params__"]
    assert parameters.frozen


@pytest.mark.parametrize("file", files("src/scheduling/application/commands"), ids=name)
def test_a_command_fits_on_a_screen(file: Path) -> None:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name


def test_importing_a_module_of_the_inside_does_nothing() -> None:
    """At module level there are definitions and values; no loop, no `with`, no try."""
    does_something = (ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.If)
    for file in INSIDE:
        acts = [node for node in tree(file).body if isinstance(node, does_something)]
        assert not acts, name(file)
