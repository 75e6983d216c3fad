"""A whole connector: the notes (`*.txt`) of a folder. The folder is one place; each change of a file edits a page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

from pydantic import BaseModel, Field

from services.common.errors import Stop
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Object,
    Provenance,
    Visibility,
    activity_id,
)
from services.ingest.connector import Batch, Kind, Tools, nothing

PAUSE = 5.0


class Options(BaseModel):
    """What stands in the source's table of `watercooler.toml`."""

    folder: Path = Field(description="Folder with the notes.")


class Notes:
    """Reads the folder."""

    def __init__(self, options: Options, tools: Tools) -> None:
        self._folder, self._source = options.folder, tools.source
        self._place = Container(id=f"{tools.source}:notes", type="Folder", name=options.folder.name)

    async def discover(self) -> Sequence[Container]:
        """Return the one place."""
        if not self._folder.is_dir():
            raise Stop(f"{self._folder} is no folder; mend `folder` of source {self._source}")
        return (self._place,)

    async def access(self, container: Container) -> Access:
        """Let everyone in the organisation read it."""
        return Access(id=container.id, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC, name=container.name)

    async def accounts(self) -> Sequence[Account]:
        """Return nobody: a folder lists no accounts."""
        return ()

    async def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """Yield what is there now."""
        yield Batch(activities=await asyncio.to_thread(self._read, ""), complete=True)

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Yield what changes; the cursor is when the newest change was made."""
        while True:
            found = await asyncio.to_thread(self._read, cursor)
            if found:
                cursor = found[-1].published.isoformat()
                yield Batch(activities=found, cursor=cursor)
            await asyncio.sleep(PAUSE)

    def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """Yield nothing: a look at the folder misses no change but deletions, which this sample leaves out."""
        return nothing()

    def _read(self, since: str) -> list[Activity]:
        found = [self._activity(path) for path in sorted(self._folder.glob("*.txt"))]
        return sorted((one for one in found if one.published.isoformat() > since), key=lambda one: one.published)

    def _activity(self, path: Path) -> Activity:
        text = path.read_text(encoding="utf-8", errors="replace")
        version = sha256(text.encode()).hexdigest()[:12]  # the same state gets the same id, whoever sees it
        return Activity(
            id=activity_id(self._source, path.name, version, "wiki.edit"),
            type=ActivityType.UPDATE,
            verb="wiki.edit",
            published=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            actor=Account(id=f"{self._source}:{path.owner()}", handle=path.owner()),
            object=Object(
                id=f"{self._source}:{path.name}", type="Page", title=path.stem, content=text, version=version
            ),
            context=(self._place,),
            audience=Audience(visibility=Visibility.PUBLIC, container=self._place.id),
            provenance=Provenance(source=self._source, connector="notes", connector_version="1"),
        )


@asynccontextmanager
async def open_notes(options: BaseModel, tools: Tools) -> AsyncIterator[Notes]:
    """Open the source; a connection would be opened and closed here."""
    yield Notes(cast(Options, options), tools)


CONNECTOR = Kind(name="notes", version="1", settings=Options, open=open_notes)
