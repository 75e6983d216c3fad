"""What git prints -> activities. No I/O."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.common.errors import Reject
from services.common.model import (
    EVERY_VERSION,
    Account,
    AccountType,
    Activity,
    ActivityType,
    Audience,
    Container,
    Method,
    Object,
    Provenance,
    Visibility,
    activity_id,
    micros,
)
from services.ingest.connectors.git.settings import GitSettings

LOG_FORMAT = "%x1e%H%x1f%P%x1f%aN%x1f%aE%x1f%at%x1f%cN%x1f%cE%x1f%ct%x1f%B%x1f"
REF_FORMAT = (
    "%(refname)%00%(objectname)%00%(*objectname)%00%(taggername)%00%(taggeremail:trim)%00%(creatordate:unix)%00"
)
_FIELDS = 10
_COAUTHOR = re.compile(r"^co-authored-by:\s*(?P<name>[^<\n]*?)\s*<(?P<mail>[^>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_BOT = re.compile(r"\[bot\]|^(dependabot|renovate|github-actions|bors|rust-timer)\b", re.IGNORECASE)
MAPPING = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository as a source. ``mask`` is a keyed hash for mail addresses."""

    source: str
    settings: GitSettings
    mask: Callable[[str], str]

    @property
    def container(self) -> Container:
        """The repository as a container; its access record decides."""
        url = self.settings.url if self.settings.url.startswith(("https://", "http://")) else ""
        return Container(id=f"{self.source}:repository", type="Repository", name=self.settings.shown_name, url=url)

    @property
    def audience(self) -> Audience:
        """Who may open it, as the settings say."""
        visibility = Visibility.PUBLIC if self.settings.visibility == "public" else Visibility.RESTRICTED
        return Audience(visibility=visibility, container=self.container.id)

    def commit_id(self, sha: str) -> str:
        """Id of a commit as an object."""
        return f"{self.source}:commit/{sha}"

    def account(self, name: str, mail: str) -> Account:
        """The account behind a name and a mail address, of which only the keyed hash is kept."""
        hashed = self.mask(mail) if mail else ""
        kind = AccountType.SERVICE if _BOT.search(name) else AccountType.PERSON
        return Account(id=f"{self.source}:author/{hashed or name}", type=kind, name=name, address_hash=hashed)

    def itself(self) -> Account:
        """Who moved a ref: git does not know, so it is the repository."""
        return Account(id=f"{self.source}:git", type=AccountType.SERVICE, name=self.settings.shown_name)

    def provenance(self, kind: str, native: str, method: Method) -> Provenance:
        """How we know."""
        return Provenance(
            source=self.source,
            connector="git",
            connector_version="1",
            method=method,
            native_type=kind,
            native_id=native,
            authenticated=True,
            mapping=MAPPING,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A branch or tag. ``commit`` is what it leads to, also through a tag object."""

    name: str
    target: str
    commit: str
    tagger: str
    tagger_mail: str
    created: int

    @property
    def is_tag(self) -> bool:
        """Whether it is a tag."""
        return self.name.startswith("refs/tags/")

    @property
    def short(self) -> str:
        """Name without what all of its kind share."""
        return self.name.split("/", 2)[-1]


def refs(printed: str) -> Iterator[Ref]:
    """Parse `git for-each-ref` in REF_FORMAT."""
    for line in filter(None, printed.split("\n")):
        name, target, peeled, tagger, mail, created, *_ = line.split("\0")
        yield Ref(
            name=name,
            target=target,
            commit=peeled or target,
            tagger=tagger,
            tagger_mail=mail.strip("<>"),
            created=int(created or 0),
        )


def commit(repository: Repository, entry: str, method: Method) -> Activity:
    """Return a commit from one entry of `git log` in LOG_FORMAT with names of files; raises Reject when it is none."""
    parts = entry.split("\x1f")
    if len(parts) < _FIELDS:
        raise Reject(f"{repository.source}: an entry of git log has {len(parts)} fields, not {_FIELDS}")
    sha, parents, author, mail, authored, _committer, _committer_mail, committed, *body, files = parts
    message = "\x1f".join(body).strip()
    coauthors = {repository.account(m["name"], m["mail"]).id for m in _COAUTHOR.finditer(message)}
    actor = repository.account(author, mail)
    paths = [path.lstrip("\n") for path in files.split("\0")]
    return _activity(
        repository,
        kind=ActivityType.CREATE,
        verb="git.commit",
        native=f"commit/{sha}",
        at=committed,
        actor=actor,
        thing=Object(
            id=repository.commit_id(sha),
            type="Commit",
            title=message.partition("\n")[0],
            content=message,
            url=repository.settings.address_of(sha),
            version=sha,
        ),
        method=method,
        coauthors=tuple(sorted(coauthors - {actor.id})),
        files=tuple(path for path in paths if path)[: repository.settings.most_files],
        ext={"parents": parents} | ({"authored": authored} if authored != committed else {}),
    )


def tag(repository: Repository, ref: Ref, before: str, method: Method) -> Activity:
    """Return a new tag, or one that was moved from ``before``; raises Reject for one of a time that there is not."""
    kind = ActivityType.UPDATE if before else ActivityType.CREATE
    return _activity(
        repository,
        kind=kind,
        verb="git.tag",
        native=f"tag/{ref.short}",
        version=ref.target,
        at=ref.created,
        actor=repository.account(ref.tagger, ref.tagger_mail) if ref.tagger else repository.itself(),
        thing=Object(
            id=f"{repository.source}:tag/{ref.short}",
            type="Release",
            title=ref.short,
            version=ref.target,
            previous_version=before,
        ),
        method=method,
        ext={"commit": ref.commit},
    )


def forced(repository: Repository, ref: Ref, before: str, at: datetime) -> Activity:
    """Return that a branch was moved to where its old tip is no ancestor: history was rewritten."""
    return _activity(
        repository,
        kind=ActivityType.UPDATE,
        verb="git.force-push",
        native=f"branch/{ref.short}",
        version=f"{before}..{ref.commit}",
        at=at.timestamp(),
        actor=repository.itself(),
        thing=_branch(repository, ref.short, version=ref.commit, previous=before),
        method=Method.POLL,
    )


def gone(repository: Repository, name: str, before: str, at: datetime) -> Activity:
    """Return that a branch or tag is no longer there."""
    is_tag, short = name.startswith("refs/tags/"), name.split("/", 2)[-1]
    thing = (
        Object(id=f"{repository.source}:tag/{short}", type="Release", title=short, previous_version=before)
        if is_tag
        else _branch(repository, short, previous=before)
    )
    return _activity(
        repository,
        kind=ActivityType.REMOVE,
        verb="git.tag-delete" if is_tag else "git.branch-delete",
        native=f"{'tag' if is_tag else 'branch'}/{short}",
        version=before,
        at=at.timestamp(),
        actor=repository.itself(),
        thing=thing,
        method=Method.POLL,
    )


def dropped(repository: Repository, sha: str, at: datetime) -> Activity:
    """Return that a commit is on no ref any more: whoever rewrote history meant it to be gone."""
    return _activity(
        repository,
        kind=ActivityType.DELETE,
        verb="git.drop",
        native=f"commit/{sha}",
        at=at.timestamp(),
        actor=repository.itself(),
        thing=Object(id=repository.commit_id(sha), type="Tombstone", version=sha, order=micros(at)),
        method=Method.POLL,
        withdraws=(EVERY_VERSION,),
    )


def again(activity: Activity, at: datetime) -> Activity:
    """Return a commit that had been dropped and is on a ref again."""
    return replace(
        activity,
        id=f"{activity.id}#again/{micros(at)}",
        type=ActivityType.UNDO,
        verb="git.restore",
        object=replace(activity.object, order=micros(at)),
    )


def _time(repository: Repository, native: str, at: str | float) -> datetime:
    """Return seconds since 1970 as a time: git takes any number, also one that no calendar has."""
    try:
        return datetime.fromtimestamp(float(at), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Reject(f"{repository.source}: {native} is of a time that there is not ({at})") from error


def _branch(repository: Repository, short: str, *, version: str = "", previous: str = "") -> Object:
    return Object(
        id=f"{repository.source}:branch/{short}",
        type="Branch",
        title=short,
        version=version,
        previous_version=previous,
    )


def _activity(
    repository: Repository,
    *,
    kind: ActivityType,
    verb: str,
    native: str,
    at: str | float,
    actor: Account,
    thing: Object,
    method: Method,
    version: str = "",
    coauthors: Sequence[str] = (),
    files: Sequence[str] = (),
    withdraws: tuple[str, ...] = (),
    ext: dict[str, str] | None = None,
) -> Activity:
    return Activity(
        id=activity_id(repository.source, native, version, verb),
        type=kind,
        verb=verb,
        published=_time(repository, native, at),
        actor=actor,
        object=thing,
        context=(repository.container,),
        audience=repository.audience,
        files=tuple(files),
        coauthors=tuple(coauthors),
        withdraws=withdraws,
        provenance=repository.provenance(verb, native, method),
        ext=ext or {},
    )
