"use strict";
// Buttons, keys, pointer, language and colours; and where the page begins.

const at = (id) => document.getElementById(id);
const remembered = {
  // a page in a frame may not be allowed to remember
  get(key) {
    try {
      return localStorage.getItem(`dezero-${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`dezero-${key}`, value);
    } catch {
      /* then it does not */
    }
  },
};
const SPEEDS = [
  [1, 1400],
  [2, 700],
  [4, 350],
  [0.5, 2800],
];
let playing = 0,
  speed = 0;

function tell(text) {
  at("live").textContent = text;
}

let noticed = 0;

/* Say why nothing happened, to all readers, and for some seconds. */
function warn(text) {
  tell(text);
  at("notice").textContent = text;
  at("notice").hidden = false;
  clearTimeout(noticed);
  noticed = setTimeout(() => (at("notice").hidden = true), 6000);
}

/* Show a step. */
function go(step, quiet = false) {
  now = Math.min(steps.length - 1, Math.max(0, step));
  paint();
  fillPanel();
  const slider = at("slider");
  slider.value = now;
  slider.style.setProperty("--at", `${(100 * now) / Math.max(1, steps.length - 1)}%`);
  slider.setAttribute("aria-valuetext", stepText());
  document.body.classList.toggle("backward", isBackward(now));
  at("counter").textContent = `${now} / ${steps.length - 1}`;
  at("first").disabled = at("previous").disabled = now === 0;
  at("last").disabled = at("next").disabled = now === steps.length - 1;
  if (now === steps.length - 1) pause();
  const focus =
    steps[now].f !== undefined
      ? boxOf(steps[now].f)
      : steps[now].kind === "seed"
        ? boxOfValue(walk.seeds[0][0])
        : "";
  if (focus) {
    reveal(focus);
    rove(focus);
  }
  if (!quiet) tell(spoken());
}

/* To the next step that is in another box: over what is folded. */
function leap(direction) {
  const box = (step) => (steps[step].f === undefined ? steps[step].kind : boxOf(steps[step].f));
  let step = now + direction;
  while (
    steps[step] &&
    step > 0 &&
    step < steps.length - 1 &&
    box(step) === box(now) &&
    box(now)[0] === "g"
  )
    step += direction;
  go(step);
}

function play() {
  if (now === steps.length - 1) go(0);
  clearInterval(playing);
  playing = setInterval(() => go(now + 1), SPEEDS[speed][1]);
  showPlaying();
}

function pause() {
  clearInterval(playing);
  playing = 0;
  showPlaying();
}

function showPlaying() {
  at("play").setAttribute("aria-pressed", String(Boolean(playing)));
  name("play", playing ? "pause" : "play");
}

function name(id, key) {
  at(id).setAttribute("aria-label", say(key));
  at(id).title = say(key);
}

function select(id) {
  selected = id === selected ? "" : id;
  if (selected) {
    open(selected);
    rove(selected);
    reveal(selected);
  }
  paint();
  fillPanel();
}

/* Exactly one box of the graph is reached with Tab; arrow keys move on from there. */
function rove(id, focus = false) {
  const box = boxes.get(id);
  if (!box) return;
  for (const other of document.querySelectorAll('#graph [tabindex="0"]'))
    other.setAttribute("tabindex", "-1");
  box.element.setAttribute("tabindex", "0");
  if (focus) box.element.focus({ preventScroll: true });
}

/* --- words ---------------------------------------------------------------------------------- */

function speak(code) {
  language = WORDS[code] ? code : "en";
  document.documentElement.lang = language;
  const title = data.title[language] || Object.values(data.title)[0] || "DeZero";
  at("title").textContent = document.title = title;
  at("language").value = language;
  const names = {
    language: "language",
    theme: "theme",
    help: "help",
    "zoom-in": "zoomIn",
    "zoom-out": "zoomOut",
    "zoom-fit": "zoomFit",
    first: "firstStep",
    previous: "previous",
    next: "next",
    last: "last",
    speed: "speed",
    slider: "slider",
    panel: "panel",
    graph: "graph",
  };
  for (const [id, key] of Object.entries(names)) name(id, key);
  at("slider").removeAttribute("title");
  at("panel").removeAttribute("title");
  at("graph").removeAttribute("title");
  at("fold").textContent = say("fold");
  at("unfold").textContent = say("unfold");
  at("query").placeholder = say("search");
  at("query").setAttribute("aria-label", say("search"));
  at("results").setAttribute("aria-label", say("search"));
  document.querySelector(".transport").setAttribute("aria-label", say("controls"));
  document.querySelector(".zoom").setAttribute("aria-label", say("graph"));
  document.querySelector(".tools").setAttribute("aria-label", say("view"));
  at("phase-forward").textContent = say("forward");
  at("phase-backward").textContent = walk ? say("backward") : "";
  at("legend").replaceChildren(
    ...["input", "parameter", "intermediate", "function", "generation", "gradient"]
      .filter(
        (role) =>
          role === "function" ||
          role === "generation" ||
          (role === "gradient" ? walk : values.some((v) => v.role === role)),
      )
      .map((role) => h("li", { class: role }, h("span"), say(role))),
  );
  showKeys();
  showPlaying();
  layouts.clear();
  draw();
  go(now, true);
}

function showKeys() {
  at("keys").setAttribute("aria-label", say("help"));
  at("keys").replaceChildren(
    h("h2", {}, say("help")),
    h(
      "dl",
      {},
      say2("keys").map(([keys, what]) =>
        h(
          "div",
          {},
          h(
            "dt",
            {},
            keys.split(" ").map((key) => h("kbd", {}, key)),
          ),
          h("dd", {}, what),
        ),
      ),
    ),
    h("button", { type: "button", onclick: () => at("keys").close() }, say("close")),
  );
}

function say2(key) {
  return WORDS[language][key];
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = theme === "dark" ? "☀" : "☾";
}

const system = matchMedia("(prefers-color-scheme: dark)");
const themeNow = () => remembered.get("theme") || (system.matches ? "dark" : "light");

function switchTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remembered.set("theme", theme);
  setTheme(theme);
}

/* --- keys and pointer ------------------------------------------------------------------------ */

const KEYS = {
  ArrowRight: (event) => (event.shiftKey ? leap(1) : go(now + 1)),
  ArrowLeft: (event) => (event.shiftKey ? leap(-1) : go(now - 1)),
  Home: () => go(0),
  End: () => go(steps.length - 1),
  " ": () => (playing ? pause() : play()),
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: () => fit(true),
  "/": () => at("query").focus(),
  f: () => foldAll(true),
  u: () => foldAll(false),
  t: switchTheme,
  l: () => {
    const codes = Object.keys(WORDS);
    chooseLanguage(codes[(codes.indexOf(language) + 1) % codes.length]);
  },
  "?": () => at("keys").showModal(),
  Escape: () => select(""),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || at("keys").open) return;
  const target = event.target,
    tag = target.tagName;
  if (target === at("query")) {
    searchKey(event);
    return;
  }
  if (tag === "SELECT" || (event.key === " " && (tag === "BUTTON" || tag === "SUMMARY"))) return;
  if (
    target.closest?.("#panel") &&
    ["Home", "End", " "].includes(event.key) &&
    tag !== "BUTTON" &&
    event.key !== " "
  )
    return;
  if (target.closest?.("#graph") && graphKey(event)) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (event.key === "Escape" && !selected)) return;
  event.preventDefault();
  if (/^Arrow|Home|End/.test(event.key)) pause();
  act(event);
}

function searchKey(event) {
  if (event.key === "Escape") {
    stopSearch();
    at("query").blur();
  } else if (event.key === "Enter" && chosen >= 0) {
    pick(chosen);
    at("query").blur();
  } else if (/^Arrow(Up|Down)$/.test(event.key) && found.length) {
    const most = Math.min(40, found.length);
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + most) % most;
    showFound(at("query").value);
  } else return;
  event.preventDefault();
}

/* Up and down go through the boxes in the order in which they stand, from top to bottom. */
function graphKey(event) {
  const id = document.activeElement.dataset?.id;
  if (!id) return false;
  if (event.key === "Enter") {
    event.preventDefault();
    press(id);
    rove(id, true);
    return true;
  }
  if (!/^Arrow(Up|Down)$/.test(event.key)) return false;
  const all = [...boxes].sort((a, b) => a[1].y - b[1].y || a[1].x - b[1].x).map(([key]) => key);
  const to =
    all[
      Math.min(all.length - 1, Math.max(0, all.indexOf(id) + (event.key === "ArrowDown" ? 1 : -1)))
    ];
  rove(to, true);
  view.moved = true;
  reveal(to);
  event.preventDefault();
  return true;
}

/* A layer's box folds and unfolds, another shows its details. */
function press(id) {
  if (id[0] === "g") {
    toggle(Number(id.slice(1)));
    fillPanel();
  } else select(id);
}

const pointers = new Map();
let dragged = 0,
  pinch = 0;

function listenToPointer() {
  const graph = at("graph");
  graph.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const box = graph.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 16 : 1;
      zoom(
        Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)),
        event.clientX - box.left,
        event.clientY - box.top,
      );
    },
    { passive: false },
  );
  graph.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    dragged = pointers.size > 1 ? 100 : 0;
    pinch = 0;
  });
  graph.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    dragged += Math.abs(dx) + Math.abs(dy);
    if (dragged < 5) return;
    if (!graph.hasPointerCapture(event.pointerId)) graph.setPointerCapture(event.pointerId);
    cancelAnimationFrame(flight);
    const share = 1 / pointers.size;
    view.x += dx * share;
    view.y += dy * share;
    view.moved = true;
    if (pointers.size === 2) pinchWith(graph.getBoundingClientRect());
    look();
  });
  const up = (event) => {
    pointers.delete(event.pointerId);
    pinch = 0;
  };
  graph.addEventListener("pointerup", up);
  graph.addEventListener("pointercancel", up);
  graph.addEventListener("click", (event) => {
    if (dragged >= 5) return;
    const box = event.target.closest(".box");
    if (box) press(box.dataset.id);
    else if (selected) select("");
  });
}

function pinchWith(box) {
  const [[ax, ay], [bx, by]] = [...pointers.values()];
  const apart = Math.hypot(ax - bx, ay - by);
  if (pinch) zoom(apart / pinch, (ax + bx) / 2 - box.left, (ay + by) / 2 - box.top);
  pinch = apart;
}

function chooseLanguage(code) {
  remembered.set("language", code);
  speak(code);
}

/* --- the beginning ------------------------------------------------------------------------- */

function begin() {
  for (const [code, words] of Object.entries(WORDS))
    at("language").append(h("option", { value: code }, words.name));
  at("slider").max = steps.length - 1;
  const share = walk ? (100 * (forwardSteps - 0.5)) / Math.max(1, steps.length - 1) : 100;
  document.documentElement.style.setProperty("--turn", `${share}%`);
  at("fold").hidden = at("unfold").hidden = groups.length === 0;
  const clicks = {
    first: () => go(0),
    previous: () => go(now - 1),
    next: () => go(now + 1),
    last: () => go(steps.length - 1),
    play: () => (playing ? pause() : play()),
    speed: () => {
      speed = (speed + 1) % SPEEDS.length;
      at("speed").textContent = `${SPEEDS[speed][0]}×`;
      if (playing) play();
    },
    fold: () => foldAll(true),
    unfold: () => foldAll(false),
    theme: switchTheme,
    help: () => at("keys").showModal(),
    "zoom-in": () => zoom(1.25),
    "zoom-out": () => zoom(0.8),
    "zoom-fit": () => fit(true),
  };
  for (const [id, act] of Object.entries(clicks))
    at(id).addEventListener("click", () => {
      if (/first|previous|next|last/.test(id)) pause();
      act();
    });
  at("slider").addEventListener("input", () => {
    pause();
    go(Number(at("slider").value));
  });
  at("language").addEventListener("change", () => chooseLanguage(at("language").value));
  at("query").addEventListener("input", search);
  at("query").addEventListener("blur", stopSearch);
  document.addEventListener("keydown", onKey);
  system.addEventListener("change", () => setTheme(themeNow()));
  new ResizeObserver(() => {
    if (!view.moved) fit();
  }).observe(at("stage"));
  listenToPointer();
  setTheme(themeNow());
  const codes = [
    remembered.get("language"),
    data.language,
    ...(navigator.languages || []).map((code) => code.slice(0, 2)),
    "en",
  ];
  speak(codes.find((code) => WORDS[code]));
  rove(boxes.keys().next().value);
}

begin();
