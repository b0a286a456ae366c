"use strict";
// Small helpers, the theme, definitions, tables that are built when they are opened.

const byId = (id) => document.getElementById(id);
const stored = (id) => JSON.parse(byId(id).textContent);
const counted = (number) => number.toLocaleString("en-US");

// An element with attributes and children; texts become text, never markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

document.documentElement.classList.add("scripted");

// --- theme: the system's, until the reader chooses; the choice is kept where the browser lets a file keep things
const system = matchMedia("(prefers-color-scheme: dark)");
const themeChanged = new EventTarget();

function theme() {
  return document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
}

function tellTheme() {
  document.documentElement.classList.toggle("dark-charts", theme() === "dark");
  const other = theme() === "dark" ? "Light" : "Dark";
  byId("theme").textContent = other;
  byId("theme").setAttribute("aria-label", `${other} theme`);
  themeChanged.dispatchEvent(new Event("change"));
}

function keepTheme(chosen) {
  try {
    if (chosen === undefined) return localStorage.getItem("labelrisk-theme");
    localStorage.setItem("labelrisk-theme", chosen);
  } catch {
    // a browser that keeps nothing for files
  }
  return null;
}

if (["light", "dark"].includes(keepTheme())) document.documentElement.dataset.theme = keepTheme();
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  keepTheme(theme());
  tellTheme();
});
system.addEventListener("change", tellTheme);
tellTheme();

// --- definitions: on focus, hover and click; Escape closes, and the pointer may go into them
const definition = make("div", { id: "definition", role: "tooltip", hidden: "" });
document.body.append(definition);
let closing = 0;

function define(term) {
  clearTimeout(closing);
  definition.textContent = byId(term.getAttribute("aria-describedby")).textContent;
  definition.hidden = false;
  const at = term.getBoundingClientRect();
  const room = document.documentElement.clientWidth - definition.offsetWidth - 8;
  definition.style.left = `${Math.max(8, Math.min(at.left, room)) + scrollX}px`;
  const below = at.bottom + definition.offsetHeight + 8 < innerHeight;
  definition.style.top = `${(below ? at.bottom + 4 : at.top - definition.offsetHeight - 4) + scrollY}px`;
}

function forget() {
  clearTimeout(closing);
  definition.hidden = true;
}

function forgetSoon() {
  clearTimeout(closing);
  closing = setTimeout(forget, 150);
}

for (const event of ["pointerover", "focusin", "click"]) {
  document.addEventListener(event, ({ target }) => {
    if (target.classList && target.classList.contains("term")) define(target);
    else if (target === definition) clearTimeout(closing);
  });
}
for (const event of ["pointerout", "focusout"]) {
  document.addEventListener(event, ({ target }) => {
    if (target === definition || (target.classList && target.classList.contains("term"))) forgetSoon();
  });
}
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  forget();
  byId("parts").open = false;
});

// --- the list of parts closes when one is chosen, or when the reader goes elsewhere
byId("parts").addEventListener("click", ({ target }) => {
  if (target.tagName === "A") byId("parts").open = false;
});
document.addEventListener("click", ({ target }) => {
  if (!byId("parts").contains(target)) byId("parts").open = false;
});

// --- large tables
const tables = stored("data-tables");

function dataTable({ caption, header, rows, file, left_out, numbers }) {
  const kind = (place) => (numbers.includes(header[place]) ? { class: "number" } : {});
  const head = make("tr", {}, ...header.map((name, place) => make("th", { scope: "col", ...kind(place) }, name)));
  const body = rows.map(([name, ...cells]) =>
    make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell, place) => make("td", kind(place + 1), cell))));
  const table = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
  const rest = left_out ? `${counted(left_out)} more rows stand in ${file}.` : `From ${file}.`;
  return [
    make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption }, table),
    make("p", { class: "from" }, rest),
  ];
}

for (const details of document.querySelectorAll("details[data-table]")) {
  details.addEventListener("toggle", () => details.append(...dataTable(tables[details.dataset.table])), { once: true });
}
