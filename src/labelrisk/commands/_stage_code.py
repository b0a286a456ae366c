"""The code that a stage runs: its module and all that it imports, as DVC is told of it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
# rooms that word errors, carry settings (tracked as params), show progress, move bytes or start processes
CARRIERS = {"cli.py", "errors.py", "files.py", "params.py", "printing.py", "progress.py", "text_tables.py"}
CARRIERS |= {"engines", "settings"}
CONSTANTS = {"presets.py"}  # settings that stand in the code
OF_COMMANDS = ("names",)  # stages of dvc.yaml that are commands
DIGITS = 16  # of a hash
Imports = dict[Path, set[Path]]


def stages_with_code(package: Path = PACKAGE) -> dict[str, Path]:
    """By name the modules of all stages, by the alphabet."""
    found = {path.stem: path for path in (package / "stages").glob("[!_]*.py")}
    found |= {name: package / "commands" / f"{name}.py" for name in OF_COMMANDS}
    return dict(sorted(found.items()))


def digests(package: Path = PACKAGE) -> dict[str, str]:
    """By stage the modules that it runs, a line each with the beginning of its SHA-256.

    What else lies in a module's room, such as a template, counts as well.
    """
    imports: Imports = {}
    hashes: dict[Path, str] = {}
    found = {}
    for stage, module in stages_with_code(package).items():
        modules = closure(module, package, imports)
        files = modules | {file for room in {path.parent for path in modules} for file in _beside(room)}
        for file in files - hashes.keys():
            hashes[file] = hashlib.sha256(file.read_bytes()).hexdigest()[:DIGITS]
        found[stage] = "".join(sorted(f"{_inside(file, package)} {hashes[file]}\n" for file in files))
    return found


def closure(module: Path, package: Path = PACKAGE, imports: Imports | None = None) -> set[Path]:
    """A module and all modules of the package that it imports, directly or through others.

    imports: those of modules that were read before; this adds to it.
    """
    known = {} if imports is None else imports
    seen: set[Path] = set()
    todo = {module}
    while todo:
        path = todo.pop()
        seen.add(path)
        if path not in known:
            known[path] = _imported(path, package)
        todo |= known[path] - seen
    return seen


def _imported(module: Path, package: Path) -> set[Path]:
    """Modules of the package that a module imports, at its top or in a function, and the __init__ of their rooms."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = {path for node in ast.walk(tree) for path in _named(node, package)}
    return {path for path in found if _counts(path.relative_to(package))}


def _named(node: ast.AST, package: Path) -> Iterator[Path]:
    if not isinstance(node, ast.ImportFrom) or (node.module or "").partition(".")[0] != package.name:
        return
    base = package.joinpath(*(node.module or "").split(".")[1:])
    for name in node.names:
        candidates = (base / f"{name.name}.py", base / name.name / "__init__.py", base.with_suffix(".py"))
        path = next((path for path in candidates if path.is_file()), base / "__init__.py")
        rooms = path.relative_to(package).parents[:-1]
        yield from (path, *(package / room / "__init__.py" for room in rooms))


def _counts(path: Path) -> bool:
    return path.parts[0] not in CARRIERS or path.name in CONSTANTS


def _inside(file: Path, package: Path) -> str:
    return file.relative_to(package).as_posix()


def _beside(room: Path) -> set[Path]:
    return {path for path in room.iterdir() if path.is_file() and not path.name.endswith((".py", ".pyc"))}


def changed_stages(hashes: Mapping[str, str], package: Path = PACKAGE) -> list[str]:
    """Stages whose code is another one; hashes: the MD5 of each stage's lines when it ran, as dvc.lock has it."""
    now = {stage: hashlib.md5(lines.encode()).hexdigest() for stage, lines in digests(package).items()}
    return [stage for stage, md5 in hashes.items() if now.get(stage) != md5]
