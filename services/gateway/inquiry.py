"""One search as the API and the page answer it: qualifiers, conversations, and what may have been meant."""

from dataclasses import dataclass, replace

from services.common.search import Hit, Page
from services.gateway import finding, qualifiers, spelling
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import Filters
from services.gateway.qualifiers import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found. ``meant`` is another question to ask, where nothing has the words of this one."""

    page: Page
    meant: str = ""
    plain: bool = True
    """Whether words and filters say all that was asked for."""

    def conversation(self, hit: Hit) -> tuple[str, int]:
        """Return the conversation of a hit, and how many of its things have the words that were asked for."""
        thread = finding.thread_of(hit)
        return thread, self.page.threads.get(thread, 0)


async def ask(
    desk: Desk,
    asker: Asker,
    wanted: Filters,
    known: Known,
    *,
    mode: finding.Mode = "hybrid",
    size: int = 20,
    cursor: str = "",
    together: bool = True,
) -> Answer:
    """Return a page of what was asked for, one hit a conversation unless all are wanted."""
    question = qualifiers.read(wanted.text, asker.person, known)
    plain = replace(wanted, text=question.words)
    page = await finding.things(
        desk, asker, plain, mode=mode, size=size, cursor=cursor, where=question.where, conversations=together
    )
    if page.threads or cursor or not plain.text:
        return Answer(page=page, plain=question.where is None)
    meant = await spelling.meant(desk, asker, plain, question.where)
    again = qualifiers.again(wanted.text, meant) if meant else ""
    return Answer(page=page, meant=again, plain=question.where is None)
