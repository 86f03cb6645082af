"""The build refuses what can't work, in a sentence, and gives the same bytes for the same content."""

from __future__ import annotations

import sys
import zipfile

import pytest

from tests.azure.app_folder import load

build = load("build")
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "3.12" if HERE != "3.12" else "3.13"


def test_another_python_than_in_azure_is_refused(capsys, tmp_path):
    out = tmp_path / "functions.zip"
    assert build.main(["--python", sys.executable, "--runtime", OTHER, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"is Python {HERE}." in said
    assert f"--python python{OTHER}" in said
    assert not out.exists()


def test_a_python_that_does_not_start_is_refused(capsys):
    assert build.main(["--python", "/nowhere/python"]) == 2
    assert "does not start" in capsys.readouterr().err


def test_a_settings_file_that_is_no_toml_is_refused(capsys, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("[sync\n")
    arguments = ["--python", sys.executable, "--runtime", HERE, "--settings", str(settings)]
    assert build.main(arguments) == 2
    assert "settings.toml can't be used" in capsys.readouterr().err


def test_the_same_content_is_the_same_zip(tmp_path):
    for name, order in (("one", ("b.txt", "a/c.txt")), ("two", ("a/c.txt", "b.txt"))):
        for file in order:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
        build.make_zip(tmp_path / name, tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as source:
        assert source.namelist() == ["a/c.txt", "b.txt"]


def test_emulators_caches_and_notes_of_the_installer_are_taken_out(tmp_path):
    kept = ["worker/engine/engine.py", "a-1.dist-info/METADATA", "worker/emulators_of_others.py"]
    gone = [
        *("worker/emulators/common/server.py", "a/__pycache__/b.pyc", "bin/tool", "a-1.dist-info/RECORD"),
        *("a-1.dist-info/direct_url.json", "a-1.dist-info/INSTALLER"),
    ]
    for name in (*kept, *gone):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    build.prune(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)
    assert not (tmp_path / "a").exists(), "empty folders go too"


def test_a_missing_package_is_found_before_it_is_deployed(tmp_path):
    (tmp_path / build.PACKAGES).mkdir(parents=True)
    with pytest.raises(build.BuildError, match="No module named 'azure'"):
        build.check_imports(sys.executable, tmp_path)
