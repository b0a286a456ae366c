// Which rows are shown: filters, and the link that keeps them.

// --- what is searched in, made when it is first needed
let lowered = null;
function searched() {
  lowered = lowered || found.ids.map((id, row) => `${found.texts[row] ?? ""}\n${id}`.toLowerCase());
  return lowered;
}

const MOST_VALUES = 500; // of a column, the most frequent, that can be chosen

// --- filters; `all` says what no choice means
const fields = [
  { key: "q", name: "Search texts and ids" },
  { key: "reason", name: "Why it matters", all: "any reason", options: found.reasons.map(({ key, title }) => [key, title]) },
  {
    key: "who", name: "Source or annotator", all: "all",
    options: [
      ...Object.keys(found.sources).map((name) => [`source:${name}`, `source ${name}`]),
      ...Object.keys(found.annotators).map((name) => [`annotator:${name}`, `annotator ${name}`]),
    ],
  },
  { key: "gold", name: "Gold class", all: "all", options: found.classes.map((name) => [name, name]) },
  { key: "said", name: "Labelled as", all: "anything", options: found.classes.map((name) => [name, name]) },
  ...columns.map((column) => ({
    key: `slice.${column}`, name: column, all: "all",
    options: found.slices[column].names.slice(0, MOST_VALUES).map((name) => [name, name]),
  })),
];

function control({ key, all, options }) {
  if (!options) return make("input", { id: `filter-${key}`, name: key, type: "search", autocomplete: "off" });
  const choices = [["", all], ...options].map(([value, shown]) => make("option", { value }, shown));
  return make("select", { id: `filter-${key}`, name: key }, ...choices);
}

const form = byId("filters");
const controls = new Map(fields.map((field) => [field.key, control(field)]));
for (const { key, name } of fields) {
  form.append(make("div", {}, make("label", { for: `filter-${key}` }, name), controls.get(key)));
}
form.append(make("button", { type: "reset" }, "Show all rows"));

const chosen = () => new Map([...controls].map(([key, { value }]) => [key, value]).filter(([, value]) => value));

// --- which rows
const parsed = (who) => who.split(":"); // source:NAME or annotator:NAME; names have no colon

function isAbout(mark, who) {
  const [kind, name] = parsed(who);
  const ofAnnotator = found.reasons[mark.reason].key === "wrong"; // all other reasons are about sources
  if (kind === "annotator") return ofAnnotator ? mark.who === name : found.sources[mark.who].annotator === name;
  return ofAnnotator ? mark.who === found.sources[name].annotator : mark.who === name;
}

// The rows of the marks that are asked for, in the order of their ranks.
function ranked(reason, who) {
  if (!reason && !who) return found.ids.map((_, row) => row);
  const best = new Map();
  for (const mark of found.marks) {
    if ((reason && found.reasons[mark.reason].key !== reason) || (who && !isAbout(mark, who))) continue;
    mark.rows.forEach((row, rank) => best.set(row, Math.min(rank, best.has(row) ? best.get(row) : rank)));
  }
  return [...best.keys()].sort((one, other) => best.get(one) - best.get(other) || one - other);
}

// Whether anybody said so: of a source its students, or its annotator.
function wasSaid(row, code, who) {
  if (!who) return [...Object.values(found.annotators), ...Object.values(found.sources)].some(({ labels }) => labels[row] === code);
  const [kind, name] = parsed(who);
  const source = kind === "source" ? found.sources[name] : { annotator: name, labels: [] };
  const annotator = found.annotators[source.annotator] ?? { labels: [] }; // gold is none
  return annotator.labels[row] === code || source.labels[row] === code;
}

function matching(filter) {
  const tests = [];
  if (filter.has("gold")) {
    const code = found.classes.indexOf(filter.get("gold"));
    tests.push((row) => found.gold[row] === code);
  }
  if (filter.has("said")) {
    const code = found.classes.indexOf(filter.get("said"));
    tests.push((row) => wasSaid(row, code, filter.get("who")));
  }
  for (const column of columns) {
    const value = filter.get(`slice.${column}`);
    if (value === undefined) continue;
    const { names, of } = found.slices[column];
    const code = names.indexOf(value);
    tests.push((row) => of[row] === code);
  }
  if (filter.has("q")) {
    const words = filter.get("q").toLowerCase();
    tests.push((row) => searched()[row].includes(words));
  }
  return ranked(filter.get("reason"), filter.get("who")).filter((row) => tests.every((test) => test(row)));
}

// --- filter, count, link
const START = "#rows?";

function update({ keep = true } = {}) {
  const filter = chosen();
  const rows = matching(filter);
  show(rows);
  byId("count").textContent = `${counted(rows.length)} of ${counted(found.ids.length)} rows`;
  const link = filter.size ? START + new URLSearchParams([...filter]) : "#rows";
  byId("link").href = link;
  if (!keep) return;
  try {
    history.replaceState(null, "", link);
  } catch {
    // a browser that changes no address of a file; the link is there all the same
  }
}

function followLink() {
  if (!location.hash.startsWith(START)) return false;
  const wanted = new URLSearchParams(location.hash.slice(START.length));
  for (const [key, element] of controls) {
    const value = wanted.get(key) || "";
    element.value = value; // a select takes none that it does not have
    if (element.value !== value) element.value = "";
  }
  update({ keep: false });
  byId("rows").scrollIntoView({ behavior: "instant" });
  return true;
}

let typing = 0;
form.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(update, target.type === "search" ? 120 : 0);
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(update, 0));
addEventListener("hashchange", followLink);

byId("reasons").append(...found.reasons.map(({ key, title, reading, total, left_out: rest }) => {
  if (!total) return make("li", {}, make("strong", {}, title), " (none here).");
  const rows = rest ? `${counted(total)} rows, of which the page holds ${counted(total - rest)}` : `${counted(total)} rows`;
  return make("li", {}, make("a", { href: `${START}reason=${key}` }, title), ` (${rows}). ${reading}`);
}));
if (!found.texts.length) {
  byId("cut").textContent = "The texts are not on this page; ids name the rows of the corpus.";
} else if (found.lengths.some((length) => length > found.longest)) {
  byId("cut").textContent = `The page holds the first ${counted(found.longest)} characters of longer texts.`;
}
if (!followLink()) update({ keep: false });
