// What hinders people with a keyboard, a screen reader or weak eyes; an empty list if nothing does.
const faults = [];
const say = (what, element) => faults.push(`${what}: ${element ? element.outerHTML.slice(0, 120) : ""}`);
const all = (selector) => [...document.querySelectorAll(selector)];
const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
const nameOf = (element) => {
  const labels = (element.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
  return element.getAttribute("aria-label")
    || labels.map((id) => document.getElementById(id)?.textContent || "").join(" ")
    || [...(element.labels || [])].map((label) => label.textContent).join(" ")
    || element.title || element.textContent.trim()
    || [...element.querySelectorAll("img")].map((image) => image.alt).join("");
};

if (!document.documentElement.lang) { say("no language"); }
if (!document.title) { say("no title"); }
for (const tag of ["main", "h1"]) { if (all(tag).length !== 1) { say(`not one ${tag}`); } }
let last = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const level = Number(heading.tagName[1]);
  if (level > last + 1) { say("a level of headings is left out", heading); }
  last = level;
}
const ids = all("[id]").map((element) => element.id);
if (new Set(ids).size !== ids.length) { say("an id occurs twice"); }
for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
  for (const element of all(`[${name}]`)) {
    if (element.getAttribute(name).split(" ").some((id) => !document.getElementById(id))) { say(`${name} leads nowhere`, element); }
  }
}
for (const element of all("a[href], button, summary, select, textarea, input:not([type=hidden])")) {
  if (!nameOf(element).trim()) { say("has no name", element); }
}
for (const image of all("img:not([alt])")) { say("has no text for who does not see it", image); }
for (const table of all("table")) {
  if (!table.caption && !nameOf(table)) { say("a table without a name", table); }
  for (const head of table.querySelectorAll("th:not([scope])")) { say("a head without a scope", head); }
}
for (const element of all("[tabindex]")) { if (element.tabIndex > 0) { say("breaks the order of tab stops", element); } }
for (const element of all("main *")) {
  const style = getComputedStyle(element);
  const scrolls = /auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
  if (scrolls && element.tabIndex < 0) { say("cannot be scrolled by keys", element); }
}
if (!document.querySelector(".skip") || !document.querySelector("[role=status]")) { say("no way past the head, or no status"); }
if (document.documentElement.scrollWidth > innerWidth) { say(`is ${document.documentElement.scrollWidth} px wide`); }

// Contrast as drawn: each text against its grounds, which may let those below through.
const parse = (colour) => {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+(?:e-?\d+)?/g).map(Number);
  const most = colour.startsWith("color(srgb") ? 1 : 255;
  return [red / most, green / most, blue / most, alpha];
};
const brightness = (colour) => {
  const [red, green, blue] = colour.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const groundOf = (element) => {
  if (!element) { return [1, 1, 1]; }
  const [red, green, blue, alpha] = parse(getComputedStyle(element).backgroundColor);
  if (alpha === 1) { return [red, green, blue]; }
  const below = groundOf(element.parentElement);
  return [red, green, blue].map((part, place) => alpha * part + (1 - alpha) * below[place]);
};
const seen = new Set();
for (const element of all("body *:not(svg, svg *, script, option)")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!hasText || !isShown(element) || element.closest(".visually-hidden, .skip")) { continue; }
  const style = getComputedStyle(element);
  const ground = groundOf(element);
  const [low, high] = [brightness(parse(style.color)), brightness(ground)].sort((a, b) => a - b);
  const isLarge = parseFloat(style.fontSize) >= 24;
  const key = `${style.color} on ${ground}`;
  if ((high + 0.05) / (low + 0.05) < (isLarge ? 3 : 4.5) && !seen.has(key)) {
    seen.add(key);
    say(`weak contrast, ${key}`, element);
  }
}
return faults;
