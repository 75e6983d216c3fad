"""What the steps work on: one activity and what has been found out about it so far."""

from dataclasses import dataclass

from services.common.model import Activity, Enriched, Link


@dataclass(slots=True)
class Draft:
    """Grows from step to step; ``body`` is the object's content as plain text, without its title."""

    activity: Activity
    automated: bool = False
    person: str = ""
    coauthor_people: tuple[str, ...] = ()
    mention_people: tuple[str, ...] = ()
    thread: str = ""
    body: str = ""
    text: str = ""
    hrefs: tuple[str, ...] = ()
    language: str = ""
    tags: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    vector: bytes = b""
    burst: str = ""
    notes: tuple[str, ...] = ()

    def done(self) -> Enriched:
        """Return the enriched activity (generation 0)."""
        return Enriched(
            activity=self.activity,
            person=self.person,
            coauthor_people=self.coauthor_people,
            mention_people=self.mention_people,
            thread=self.thread,
            text=self.text,
            language=self.language,
            tags=self.tags,
            phrases=self.phrases,
            links=self.links,
            vector=self.vector,
            automated=self.automated,
            burst=self.burst,
            notes=self.notes,
        )
