// One row: its text, what was said of it, and why it matters.

const found = stored("data-rows");
const SHORT = 400; // characters of a text until the reader asks for more
const columns = Object.keys(found.slices);
const marksOf = found.ids.map(() => []);
found.marks.forEach((mark) => mark.rows.forEach((row) => marksOf[row].push(mark)));
const opened = new Set();

function textOf(row) {
  const text = found.texts[row] ?? ""; // a page that is shared without texts has none
  const whole = found.lengths[row] ?? 0;
  const open = opened.has(row);
  const element = make("p", { class: "text", dir: "auto" });
  const shown = open ? text : text.slice(0, SHORT).replace(/[\ud800-\udbff]$/, "");
  element.append(shown + (shown.length < text.length || (open && whole > found.longest) ? "\u2026" : ""));
  if (!open && shown.length < text.length) {
    const all = whole > found.longest ? `the first ${counted(found.longest)} of ${counted(whole)}` : `all ${counted(whole)}`;
    const button = make("button", { type: "button" }, `Show ${all} characters`);
    button.addEventListener("click", () => {
      opened.add(row);
      element.replaceWith(textOf(row));
    });
    element.append(button);
  } else if (whole > found.longest) {
    element.append(make("small", {}, ` (the first ${counted(found.longest)} of ${counted(whole)} characters)`));
  }
  return element;
}

function label(code, gold) {
  if (code < 0) return make("dd", {}, "no label");
  if (gold < 0 || code === gold) return make("dd", {}, found.classes[code]);
  const cross = make("span", { "aria-hidden": "true" }, "\u2717 ");
  return make("dd", { class: "wrong" }, cross, make("span", { class: "heard" }, "wrong: "), found.classes[code]);
}

function fact(name, value, more) {
  if (more) value.append(make("span", { class: "sure" }, ` ${more}`));
  return make("div", {}, make("dt", {}, name), value);
}

function factsOf(row) {
  const gold = found.gold[row];
  const facts = [fact("gold", make("dd", {}, gold < 0 ? "not known" : found.classes[gold]))];
  for (const [name, { labels, sure }] of Object.entries(found.annotators)) {
    const asked = row < found.test_rows || labels[row] >= 0;
    if (asked) facts.push(fact(`annotator ${name}`, label(labels[row], gold), sure[row] < 0 ? "" : `${sure[row]} % sure`));
  }
  if (row < found.test_rows) {
    for (const [name, { labels, agree }] of Object.entries(found.sources)) {
      facts.push(fact(`students of ${name}`, label(labels[row], gold), `${agree[row]} of ${found.seeds}`));
    }
  }
  for (const column of columns) {
    const code = found.slices[column].of[row];
    if (code >= 0) facts.push(fact(column, make("dd", {}, found.slices[column].names[code])));
  }
  return make("dl", { class: "facts" }, ...facts);
}

function whyOf(row) {
  const names = new Map();
  for (const { reason, who } of marksOf[row]) names.set(reason, [...(names.get(reason) || []), who]);
  const parts = [...names].map(([reason, who]) => `${found.reasons[reason].title} (${who.join(", ")})`);
  const split = row < found.test_rows ? "test row" : "train row";
  return make("p", { class: "why" }, `${parts.join("; ")}. ${split} ${found.ids[row]}`);
}

function item(row, place, of) {
  const attributes = { class: "row", role: "listitem", "aria-posinset": place + 1, "aria-setsize": of };
  return make("div", attributes, textOf(row), factsOf(row), whyOf(row));
}
