/* Nothing here is needed: every page works without scripts. */
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Buttons that do something only here are shown only here.
  all("[data-script]").forEach((element) => element.removeAttribute("hidden"));

  // "/" leads to the search, as in many programs.
  document.addEventListener("keydown", (event) => {
    const typing = /^(?:INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.getElementById("find");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });

  // Unfold and fold all phases.
  all("[data-fold]").forEach((button) => {
    button.addEventListener("click", () => {
      const open = button.dataset.fold === "open";
      if (open && document.querySelector("#phases [data-load]")) {
        // All at once from the server, not each by a request of its own.
        const address = new URL(location.href);
        address.searchParams.set("open", "all");
        address.hash = "phases";
        location.assign(address);
        return;
      }
      all("#phases details.phase").forEach((phase) => { phase.open = open; });
    });
  });

  // On paper nothing can be unfolded.
  const folded = () => all("#phases details.phase:not([open]):not([data-load])");
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = folded();
    unfolded.forEach((phase) => { phase.open = true; });
  });
  window.addEventListener("afterprint", () => {
    unfolded.forEach((phase) => { phase.open = false; });
    unfolded = [];
  });

  // What is in a phase of a long run comes when it is unfolded.
  const load = async (phase) => {
    const address = phase.dataset.load;
    if (!address) { return; }
    phase.removeAttribute("data-load");
    try {
      const answer = await fetch(address, { headers: { "X-Part": "phase" } });
      if (!answer.ok || answer.redirected) { throw new Error(answer.statusText); }
      phase.querySelector(".body").innerHTML = await answer.text();
      showTimes(phase);
    } catch {
      // The link that stands there leads to the same without a script.
      phase.dataset.load = address;
    }
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-load]") && event.target.open) { load(event.target); }
  }, true);

  // Times are written in UTC; here in the zone of the reader, if they like.
  const store = {
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } },
  };
  const two = (number) => String(number).padStart(2, "0");
  const local = (moment) =>
    `${String(moment.getFullYear()).padStart(4, "0")}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ` +
    `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  let inUTC = store.get("zone") === "utc";
  const showTimes = (root = document) => {
    all("time[datetime]", root).forEach((element) => {
      element.dataset.utc ??= element.textContent;
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) { return; }
      element.textContent = inUTC ? element.dataset.utc : local(moment);
      element.title = inUTC ? "" : `${element.dataset.utc} UTC`;
    });
  };
  const zone = document.getElementById("zone");
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const showZone = () => {
    if (zone) { zone.textContent = inUTC ? "times are in UTC" : `times are in ${name}, days of filters and charts in UTC`; }
    all("[data-zone]").forEach((button) => { button.textContent = inUTC ? `Show times in ${name}` : "Show times in UTC"; });
    showTimes();
  };
  all("[data-zone]").forEach((button) => {
    button.addEventListener("click", () => {
      inUTC = !inUTC;
      store.set("zone", inUTC ? "utc" : "local");
      showZone();
    });
  });
  showZone();
  if (name === "UTC") { all("[data-zone]").forEach((button) => { button.hidden = true; }); }

  // New runs: the figures follow by themselves, or say so to who wants no motion.
  const live = document.querySelector("[data-live]");
  const status = document.getElementById("live");
  if (live && status) {
    const box = document.querySelector("[data-live-switch]");
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const isBusy = () => live.contains(document.activeElement) || live.querySelector("input:checked") || getSelection().toString();
    let known = null;
    const look = async () => {
      if (document.hidden || !box.checked) { return; }
      const answer = await fetch("/state", known ? { headers: { "If-None-Match": known } } : {});
      if (answer.status === 304 || !answer.ok || answer.redirected) { return; }
      known = answer.headers.get("ETag");
      const newest = String((await answer.json()).newest);
      if (newest === live.dataset.live) { return; }
      if (still.matches || isBusy()) {
        status.innerHTML = '<a href="">There are new runs: show them</a>';
        known = null;
        return;
      }
      const page = await fetch(location.href);
      const fresh = new DOMParser().parseFromString(await page.text(), "text/html").getElementById(live.id);
      if (page.ok && fresh) {
        live.replaceChildren(...fresh.childNodes);
        live.dataset.live = fresh.dataset.live;
        showTimes(live);
        status.textContent = `Updated at ${local(new Date())}`;
      }
    };
    const seconds = 5;
    box.checked = store.get("live") !== "off";
    box.addEventListener("change", () => { store.set("live", box.checked ? "on" : "off"); look(); });
    // A server that is away for a while is asked again.
    setInterval(() => { look().catch(() => {}); }, seconds * 1000);
  } else {
    all("[data-live-label]").forEach((label) => { label.hidden = true; });
  }

  // A link to something within folded phases unfolds them.
  const reveal = () => {
    if (location.hash.length < 2) { return; }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
    if (target.dataset.load && target.open) { load(target); }
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // Long tables of measurements: only what failed.
  all("[data-only-failed]").forEach((box) => {
    box.addEventListener("change", () => {
      document.getElementById("phases").classList.toggle("only-failed", box.checked);
    });
  });
})();
