// The list of rows: chunks near the screen are filled, the others are blocks of their height.

const CHUNK = 25; // rows that are built at once
const PRINTED = 8; // chunks that are printed
let shown = [];
let usual = 4500; // pixels of a chunk, until one was measured
const near = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (isIntersecting) fill(target);
    else if (target.firstChild) empty(target);
  }
}, { root: byId("list"), rootMargin: "1500px 0px" });

function fill(chunk) {
  if (chunk.firstChild) return;
  const start = Number(chunk.dataset.start);
  chunk.append(...shown.slice(start, start + CHUNK).map((row, place) => item(row, start + place, shown.length)));
  chunk.style.height = "";
}

function empty(chunk) {
  usual = chunk.offsetHeight;
  chunk.style.height = `${usual}px`;
  chunk.replaceChildren();
}

function show(rows) {
  shown = rows;
  near.disconnect();
  const chunks = [];
  for (let start = 0; start < rows.length; start += CHUNK) {
    const chunk = make("div", { class: start < PRINTED * CHUNK ? "chunk" : "chunk unprinted", "data-start": start });
    chunk.style.height = `${Math.ceil(usual * Math.min(1, (rows.length - start) / CHUNK))}px`;
    chunks.push(chunk);
  }
  byId("items").replaceChildren(...chunks);
  byId("items").hidden = byId("list").hidden = !rows.length;
  byId("list").scrollTop = 0;
  if (chunks.length) fill(chunks[0]);
  chunks.forEach((chunk) => near.observe(chunk));
}

addEventListener("beforeprint", () => {
  document.querySelectorAll("details.rest").forEach((details) => { details.open = true; });
  byId("items").querySelectorAll(".chunk:not(.unprinted)").forEach(fill);
});
