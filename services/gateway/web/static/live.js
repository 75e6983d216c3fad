// A live feed: EventSource from the id that the page was made at, cards built from a <template>, text never as HTML.
import { listen } from "./source.js";
import { unread } from "./unread.js";

const feed = document.getElementById("feed");
const HELD = 200; // cards kept on the page; older ones are behind "Older"

const KINDS = { Commit: "commit", PullRequest: "pull", Article: "page", Page: "page", Note: "chat", Issue: "issue", Tombstone: "gone" };
const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });

function hue(text) { // as zlib.crc32 on the server, so that a face keeps its colour
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ((crc ^ -1) >>> 0) % 12;
}

function initials(name) {
  const words = name.replaceAll(/[-_]/g, " ").split(/\s+/).filter((w) => /^[\p{L}\p{N}]/u.test(w));
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((w) => [...w][0]).join("").toUpperCase() || "?";
}

function excerpt(content, title) {
  const text = (title && content.startsWith(title) ? content.slice(title.length) : content).split(/\s+/).filter(Boolean).join(" ");
  return text.length <= 280 ? text : text.slice(0, 280).replace(/ \S*$/, "") + " …";
}

function ago(published) { // as present.ago on the server
  const at = new Date(published), past = (Date.now() - at) / 1000;
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 172800) return `${Math.floor(past / 3600)} h ago`;
  const year = at.getUTCFullYear() === new Date().getUTCFullYear() ? {} : { year: "numeric" };
  return at.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC", ...year });
}

function coded(title) { // as rendering.coded on the server: what stands in backticks is code
  return title.split(/`([^`\n]+)`/).map((part, n) => {
    if (n % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

function build(template, phrases, viewer, activity) {
  const item = template.content.firstElementChild.cloneNode(true);
  const thing = activity.object;
  item.dataset.id = activity.id;
  item.dataset.page = `/objects/${encodeURIComponent(thing.id)}`;
  const who = activity.person || activity.actor.id;
  const name = activity.actor.name || who;
  const place = (activity.context || []).filter((c) => c.type !== "Thread").at(-1);
  const set = (selector, text, href) => {
    const node = item.querySelector(selector);
    if (text) { node.textContent = text; if (href) node.href = href; } else node.remove();
  };
  item.querySelector(".face").textContent = initials(name);
  item.querySelector(".face").classList.add(`hue${hue(who)}`);
  set(".who", name, `/people/${encodeURIComponent(who)}`);
  set(".phrase", phrases.verbs[activity.verb] || phrases.types[activity.type] || phrases.otherwise);
  set(".place", place && (place.name || place.id), place && `/?container=${encodeURIComponent(place.id)}`);
  const time = item.querySelector("time");
  time.dateTime = time.title = activity.published;
  time.textContent = ago(activity.published);
  const page = item.dataset.page;
  const gone = thing.type === "Tombstone";
  if (thing.title && !gone) {
    item.querySelector(".title span").replaceChildren(...coded(thing.title));
    item.querySelector(".title a").href = page;
    item.querySelector("use").setAttribute("href", `/static/icon.svg#${KINDS[thing.type] || "other"}`);
  } else item.querySelector(".title").remove();
  set(".text", gone ? "Deleted at its source." : excerpt(activity.text || thing.content || "", thing.title || ""));
  if (!thing.title && !gone && thing.content) {
    const link = document.createElement("a");
    link.className = "plain";
    link.href = page;
    link.append(...item.querySelector(".text").childNodes);
    item.querySelector(".text").append(link);
  }
  const links = item.querySelector(".links"), note = viewer && !gone && thing.id.startsWith("watercooler:note-");
  if (!note) links.remove();
  else {
    links.firstElementChild.href = `${page}#say`;
    if (thing.attributedTo === viewer) links.lastElementChild.href = `${page}#change`;
    else links.lastElementChild.remove();
  }
  return item;
}

function follow(feed) {
  const template = document.getElementById("card");
  const phrases = JSON.parse(feed.dataset.phrases);
  const state = document.getElementById("state");
  const fresh = document.getElementById("fresh");
  const conversation = feed.dataset.feed === "conversation"; // oldest first, each thing once, in its newest state
  const waiting = [];
  const seen = new Set([...feed.children].map((item) => item.dataset.id));

  const make = (activity) => build(template, phrases, feed.dataset.viewer, activity);
  const say = (name, words) => { if (state) { state.dataset.state = name; document.getElementById("state-text").textContent = words; } };
  const show = (item) => {
    document.getElementById("empty")?.remove();
    feed.prepend(item);
    while (feed.childElementCount > HELD) feed.lastElementChild.remove();
  };
  const flush = () => { waiting.splice(0).forEach(show); fresh.hidden = true; };
  const answer = (item) => { // the thing itself changes above: only what is said about it is listed here
    if (item.dataset.page === `/objects/${encodeURIComponent(feed.dataset.thing)}`) return;
    const before = [...feed.children].find((one) => one.dataset.page === item.dataset.page);
    if (before) before.replaceWith(item); else feed.append(item);
    document.getElementById("conversation").classList.remove("hidden");
  };

  fresh?.addEventListener("click", () => { flush(); window.scrollTo({ top: 0 }); });
  if (fresh) window.addEventListener("scroll", () => { if (window.scrollY < 80) flush(); }, { passive: true });

  listen(feed.dataset.stream, {
    open: () => say("live", "Live"),
    error: () => say("lost", "Reconnecting"),
    reset: () => location.reload(),
    unread: (event) => unread(JSON.parse(event.data)),
    redacted: (event) => { // its source took the content back: so does this page
      const activity = JSON.parse(event.data);
      const same = (item) => item.dataset.id === activity.id;
      const shown = [...feed.children].find(same);
      const at = waiting.findIndex(same);
      if (shown) shown.replaceWith(make(activity));
      if (at >= 0) waiting[at] = make(activity);
    },
    message: (event) => {
      if (!event.data) return;
      const said = JSON.parse(event.data);
      const activity = said.activity || said; // feeds of several questions say which of them it answers
      if (seen.has(activity.id)) return; // the stream begins a little before the page was made, so that nothing is missed
      seen.add(activity.id);
      if (seen.size > 10 * HELD) seen.delete(seen.values().next().value);
      const item = make(activity);
      if (conversation) return answer(item);
      if (window.scrollY < 80) return show(item);
      // Reading further down: what is read must not move away, so new ones wait behind a button.
      waiting.push(item);
      if (waiting.length > HELD) waiting.shift();
      fresh.hidden = false;
      fresh.textContent = `${waiting.length} new`;
    },
  });
}

if (feed?.dataset.stream) follow(feed);
