// Charts: each is drawn when it comes near the screen, the others when the browser has nothing else to do.

const { specs, themes } = stored("data-charts");
const drawn = new Map(); // by place: what was drawn there, so that it can be removed
const width = (place) => place.clientWidth;

// what a link leads to stays in view while charts above it are drawn, until the reader moves
let led = null;
const lead = () => { led = byId(location.hash.slice(1).split("?")[0]); };
const leave = () => { led = null; };
lead();
addEventListener("hashchange", lead);
for (const move of ["wheel", "keydown", "pointerdown", "touchstart"]) addEventListener(move, leave, { passive: true });

async function draw(place) {
  const state = drawn.get(place) || { turn: 0 };
  drawn.set(place, state);
  const turn = ++state.turn;
  state.width = width(place);
  if (!state.width) return; // in a part that is closed
  const canvas = make("div", { "aria-hidden": "true" }); // the place itself says what is shown
  const result = await vegaEmbed(canvas, labelriskFitted(specs[place.dataset.chart], state.width), {
    actions: false,
    ast: true, // expressions are interpreted, so that the page needs no eval
    config: { ...themes[theme()], aria: false },
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  });
  if (turn !== state.turn) {
    result.finalize();
    return;
  }
  if (state.result) state.result.finalize();
  state.result = result;
  place.replaceChildren(canvas);
  if (led) led.scrollIntoView({ behavior: "instant" }); // a smooth one would be overtaken by the next chart
}

const places = [...document.querySelectorAll("[data-chart]")];
const soon = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (isIntersecting && !drawn.has(target)) draw(target);
  }
}, { rootMargin: "600px" });
places.forEach((place) => soon.observe(place));

// Safari has no requestIdleCallback
const whenIdle = window.requestIdleCallback || ((act) => setTimeout(act, 200));

function drawRest() {
  const next = places.find((place) => !drawn.has(place));
  if (next) whenIdle(() => draw(next).finally(drawRest), { timeout: 5000 });
}
addEventListener("load", () => whenIdle(drawRest));

themeChanged.addEventListener("change", () => [...drawn.keys()].forEach(draw));
let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const [place, state] of drawn) if (state.width !== width(place)) draw(place);
  }, 150);
});
