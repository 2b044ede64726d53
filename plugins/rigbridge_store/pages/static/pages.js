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
      const search = document.getElementById("find-serial");
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
      all("#phases details.phase").forEach((phase) => { phase.open = open; });
    });
  });

  // A link to something within folded phases unfolds them.
  const reveal = () => {
    if (location.hash.length < 2) { return; }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
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
