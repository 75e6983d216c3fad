import struct
import zipfile
from pathlib import Path

import pytest

from services.standalone import patches


def text(value: str) -> bytes:
    return b"\x01" + struct.pack(">H", len(value)) + value.encode()


def module_info(*requirements: tuple[str, int]) -> bytes:
    """A module-info class that requires the modules named, with the flags given."""
    pool = [text("Module"), text("mine"), b"\x13\x00\x02"]
    required = b""
    for name, flags in requirements:
        pool += [text(name), b"\x13" + struct.pack(">H", len(pool) + 1)]
        required += struct.pack(">HHH", len(pool), flags, 0)
    pool += [b"\x05" + bytes(8)]  # a long, which counts twice
    body = struct.pack(">HHH", 3, 0, 0) + struct.pack(">H", len(requirements)) + required + bytes(8)
    attribute = struct.pack(">HL", 1, len(body)) + body
    head = b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, 69, len(pool) + 2)
    return head + b"".join(pool) + struct.pack(">HHHHHH", 0x8000, 0, 0, 0, 0, 0) + struct.pack(">H", 1) + attribute


def test_only_the_optional_requirements_become_static() -> None:
    before = module_info(("java.base", 0x8000), ("jdk.jdi", 0), ("jdk.jlink", 0x20), ("java.xml", 0))
    after = module_info(("java.base", 0x8000), ("jdk.jdi", 0x40), ("jdk.jlink", 0x60), ("java.xml", 0))
    assert patches.relax(before) == after
    assert patches.relax(after) == after


def test_the_thai_check_is_taken_out_of_the_one_class_that_has_it() -> None:
    code = b"before" + bytes.fromhex("b200349a000dbb") + b"after"
    assert patches.without_thai_check(code) == b"before" + bytes.fromhex("0400009a000dbb") + b"after"
    with pytest.raises(ValueError, match="another one than expected"):
        patches.without_thai_check(b"something else")


def test_a_jar_is_copied_with_one_member_edited(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "some.jar", "w") as jar:
        jar.writestr("one", b"1")
        jar.writestr("two", b"2")
    (tmp_path / "copies").mkdir()
    patches.copy(tmp_path / "some.jar", tmp_path / "copies", "two", lambda content: content + b"!")
    with zipfile.ZipFile(tmp_path / "copies" / "some.jar") as copied:
        assert {name: copied.read(name) for name in copied.namelist()} == {"one": b"1", "two": b"2!"}
