"""The rooms of src/labelrisk: no circle, no import upwards, no module that holds more than one noun."""

import re
import shutil
import statistics
import subprocess
import tomllib

import pytest

LONGEST, MEDIAN = 200, 100  # lines of a module


def modules(project):
    """All modules of the package with their numbers of lines."""
    return {path: len(path.read_text().splitlines()) for path in (project / "src" / "labelrisk").rglob("*.py")}


def linted(folder):
    """What import-linter says of the package in `folder`; its contracts, and the order of the rooms, stand in
    pyproject.toml.
    """
    code = (
        f"import sys; sys.path.insert(0, {str(folder / 'src')!r}); from importlinter.cli import lint_imports_command;"
        "lint_imports_command(['--no-cache'])"
    )
    command = [shutil.which("python") or "python", "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)


@pytest.fixture
def copy(project, tmp_path):
    """A copy of the package that may be spoilt."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project / "src" / "labelrisk", tmp_path / "src" / "labelrisk", ignore=ignored)
    shutil.copy(project / "pyproject.toml", tmp_path)
    return tmp_path


def test_no_circle_and_no_import_upwards(project):
    done = linted(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_an_import_upwards_is_found_also_inside_a_function(copy):
    errors = copy / "src" / "labelrisk" / "errors.py"
    errors.write_text(errors.read_text() + "\n\ndef late():\n    from labelrisk.files import read_json\n")
    done = linted(copy)
    assert done.returncode == 1
    assert "labelrisk.errors is not allowed to import labelrisk.files" in " ".join(done.stdout.split())


def test_a_circle_inside_a_room_is_found(copy):
    scores = copy / "src" / "labelrisk" / "statistics" / "scores.py"
    scores.write_text("from labelrisk.statistics import agreement\n" + scores.read_text())
    done = linted(copy)
    assert done.returncode == 1
    assert "No cycles are allowed in labelrisk.statistics" in done.stdout


def test_a_room_that_has_no_place_in_the_order_is_found(copy):
    (copy / "src" / "labelrisk" / "attic.py").write_text('"""Things."""\n')
    assert linted(copy).returncode == 1


def test_modules_are_short(project):
    lengths = modules(project)
    long = {str(path.relative_to(project)): lines for path, lines in lengths.items() if lines > LONGEST}
    assert not long, f"more than one noun in the module? {long}"
    assert statistics.median(lengths.values()) < MEDIAN


def test_each_room_says_what_it_is_for(project):
    for path in (project / "src" / "labelrisk").rglob("__init__.py"):
        assert re.match(r'"""[A-Z].*[.]"""\n|"""[A-Z]', path.read_text()), f"{path} needs a sentence"


def test_the_map_names_every_room_and_only_paths_that_exist(project):
    told = (project / "CONTRIBUTING.md").read_text()
    # in backticks: paths that end in / or in a suffix; of a module's path, `src/labelrisk/` may be left out
    paths = [word for word in re.findall(r"`([\w./@<>-]+)`", told) if re.search(r"/$|\.(py|yaml|toml|md|lock)$", word)]
    source = project / "src" / "labelrisk"
    absent = [path for path in paths if not (project / path).exists() and not (source / path).exists()]
    assert len(paths) > 30
    assert not absent
    layers = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [room for layer in layers for room in layer.split(" | ") if (source / room).is_dir()]
    assert not [room for room in rooms if f"`{room}/`" not in told]


def test_links_between_the_pages_lead_somewhere(project):
    pages = [project / "README.md", project / "CONTRIBUTING.md", *(project / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())]
    inside = [(page, link) for page, link in links if not link.startswith("http")]
    assert len(inside) > 40
    assert not [f"{page.name}: {link}" for page, link in inside if not (page.parent / link).exists()]
