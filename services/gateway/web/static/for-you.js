// The For-you page with scripts: the dial and every act work in place; without them the same forms reload the page.
import { listen } from "./source.js";
import { unread } from "./unread.js";

const list = document.getElementById("for-you");

function enhance(list) {
  const said = document.getElementById("said"), fresh = document.getElementById("fresh"), dial = document.getElementById("dial");
  const range = dial.elements.surprise, words = JSON.parse(list.dataset.words);
  const here = () => { const url = new URL(location.href); url.search = new URLSearchParams(new FormData(dial)); return url; };

  async function reload() { // the list as the server ranks it, put in place of this one
    const answer = await fetch(here());
    if (!answer.ok) return say("That did not work. Reload the page.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...page.getElementById("for-you").children);
    document.getElementById("empty")?.remove();
    const empty = page.getElementById("empty");
    if (empty) list.after(empty);
    fresh.hidden = true;
  }

  function say(text, undo) {
    const line = document.createElement("p");
    line.textContent = text;
    said.replaceChildren(line);
    if (!undo) return;
    const button = document.createElement("button");
    button.textContent = "Undo";
    button.addEventListener("click", undo);
    said.append(button);
  }

  async function send(form, kind, undone) {
    const given = new FormData(form);
    const act = { subject: given.get("subject"), kind, undone, surface: "for-you", rank: Number(given.get("rank") || 0), dial: Number(range.value) };
    const answer = await fetch("/v1/feedback" + new URL(form.action).search, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(act) });
    if (!answer.ok) throw new Error(answer.statusText);
  }

  async function react(form, button) {
    const undone = button.value.startsWith("undo:"), kind = button.value.replace("undo:", "");
    try {
      await send(form, kind, undone);
    } catch { return say("That was not stored. Try again in a moment."); }
    if (button.hasAttribute("aria-pressed")) { // stays on the card, and can be taken back there
      button.setAttribute("aria-pressed", String(!undone));
      button.value = (undone ? "" : "undo:") + kind;
      return say(undone ? "Taken back." : words[kind]);
    }
    const card = button.closest("li");
    const next = (card.nextElementSibling || card.previousElementSibling)?.querySelector("a, button");
    card.remove();
    say(words[kind], async () => { await send(form, kind, true); await reload(); say("Taken back."); });
    (next || said.querySelector("button")).focus(); // where one reads on, not at the top of the page
    if (kind === "mute") await reload();
  }

  list.addEventListener("submit", (event) => {
    event.preventDefault();
    react(event.target, event.submitter);
  });
  let later;
  range.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(async () => { history.replaceState(null, "", here()); await reload(); say("Ranked anew."); }, 150);
  });
  dial.querySelector("button").hidden = true;

  let waiting = 0;
  listen(list.dataset.stream, {
    message: (event) => {
      if (!event.data) return;
      waiting += 1;
      fresh.hidden = false;
      fresh.textContent = `${waiting} new`;
    },
    withdrawn: (event) => { // its source took it back, or you may not open it any more
      const gone = JSON.parse(event.data).object;
      for (const field of list.querySelectorAll("input[name=subject]")) if (field.value === gone) field.closest("li")?.remove();
    },
    reset: reload,
    unread: (event) => unread(JSON.parse(event.data)),
  });
  fresh.addEventListener("click", async () => { waiting = 0; await reload(); window.scrollTo({ top: 0 }); });
}

if (list?.dataset.stream) enhance(list);
