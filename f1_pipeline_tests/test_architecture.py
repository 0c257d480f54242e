"""The rooms of the house and the doors between them: who may import what.

Belongs here: rules about the source text itself, read with `ast`. Behaviour is tested in the rooms.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from f1_pipeline_tests.support import REPO

PACKAGE = REPO / "f1_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
DEFS, ROOT, RUNNER = "f1_pipeline.defs", "f1_pipeline.definitions", "f1_pipeline.defs.runs"
TEXT_SUFFIXES = (".py", ".sql", ".toml", ".yaml", ".md", ".txt")

# Library -> the only places that may import it, each a module or a package.
HOME_OF_LIBRARY = {
    "dagster": (DEFS, ROOT),
    "dagster_duckdb": (DEFS, ROOT),
    "mlflow": ("f1_pipeline.forecast.tracking", "f1_pipeline.forecast.tracking_stores"),
    "duckdb": ("f1_pipeline.warehouse",),
    "pulp": ("f1_pipeline.optimize",),
    "gymnasium": ("f1_pipeline.rl",),
    "torch": ("f1_pipeline.rl",),
    "sb3_contrib": ("f1_pipeline.rl",),
    "stable_baselines3": ("f1_pipeline.rl",),
    "sqlglot": ("f1_pipeline.warehouse",),
    "dask": ("f1_pipeline.steps.dask_workers",),
    "distributed": ("f1_pipeline.steps.dask_workers",),
}

# Room -> other rooms of the project that it must not know.
CLOSED_DOORS = {
    "game": ("sources", "warehouse", "forecast", "optimize", "rl", "report", "steps", "defs", "settings", "cli"),
    "sources": ("warehouse", "forecast", "optimize", "rl", "report", "steps", "defs", "settings", "cli"),
    "warehouse": ("game", "forecast", "optimize", "rl", "report", "steps", "defs", "settings", "cli"),
    "forecast": ("warehouse", "optimize", "rl", "report", "steps", "defs", "settings", "cli"),
    "optimize": ("sources", "warehouse", "forecast", "rl", "report", "steps", "defs", "settings", "cli"),
    "rl": ("warehouse", "steps", "defs", "report", "settings", "cli"),
    "steps": ("report", "defs", "cluster", "cli"),
    "defs": ("cluster", "cli"),
    "cluster": ("cli",),
    "report": ("cluster", "cli"),
}
GAME_MAY_IMPORT = {"numpy", "pandas", "f1_pipeline"} | set(sys.stdlib_module_names)
HEAVY = {
    *("dagster", "mlflow", "duckdb", "pandas", "numpy", "scipy", "sklearn", "matplotlib", "pyarrow", "pulp", "highspy"),
    *(
        "dask",
        "distributed",
        "psutil",
        "gymnasium",
        "rich",
        "prompt_toolkit",
        "jinja2",
        "requests",
        "pydantic",
        "sqlglot",
        "tomlkit",
    ),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(path: Path) -> str:
    return module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]


def imports_of(source: str, package: str) -> Iterator[str]:
    """Name every module that a source text imports, at any depth of the code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            # `from f1_pipeline import cli` imports a module, and so names it.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def offences(is_banned: Callable[[str, str], bool]) -> list[str]:
    """List `module imports name` for every import that breaks a rule."""
    return [f"{module} imports {name}" for module, name in all_imports() if is_banned(module, name)]


@cache
def all_imports() -> tuple[tuple[str, str], ...]:
    """List every module with each name that it imports."""
    return tuple(
        (module_name(path), name)
        for path in MODULES
        for name in imports_of(path.read_text(encoding="utf-8"), package_of(path))
    )


def test_reader_of_imports_sees_every_form_of_import() -> None:
    source = """
import dagster as dg
from f1_pipeline import cli

def late():
    from duckdb.typing import VARCHAR
    from ..warehouse import writer
    from .lineup import Lineup
"""
    assert sorted(imports_of(source, "f1_pipeline.game")) == [
        "dagster",
        "duckdb.typing.VARCHAR",
        "f1_pipeline.cli",
        "f1_pipeline.game.lineup.Lineup",
        "f1_pipeline.warehouse.writer",
    ]


def test_package_has_the_modules_that_the_rules_speak_of() -> None:
    names = {module_name(path) for path in MODULES}
    assert {"f1_pipeline.settings", "f1_pipeline.cli", ROOT, "f1_pipeline.game.rules"} <= names
    rooms = {name.split(".")[1] for name in names if name.count(".") >= 2}
    assert rooms <= set(CLOSED_DOORS), "a new room needs a line in CLOSED_DOORS"


@pytest.mark.parametrize("library", sorted(HOME_OF_LIBRARY))
def test_library_is_imported_only_in_its_home(library: str) -> None:
    homes = HOME_OF_LIBRARY[library]
    assert not offences(
        lambda module, name: is_within(name, library) and not any(is_within(module, home) for home in homes)
    )


def test_dagster_duckdb_is_all_that_defs_know_of_duckdb() -> None:
    assert not offences(lambda module, name: is_within(module, DEFS) and is_within(name, "duckdb"))


@pytest.mark.parametrize("room", sorted(CLOSED_DOORS))
def test_room_does_not_know_the_rooms_above_it(room: str) -> None:
    closed = [f"f1_pipeline.{other}" for other in (*CLOSED_DOORS[room], "definitions")]
    # The command line's own view of a run and the runner put the whole graph together: defs.runs needs definitions.
    assert not offences(
        lambda module, name: (
            is_within(module, f"f1_pipeline.{room}")
            and any(is_within(name, place) for place in closed)
            and not (module == RUNNER and is_within(name, ROOT))
        )
    )


def test_game_imports_only_the_standard_library_numpy_pandas_and_itself() -> None:
    def is_banned(module: str, name: str) -> bool:
        if not is_within(module, "f1_pipeline.game"):
            return False
        if is_within(name, "f1_pipeline"):
            return not (is_within(name, "f1_pipeline.game") or is_within(name, "f1_pipeline.errors"))
        return name.split(".")[0] not in GAME_MAY_IMPORT

    assert not offences(is_banned)


def test_errors_import_nothing() -> None:
    assert not offences(lambda module, name: module == "f1_pipeline.errors")


def test_environment_variables_are_read_only_in_settings() -> None:
    readers = {"environ", "environb", "getenv", "getenvb", "putenv"}
    found = [
        module_name(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in readers)
        or (isinstance(node, ast.alias) and node.name in readers)
    ]
    assert set(found) == {"f1_pipeline.settings"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_opens_with_a_charter(path: Path) -> None:
    charter = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert charter, f"{path} has no docstring"
    first = charter.splitlines()[0]
    assert len(first.split()) >= 4, f"{path} opens with {first!r}"


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from f1_pipeline.cli import main\n"
        "answer = CliRunner().invoke(main, ['--help'])\n"
        "assert answer.exit_code == 0 and 'Usage' in answer.output, answer.output\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert HEAVY.isdisjoint(done.stdout.split())


def test_no_product_file_reaches_outside_the_repository() -> None:
    folders = ("f1_pipeline", "dbt_like_sql", "benchmarks", "docs")
    files = [path for folder in folders for path in (REPO / folder).rglob("*") if path.suffix in TEXT_SUFFIXES]
    files += [path for path in REPO.iterdir() if path.suffix in TEXT_SUFFIXES or path.name == "Makefile"]
    assert len(files) > 50
    outside = ".." + "/shared"
    assert [str(path) for path in files if outside in path.read_text(encoding="utf-8")] == []
