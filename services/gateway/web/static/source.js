// An EventSource that comes back whatever happens. A browser tries again when a connection breaks, but gives up for good when it
// is refused, as by a proxy while the gateway behind it restarts; then it is opened anew from where it was.
const LONGEST = 30; // seconds between two tries

// `on` has a handler for each event by name, and for `open` and `error`.
export function listen(address, on) {
  const { open, error, ...events } = on;
  let last = "", seconds = 1, source, later;

  function begin() {
    const url = new URL(address, location);
    if (last) url.searchParams.set("last_event_id", last);
    source = new EventSource(url);
    source.addEventListener("open", () => { seconds = 1; open?.(); });
    source.addEventListener("error", () => {
      error?.();
      if (source.readyState !== EventSource.CLOSED) return;
      later = setTimeout(begin, seconds * 1000 * (1 + Math.random()));
      seconds = Math.min(2 * seconds, LONGEST);
    });
    for (const [name, handler] of Object.entries(events)) source.addEventListener(name, (event) => {
      last = event.lastEventId || last;
      handler(event);
    });
  }

  window.addEventListener("pagehide", () => { clearTimeout(later); source.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
  begin();
}
