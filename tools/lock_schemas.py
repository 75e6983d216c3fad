"""Write new schema files to schemas/lock.json. A released file never changes, so one that has changed is refused."""

import json
import sys
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "schemas"
LOCK = FOLDER / "lock.json"


def digests() -> dict[str, str]:
    """Return the SHA-256 of every schema file by ``<subject>/v<N>``."""
    return {
        f"{path.parent.name}/{path.stem}": sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*/v*.avsc")
    }


def main() -> int:
    """Add what is new; return 1 when a released file has changed or is gone."""
    found = digests()
    locked: dict[str, str] = json.loads(LOCK.read_text()) if LOCK.is_file() else {}
    for name, digest in sorted(locked.items()):
        if found.get(name) != digest:
            print(f"{name}.avsc is released and must not change; restore it and add a new version", file=sys.stderr)
            return 1
    LOCK.write_text(json.dumps(dict(sorted(found.items())), indent=2) + "\n")
    print(f"{len(found) - len(locked)} new, {len(found)} locked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
