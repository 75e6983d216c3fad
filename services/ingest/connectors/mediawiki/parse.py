"""Revisions and log entries as the action API gives them (format version 2) -> activities. Pure.

A revision gives the same activity whether it was found through recent changes, its page's history or the list of all
revisions, since all three are only ways to its number; the same holds for a log entry.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.common.errors import Reject
from services.common.model import (
    EVERY_VERSION,
    Activity,
    ActivityType,
    Audience,
    Method,
    Object,
    Provenance,
    activity_id,
)
from services.ingest.connectors.mediawiki.site import (
    Site,
    account,
    instant,
    log_order,
    revision_order,
    summary_of,
    title_of,
    without_addresses,
)

MAPPING = 1
"""Version of this mapping; raise it when the same payload would give another activity."""
LOG_TYPES = ("delete", "move", "upload", "import")
"""Logs that are read. What protects, blocks or grants is no act on a text."""
DELETIONS = frozenset({"delete", "delete_redir", "delete_redir2"})
CATEGORY_SPACE = 14

Row = Mapping[str, Any]


def revision(site: Site, page: Row, row: Row, method: Method) -> Activity:
    """Return the creation or edit that a revision stands for; Reject when a needed field is missing."""
    try:
        new = row["parentid"] == 0
        verb = "wiki.create" if new else "wiki.edit"
        return Activity(
            id=activity_id(site.source, f"page/{page['pageid']}", str(row["revid"]), verb),
            type=ActivityType.CREATE if new else ActivityType.UPDATE,
            verb="wiki.comment" if _is_talk(page) else verb,
            published=instant(row["timestamp"]),
            actor=account(site, row),
            object=_page_at(site, page, row, revision_order(row["timestamp"], row["revid"])),
            context=site.context(page["ns"]),
            audience=Audience(visibility=site.visibility, container=site.container),
            tags=_categories(site, _text(row)),
            provenance=_provenance(site, method, "revision", f"rev/{row['revid']}"),
            ext=_ext(summary=summary_of(site, row), minor="true" if row.get("minor") else ""),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Reject(f"a revision of {site.source} cannot be read: {error!r} in {_sketch(row)}") from error


def suppressed(site: Site, page: Row, row: Row, method: Method) -> Activity | None:
    """Return the withdrawal of a revision that is hidden without a public log entry; None for any other revision."""
    if not row.get("suppressed"):
        return None
    shown = revision(site, page, row, method)
    return replace(
        shown,
        id=activity_id(site.source, f"page/{page['pageid']}", str(row["revid"]), "wiki.hide"),
        type=ActivityType.UPDATE,
        verb="wiki.hide",
        actor=account(site, {}),
        withdraws=(str(row["revid"]),),
        tags=(),
        ext={},
    )


def log_entry(site: Site, entry: Row, page: Row | None, row: Row | None, method: Method) -> Activity | None:
    """Return the activity for a log entry, None for one that is none of ours; Reject when a field is missing.

    ``page`` and ``row`` are the page and the revision that it showed right after; None when it is gone.
    """
    try:
        if "logpage" not in entry or "title" not in entry or not entry["logpage"]:
            return None  # what happened, or to which page, is hidden
        kind, action = entry["type"], entry["action"]
        if kind == "delete" and action in DELETIONS:
            return _deleted(site, entry, method)
        if kind == "delete" and action == "restore":
            return _shown_again(site, entry, page, row, method)
        if kind == "delete" and action == "revision":
            return _hidden(site, entry, method)
        if kind == "move":
            return _moved(site, entry, page, row, method)
    except (KeyError, ValueError, TypeError) as error:
        raise Reject(f"a log entry of {site.source} cannot be read: {error!r} in {_sketch(entry)}") from error
    return None


def brings_revisions(entry: Row) -> bool:
    """True for a log entry whose revisions are in no list of recent changes: uploads and imports."""
    return entry.get("type") in {"upload", "import"} and bool(entry.get("logpage"))


def needs_page(entry: Row) -> bool:
    """True for a log entry whose activity shows the page as it was right after."""
    wanted = entry.get("type") == "move" or entry.get("action") == "restore"
    return bool(wanted and entry.get("logpage") and "title" in entry)


def hidden_revisions(entry: Row) -> tuple[int, ...]:
    """Numbers of the revisions that a log entry hides or shows again; empty for any other entry."""
    parameters = entry.get("params")
    # The wiki writes an empty object as [] in some places and as {} in others.
    if entry.get("action") != "revision" or not isinstance(parameters, Mapping) or parameters.get("type") != "revision":
        return ()
    return tuple(int(number) for number in parameters.get("ids", ()))


def is_news(row: Row, sha1_of: Mapping[int, str]) -> bool:
    """False for revisions that the wiki writes by itself: with the text of their parent, or a page born as redirect.

    Moves and protections leave the first, moves the second; neither is in the recent changes, so neither may come in
    by another way. ``sha1_of`` gives the parents' hashes.
    """
    if row.get("parentid") == 0:
        return "mw-new-redirect" not in row.get("tags", ())
    return not is_dummy(row, sha1_of)


def is_dummy(row: Row, sha1_of: Mapping[int, str]) -> bool:
    """True when a revision has its parent's text: the wiki stores no such edit, only its own notes."""
    mine = row.get("sha1")
    return mine is not None and mine == sha1_of.get(row.get("parentid", 0))


def hashes(rows: Iterable[Row]) -> dict[int, str]:
    """Return the hashes of revisions by number, as far as they are not hidden."""
    return {row["revid"]: row["sha1"] for row in rows if "sha1" in row}


def unknown_parents(rows: Sequence[Row], known: Mapping[int, str]) -> list[int]:
    """Numbers of parents whose hash is needed and not known yet."""
    here = {row["revid"] for row in rows} | known.keys()
    return sorted({row["parentid"] for row in rows if row.get("parentid")} - here)


def _deleted(site: Site, entry: Row, method: Method) -> Activity:
    thing = Object(
        id=f"{site.source}:page/{entry['logpage']}",
        type="Tombstone",
        url=site.page_url(entry["logpage"]),
        title=title_of(site, entry["ns"], entry["title"]),
        version=f"log{entry['logid']}",
        order=log_order(entry["timestamp"], entry["logid"]),
    )
    activity = _of_log(site, entry, ActivityType.DELETE, "wiki.delete", thing, method)
    return replace(activity, withdraws=(EVERY_VERSION,))


def _shown_again(site: Site, entry: Row, page: Row | None, row: Row | None, method: Method) -> Activity | None:
    if page is None or row is None:
        return None  # deleted once more since; that deletion has its own entry
    thing = _page_at(site, page, row, log_order(entry["timestamp"], entry["logid"]))
    return _of_log(site, entry, ActivityType.UNDO, "wiki.restore", thing, method)


def _hidden(site: Site, entry: Row, method: Method) -> Activity | None:
    if not hidden_revisions(entry) or not entry["params"].get("new", {}).get("content"):
        return None  # only who or why is hidden: the revisions given again say so
    thing = Object(
        id=f"{site.source}:page/{entry['logpage']}",
        type="Article",
        url=site.page_url(entry["logpage"]),
        title=title_of(site, entry["ns"], entry["title"]),
        version=f"log{entry['logid']}",
        order=log_order(entry["timestamp"], entry["logid"]),
    )
    activity = _of_log(site, entry, ActivityType.UPDATE, "wiki.hide", thing, method)
    return replace(activity, withdraws=tuple(map(str, hidden_revisions(entry))))


def _moved(site: Site, entry: Row, page: Row | None, row: Row | None, method: Method) -> Activity | None:
    if page is None or row is None:
        return None
    space, title = entry["params"]["target_ns"], entry["params"]["target_title"]
    then = {**page, "ns": space, "title": title}  # it may have been moved again since
    thing = _page_at(site, then, row, revision_order(entry["timestamp"], row["revid"]))
    activity = _of_log(site, entry, ActivityType.MOVE, "wiki.move", thing, method)
    names = _ext(old=title_of(site, entry["ns"], entry["title"]), new=thing.title)
    return replace(
        activity,
        origin=site.namespace(entry["ns"]),
        target=site.namespace(space),
        context=site.context(space),
        ext={**activity.ext, **names},
    )


def _of_log(site: Site, entry: Row, kind: ActivityType, verb: str, thing: Object, method: Method) -> Activity:
    return Activity(
        id=activity_id(site.source, f"page/{entry['logpage']}", f"log{entry['logid']}", verb),
        type=kind,
        verb=verb,
        published=instant(entry["timestamp"]),
        actor=account(site, entry),
        object=thing,
        context=site.context(entry["ns"]),
        audience=Audience(visibility=site.visibility, container=site.container),
        provenance=_provenance(site, method, f"{entry['type']}/{entry['action']}", f"log/{entry['logid']}"),
        ext=_ext(summary=summary_of(site, entry)),
    )


def _page_at(site: Site, page: Row, row: Row, order: int) -> Object:
    """The page as one of its revisions shows it."""
    text = without_addresses(site, _text(row))
    subject = page.get("subjectid", 0)
    return Object(
        id=f"{site.source}:page/{page['pageid']}",
        type="Page" if _is_talk(page) else "Article",
        url=site.page_url(page["pageid"]),
        title=title_of(site, page["ns"], page["title"]),
        version=str(row["revid"]),
        previous_version=str(row["parentid"] or ""),
        order=order,
        in_reply_to=f"{site.source}:page/{subject}" if subject else "",
        content=text[: site.longest],
        media_type=_slot(row).get("contentformat", "text/x-wiki"),
        language=page.get("pagelanguagehtmlcode", ""),
        truncated=len(text) > site.longest,
    )


def _slot(row: Row) -> Row:
    slot: Row = row.get("slots", {}).get("main", {})
    return slot


def _text(row: Row) -> str:
    slot = _slot(row)
    if row.get("texthidden") or slot.get("texthidden") or row.get("sha1hidden"):
        return ""  # a reader with enough rights would get it all the same
    return str(slot.get("content", ""))


def _categories(site: Site, text: str) -> tuple[str, ...]:
    names = "|".join(re.escape(name) for name in {"Category", site.namespaces.get(CATEGORY_SPACE, "Category")})
    found = re.findall(rf"\[\[\s*(?:{names})\s*:\s*([^\]|\n]+)", text, re.IGNORECASE)
    return tuple(dict.fromkeys(name.strip().replace("_", " ") for name in found))


def _is_talk(page: Row) -> bool:
    return bool(page["ns"] > 0 and page["ns"] % 2 == 1)


def _provenance(site: Site, method: Method, native_type: str, native_id: str) -> Provenance:
    return Provenance(
        source=site.source,
        connector="mediawiki",
        connector_version="1",
        method=method,
        native_type=native_type,
        native_id=native_id,
        authenticated=site.api_url.startswith("https:"),
        mapping=MAPPING,
    )


def _ext(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _sketch(row: Row) -> str:
    """What may be said of a row in an error: its numbers, never its text."""
    return ", ".join(f"{key}={row[key]}" for key in ("revid", "logid", "type", "action", "timestamp") if key in row)
