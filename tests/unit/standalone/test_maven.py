from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import maven

SETTINGS = """<settings xmlns="urn:any"><mirrors>
  <mirror><id>blocker</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url></mirror>
  <mirror><id>ours</id><mirrorOf>central,!own</mirrorOf><url>https://mirror.invalid/maven/</url></mirror>
  <mirror><id>every</id><mirrorOf>*</mirrorOf><url>https://every.invalid/maven</url></mirror>
</mirrors></settings>"""


def test_mirrors_of_everything_or_of_the_default_repository_are_used(tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text(SETTINGS)
    assert maven.mirrors(tmp_path / "settings.xml") == ["https://mirror.invalid/maven/", "https://every.invalid/maven"]


def test_no_settings_are_no_mirrors(tmp_path: Path) -> None:
    assert maven.mirrors(tmp_path / "settings.xml") == []


def test_settings_that_are_not_xml_are_named(tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text("<settings>")
    with pytest.raises(Stop, match=r"settings\.xml are not valid XML"):
        maven.mirrors(tmp_path / "settings.xml")


def test_a_chosen_repository_is_the_only_one() -> None:
    assert maven.repositories({"WATERCOOLER_MAVEN": "https://mine.invalid/maven/"}) == ["https://mine.invalid/maven"]


def test_the_users_mirror_comes_before_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = maven.repositories({})
    assert found[:2] == ["https://mirror.invalid/maven", "https://every.invalid/maven"]
    assert len(found) > 2
