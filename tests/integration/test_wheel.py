"""The wheel has the staff calendar as it was built, and not what it was built from."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.source import ROOT

CALENDAR = "src/scheduling/entrypoints/calendar"
NEEDED = (
    ".ci/calendar_is_built.py",
    ".gitignore",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "migrations",
    "src",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of ours without what git ignores."""
    copy = tmp_path / "project"
    for name in NEEDED:
        there = copy / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, there)
        else:
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
            shutil.copytree(ROOT / name, there, ignore=ignored)
    return copy


def build(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "wheels"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_has_what_was_built_and_nothing_that_it_was_built_from(
    project: Path,
) -> None:
    for name in (
        "dist/index.html",
        "dist/assets/index-D5aN8tQe.js",
        "node_modules/vite/index.js",
        "src/left-over.ts",
    ):
        file = project / CALENDAR / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("made up")
    done = build(project)
    assert done.returncode == 0, done.stderr
    [wheel] = (project / "wheels").iterdir()
    below = "scheduling/entrypoints/calendar/"
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.removeprefix(below) for name in names if name.startswith(below)} == {
        "__init__.py",
        "dist/index.html",
        "dist/assets/index-D5aN8tQe.js",
    }
    assert "scheduling/_migrations/env.py" in names
    assert "scheduling/entrypoints/http/staff_calendar.py" in names


def test_without_the_calendar_there_is_none(project: Path) -> None:
    done = build(project)
    assert done.returncode != 0
    assert "The calendar is not built" in done.stderr
    assert ".ci/set-up" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(project.glob("wheels/*"))
