import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import lock

_HOLD = """
import sys
from pathlib import Path
from services.standalone import lock
with lock.hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with lock.hold(tmp_path):
        with pytest.raises(Stop, match=rf"already runs on {tmp_path} \(process {os.getpid()}\)"), lock.hold(tmp_path):
            pytest.fail("held twice")
        assert lock.holder(tmp_path) == os.getpid()
    assert lock.holder(tmp_path) is None


def test_nobody_holds_a_folder_never_used(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert lock.holder(tmp_path) == other.pid
        other.kill()
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        assert lock.holder(tmp_path) == os.getpid()
