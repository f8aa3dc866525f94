# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel is all that a router needs: no compiler, no headers, no kernel module."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.wheel import clean
from v6native import __version__

TREE = Path(__file__).resolve().parents[2]
SOURCES = sorted((TREE / "bpf").glob("*.bpf.c"))
IMPORT_ALL = """
import importlib, pkgutil, v6native
names = [m.name for m in pkgutil.walk_packages(v6native.__path__, "v6native.") if not m.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
BUILD_FILES = ("pyproject.toml", "src", "bpf", "setup", "packaging", "LICENSES", "README.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    built = clean.build_wheel(TREE, out)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> clean.CleanEnvironment:
    return clean.make(wheel, tmp_path_factory.mktemp("clean") / "venv")


def test_holds_an_object_for_each_bpf_source(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert SOURCES
    for source in SOURCES:
        assert f"v6native/dataplane/objects/{source.stem}.o" in names


def test_holds_the_licences_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).name for name in names if "/licenses/" in name} >= {
        file.name for file in (TREE / "LICENSES").iterdir()
    }
    assert "v6native/py.typed" in names
    ours = ("v6native/", f"v6native-{__version__}.dist-info/", f"v6native-{__version__}.data/data/share/v6native/")
    assert not [name for name in names if not name.startswith(ours)]


def test_brings_the_unit_and_the_files_for_network_managers(environment: clean.CleanEnvironment) -> None:
    shipped = {file.relative_to(TREE / "packaging") for file in (TREE / "packaging").rglob("*") if file.is_file()}
    share = environment.folder / "share" / "v6native"
    assert Path("v6native.service") in shipped
    assert {file.relative_to(share) for file in share.rglob("*") if file.is_file()} == shipped


def test_the_clean_environment_has_no_compiler(environment: clean.CleanEnvironment) -> None:
    found = environment.run(
        "python", "-c", "import shutil; print(*map(shutil.which, ['clang', 'gcc', 'cc', 'bpftool']))"
    )
    assert found.stdout.split() == ["None"] * 4


def test_says_its_version(environment: clean.CleanEnvironment) -> None:
    said = environment.run("v6native", "--version")
    assert said.returncode == 0, said.stderr
    assert __version__ in said.stdout


def test_requires_all_that_it_imports(environment: clean.CleanEnvironment) -> None:
    imported = environment.run("python", "-c", IMPORT_ALL)
    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) > 100


def test_runs_from_the_wheel_and_not_from_the_tree(environment: clean.CleanEnvironment) -> None:
    where = environment.run("python", "-c", "import v6native; print(v6native.__file__)").stdout
    assert Path(where.strip()).is_relative_to(environment.folder)


@pytest.mark.root
def test_every_object_loads_without_compiler_and_headers(environment: clean.CleanEnvironment) -> None:
    loaded = environment.run("python", str(Path(__file__).parent / "load_objects.py"), hide=True)
    assert loaded.returncode == 0, loaded.stderr
    assert {line.split()[0] for line in loaded.stdout.splitlines()} == {source.name.split(".")[0] for source in SOURCES}


def test_a_wheel_without_objects_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in BUILD_FILES:
        if (TREE / name).is_dir():
            shutil.copytree(TREE / name, tree / name, ignore=shutil.ignore_patterns("objects", "__pycache__"))
        elif (TREE / name).exists():
            shutil.copy(TREE / name, tree / name)
    built = clean.build_wheel(tree, tmp_path / "dist")
    assert built.returncode != 0
    assert "the BPF objects are not built" in built.stdout + built.stderr
    assert not list(tmp_path.glob("dist/*.whl"))
