"""Run a program that ends with its parent, whatever ends the parent: `tether.py PARENT [--unroot] COMMAND...`.

Started as a script by its path, so that it needs nothing but the standard library and is gone after a few milliseconds:
it tells the kernel what to do, then becomes the program.
"""

import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
UNROOT = "--unroot"
USER = 1000


def tie(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel knew
        sys.exit("the parent has ended already")


def leave_root() -> bool:
    """Become an ordinary user within a user namespace; files stay root's outside. False where that is barred."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER} 0 1")
    Path("/proc/self/gid_map").write_text(f"{USER} 0 1")
    return True


def as_other_user(again: list[str]) -> list[str]:
    """The command that runs `again` as another user who may still read and write root's files."""
    if shutil.which("setpriv") is None:
        sys.exit("as root this needs user namespaces or the program setpriv (package util-linux)")
    rights = "+dac_override,+dac_read_search"
    return [
        "setpriv",
        f"--reuid={USER}",
        f"--regid={USER}",
        "--clear-groups",
        "--securebits=+no_setuid_fixup",  # else access() would look without the rights that follow
        f"--inh-caps={rights}",
        f"--ambient-caps={rights}",
        *again,
    ]


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, *command = sys.argv[1:]
    if command[0] == UNROOT:
        command = command[1:]
        if os.geteuid() == 0 and not leave_root():
            command = as_other_user([sys.executable, "-I", "-S", __file__, parent, *command])
    tie(int(parent))  # last: a change of user would undo it
    os.execvp(command[0], command)  # noqa: S606 - a command of ours


if __name__ == "__main__":
    main()
