// What is unread, wherever this page says it: the stream tells it, so that no page has to be loaded for it.

// `said` has a count by feed, and when they were counted.
export function unread(said) {
  for (const mark of document.querySelectorAll("[data-unread]")) {
    const count = said[mark.dataset.unread];
    if (count === undefined) continue;
    mark.hidden = !count;
    mark.firstElementChild.textContent = count < 100 ? count : "99+";
  }
  for (const line of document.querySelectorAll("[data-read]")) {
    const count = said[line.dataset.read];
    if (count === undefined) continue;
    const since = line.dataset.since ? ` since ${line.dataset.since}` : "";
    line.querySelector("p").textContent = (count ? `${count.toLocaleString("en")} new` : "Nothing new") + since;
    const form = line.querySelector("form");
    form.hidden = !count;
    form.elements.until.value = said.at; // what came by itself is read with the rest
    document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }
}
