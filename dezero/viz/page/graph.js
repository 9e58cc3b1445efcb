"use strict";
// The graph: which boxes are folded, their picture, and what each looks like at a step.

const SVG = "http://www.w3.org/2000/svg";
const MOST_BOXES = 1200, FIRST_BOXES = 26;
const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const folded = new Set();
const scopes = new Map(); // group (-1: the whole) to {functions, values, groups, edges}
const layouts = new Map();
let boxes = new Map(); // id to {element, x, y, w, h, kind, i}
let routes = new Map(); // "in:value:function" and "out:function:value" to elements
let selected = "";
const view = { x: 0, y: 0, k: 1, width: 0, height: 0, moved: false };
const pen = document.createElement("canvas").getContext("2d");

function svg(tag, attributes, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) if (value !== undefined && value !== null) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

function textWidth(text, size, weight = 400) {
  pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

function clip(text, length = 30) {
  return text.length > length ? text.slice(0, length - 1) + "…" : text;
}

/* Which boxes and edges each scope has, whatever is folded. */
(function listScopes() {
  const scope = (g) => {
    if (!scopes.has(g)) scopes.set(g, { functions: [], values: [], groups: [], edges: new Map(), count: 0 });
    return scopes.get(g);
  };
  scope(-1);
  groups.forEach((group, g) => { scope(g); scope(group.up).groups.push(g); });
  functions.forEach((f, i) => { scope(f.grp).functions.push(i); for (const g of [-1, ...pathOf(f.grp)]) scope(g).count++; });
  values.forEach((value, v) => scope(value.grp).values.push(v));
  const join = (g, from, to, v, i, kind, k) => {
    const direct = kind === "in" && to === `f${i}`;
    const key = `${from}>${to}:${v}${direct ? `:${k}` : ""}`;
    const edges = scope(g).edges;
    if (!edges.has(key)) edges.set(key, { from, to, v, kind, fs: [] });
    edges.get(key).fs.push(i);
  };
  functions.forEach((f, i) => {
    const path = [-1, ...pathOf(f.grp)];
    const child = (depth) => (depth + 1 < path.length ? `g${path[depth + 1]}` : `f${i}`);
    f.in.forEach((v, k) => { // out of the boxes around v alone, across, into those around f alone
      const from = [-1, ...pathOf(values[v].grp)];
      let meet = 0;
      while (meet + 1 < from.length && from[meet + 1] === path[meet + 1]) meet++;
      const source = (d) => (d + 1 < from.length ? `g${from[d + 1]}` : `v${v}`);
      for (let d = from.length - 1; d > meet; d--) join(from[d], source(d), `q${v}`, v, i, "in", k);
      join(path[meet], source(meet), child(meet), v, i, "in", k);
      for (let d = meet + 1; d < path.length; d++) join(path[d], `p${v}`, child(d), v, i, "in", k);
    });
    f.out.forEach((v) => {
      for (let d = path.indexOf(values[v].grp); d >= 0 && d < path.length; d++) {
        join(path[d], child(d), path[d] === values[v].grp ? `v${v}` : `q${v}`, v, i, "out");
      }
    });
  });
})();

/* Fold what does not fit: begin with all folded, open from outside in while there is room. */
(function foldFirst() {
  groups.forEach((_, g) => folded.add(g));
  let count = scopes.get(-1).functions.length + scopes.get(-1).groups.length;
  const queue = scopes.get(-1).groups.slice();
  while (queue.length) {
    const g = queue.shift(), inside = scopes.get(g);
    const more = inside.functions.length + inside.groups.length;
    const only = scopes.get(groups[g].up).functions.length + scopes.get(groups[g].up).groups.length === 1;
    if (count + more > FIRST_BOXES && !(only && more < 60)) continue;
    count += more;
    folded.delete(g);
    queue.push(...inside.groups);
  }
})();

function visibleCount() {
  let count = 0;
  const stack = [-1];
  while (stack.length) {
    const inside = scopes.get(stack.pop());
    count += inside.functions.length + inside.values.length + inside.groups.length;
    stack.push(...inside.groups.filter((g) => !folded.has(g)));
  }
  return count;
}

/* The box that stands for function i: its own, or the outermost folded one around it. */
function boxOf(i) {
  const g = pathOf(functions[i].grp).find((group) => folded.has(group));
  return g === undefined ? `f${i}` : `g${g}`;
}

function boxOfValue(v) {
  const g = pathOf(values[v].grp).find((group) => folded.has(group));
  return g === undefined ? `v${v}` : `g${g}`;
}

const SIZE = { title: 17, detail: 14 };

function valueLines(v, step) {
  const value = values[v];
  const known = value.v ? value.v[0] : shapeText(value.s);
  const shown = isKnown(v, step) ? known : value.s.length ? shapeText(value.s) : "?";
  const name = clip(value.n, 20);
  if (value.role === "constant" && (!value.s.length || !name)) return clip(value.v && !value.v[1] ? value.v[0] : shapeText(value.s));
  return name ? (known[0] === "(" ? `${name} ${shown}` : `${name} = ${shown}`) : shown;
}

function sizeOfValue(v) {
  const constant = values[v].role === "constant";
  let w = textWidth(valueLines(v, forwardSteps), SIZE.title, 600), h = constant ? 30 : 40;
  for (const record of gradients[v]) w = Math.max(w, textWidth(`grad ${gradientText(v, record.step)}`, SIZE.detail, 600));
  if (gradients[v].length) h += 20;
  return [Math.max(w + 34, h), h];
}

function groupTitle(g) {
  return [clip(groups[g].n), groups[g].kind ? clip(groups[g].kind) : ""];
}

function sizeOfFolded(g) {
  const [name, kind] = groupTitle(g);
  const detail = [kind, say("contains", { n: scopes.get(g).count })].filter(Boolean).join(" · ");
  return [Math.max(textWidth(name, SIZE.title, 600) + 54, textWidth(detail, SIZE.detail) + 36, 110), 60];
}

/* Lay out the inside of a box; with ports at its rim where edges pass. */
function layoutOf(g) {
  if (layouts.has(g)) return layouts.get(g);
  const inside = scopes.get(g), vertices = [], index = new Map();
  const add = (id, vertex) => { index.set(id, vertices.length); vertices.push({ id, ...vertex }); };
  for (const v of inside.values) { const [w, h] = sizeOfValue(v); add(`v${v}`, { w, h, kind: values[v].role, leaf: values[v].f < 0 }); }
  for (const i of inside.functions) add(`f${i}`, { w: Math.max(textWidth(clip(functions[i].n), SIZE.title, 600) + 60, 92), h: 44, kind: "function" });
  for (const other of inside.groups) {
    if (folded.has(other)) { const [w, h] = sizeOfFolded(other); add(`g${other}`, { w, h, kind: "function", folded: true }); continue; }
    const inner = layoutOf(other);
    const title = textWidth(groupTitle(other).join(" "), SIZE.detail, 600) + 60;
    const w = Math.max(inner.width + 2 * INSET, title);
    const shift = (w - inner.width) / 2;
    const shifted = (ports) => new Map([...ports].map(([v, x]) => [v, x + shift]));
    add(`g${other}`, { w, h: inner.height + LABEL + INSET, kind: "group", inner, shift, ports: shifted(inner.ports), exits: shifted(inner.exits) });
  }
  for (const edge of inside.edges.values()) {
    if (edge.from[0] === "p" && !index.has(edge.from)) add(edge.from, { w: 4, h: 0, kind: "port", top: true });
    if (edge.to[0] === "q" && !index.has(edge.to)) add(edge.to, { w: 4, h: 0, kind: "port", bottom: true });
  }
  const edges = [...inside.edges.values()].map((edge) => [index.get(edge.from), index.get(edge.to), edge]);
  const placed = layOut(vertices, edges);
  const result = { ...placed, vertices, ports: new Map(), exits: new Map() };
  vertices.forEach((vertex, i) => {
    if (vertex.id[0] === "p") result.ports.set(Number(vertex.id.slice(1)), placed.xs[i]);
    if (vertex.id[0] === "q") result.exits.set(Number(vertex.id.slice(1)), placed.xs[i]);
  });
  layouts.set(g, result);
  return result;
}

function forget(g) {
  for (const group of [-1, ...pathOf(g)]) layouts.delete(group);
}

function pathText(points) {
  let [x, y] = points[0], text = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (const [nextX, nextY] of points.slice(1)) {
    const half = (y + nextY) / 2;
    text += x === nextX ? `V${nextY.toFixed(1)}` : `C${x.toFixed(1)} ${half.toFixed(1)} ${nextX.toFixed(1)} ${half.toFixed(1)} ${nextX.toFixed(1)} ${nextY.toFixed(1)}`;
    [x, y] = [nextX, nextY];
  }
  return text;
}

/* Draw everything that is not folded away. */
function draw() {
  const world = document.getElementById("world");
  boxes = new Map();
  routes = new Map();
  const under = svg("g", {}), lines = svg("g", { class: "routes" }), over = svg("g", {});
  const whole = layoutOf(-1);
  view.width = whole.width;
  view.height = whole.height;
  place(whole, 0, 0, under, lines, over);
  world.replaceChildren(under, lines, over);
  paint();
}

function place(layout, left, top, under, lines, over) {
  layout.routes.forEach((route) => lines.append(drawRoute(route, left, top)));
  layout.vertices.forEach((vertex, i) => {
    if (vertex.kind === "port") return;
    const x = left + layout.xs[i], y = top + layout.ys[i];
    const box = { x, y, w: vertex.w, h: vertex.h, kind: vertex.id[0], i: Number(vertex.id.slice(1)), open: Boolean(vertex.inner) };
    boxes.set(vertex.id, box);
    box.element = vertex.inner ? drawOpen(box) : vertex.folded ? drawFolded(box) : box.kind === "f" ? drawFunction(box) : drawValue(box);
    box.element.dataset.id = vertex.id;
    (vertex.inner ? under : over).append(box.element);
    if (vertex.inner) over.append(captionOf(box));
    if (vertex.inner) place(vertex.inner, x - vertex.w / 2 + vertex.shift, y - vertex.h / 2 + LABEL, under, lines, over);
  });
}

function drawRoute({ points, tip, data: edge }, left, top) {
  const moved = points.map(([x, y]) => [x + left, y + top]);
  if (edge.from[0] === "p") moved[0][1] -= LABEL; // from and to the rim of the box around
  if (edge.to[0] === "q") moved[moved.length - 1][1] += INSET;
  const element = svg("g", { class: "route" });
  element.append(svg("path", { class: "line", d: pathText(moved), pathLength: 1 }));
  if (tip) {
    const [x, y] = [tip[0] + left, tip[1] + top];
    element.append(svg("path", { class: "stub", d: `M${x} ${y - ARROW - 0.5}V${y}` }));
    element.append(svg("path", { class: "tip", d: `M${x} ${y}l-5 -${ARROW + 1}h10z` }));
  }
  if (edge.from[0] !== "p") {
    const [x, y] = moved[0];
    element.append(svg("path", { class: "back", d: `M${x} ${y}l-5 ${ARROW + 1}h10z` }));
  }
  for (const i of edge.fs) {
    const key = edge.kind === "in" ? `in:${edge.v}:${i}` : `out:${i}:${edge.v}`;
    if (!routes.has(key)) routes.set(key, []);
    routes.get(key).push(element);
  }
  return element;
}

function node(box, name, ...shapes) {
  return svg("g", { class: `box ${name}`, role: "button", tabindex: "-1", transform: `translate(${(box.x - box.w / 2).toFixed(1)} ${(box.y - box.h / 2).toFixed(1)})` }, ...shapes);
}

function label(x, y, text, name) {
  return svg("text", { x, y, class: name }, text);
}

function drawFunction(box) {
  const f = functions[box.i];
  return node(box, "function",
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 7 }),
    label(box.w / 2, 28, clip(f.n), "title"),
    svg("circle", { class: "generation", cx: box.w - 2, cy: 2, r: 12 }),
    label(box.w - 2, 6.5, String(f.gen), "generation-text"),
    svg("rect", { class: "turn", x: -10, y: -10, width: 24, height: 22, rx: 11 }),
    label(2, 5.5, "", "turn-text"));
}

function drawValue(box) {
  const value = values[box.i], radius = value.role === "parameter" ? 10 : box.h / 2;
  const shapes = [svg("rect", { class: "shape", width: box.w, height: box.h, rx: Math.min(radius, 24) })];
  if (value.role === "parameter") shapes.push(svg("rect", { class: "ring", x: 3.5, y: 3.5, width: box.w - 7, height: box.h - 7, rx: 7 }));
  shapes.push(label(box.w / 2, value.role === "constant" ? 21 : 26, "", "title"));
  if (gradients[box.i].length) shapes.push(label(box.w / 2, 47, "", "gradient"));
  return node(box, value.role, ...shapes);
}

function drawFolded(box) {
  const [name, kind] = groupTitle(box.i);
  const detail = [kind, say("contains", { n: scopes.get(box.i).count })].filter(Boolean).join(" · ");
  return node(box, "folded",
    svg("rect", { class: "behind", x: 5, y: 5, width: box.w, height: box.h, rx: 9 }),
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 9 }),
    label(box.w / 2, 26, `▸ ${name}`, "title"),
    label(box.w / 2, 47, detail, "detail"));
}

function drawOpen(box) {
  const [name, kind] = groupTitle(box.i);
  return node(box, "open",
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 12 }),
    svg("rect", { class: "handle", width: box.w, height: LABEL - 6, rx: 12 }),
    svg("title", {}, [name, kind].filter(Boolean).join(" ")));
}

/* The name of an open box; it lies over the edges. */
function captionOf(box) {
  const [name, kind] = groupTitle(box.i);
  return label(box.x - box.w / 2 + 14, box.y - box.h / 2 + 21, `▾ ${[name, kind].filter(Boolean).join("  ")}`, "caption");
}

/* Give every box and edge the look of the step that is shown. */
function paint() {
  const step = steps[now], back = isBackward(now);
  const world = document.getElementById("world");
  world.classList.toggle("backward", back);
  const current = step.f === undefined ? "" : boxOf(step.f);
  const waiting = back ? new Set(waitingAt(now).concat(functions.map((f, i) => i).filter((i) => functions[i].woken === now)).map(boxOf)) : new Set();
  for (const [id, box] of boxes) {
    const list = box.element.classList;
    list.toggle("current", id === current);
    list.toggle("selected", id === selected);
    list.toggle("waiting", waiting.has(id) && id !== current);
    if (box.kind === "v") paintValue(box);
    else if (box.kind === "f") paintFunction(box);
    else { list.toggle("known", scopeKnown(box.i)); box.element.setAttribute("aria-expanded", String(box.open)); box.element.setAttribute("aria-label", `${say("group")} ${groupTitle(box.i).filter(Boolean).join(", ")}, ${say("contains", { n: scopes.get(box.i).count })}`); }
  }
  paintRoutes(step, back);
}

function scopeKnown(g) {
  const inside = scopes.get(g);
  if (inside.last === undefined) {
    inside.last = 0;
    functions.forEach((f) => { for (const group of pathOf(f.grp)) { const s = scopes.get(group); s.last = Math.max(s.last || 0, f.forward); } });
  }
  return inside.last <= now;
}

function paintFunction(box) {
  const f = functions[box.i], back = isBackward(now), list = box.element.classList;
  const done = back ? f.backward >= 0 && f.backward <= now : f.forward <= now;
  list.toggle("known", f.forward <= now);
  list.toggle("done", done);
  const turn = !done ? "" : back ? String(f.backward - forwardSteps) : String(f.forward);
  const text = box.element.querySelector(".turn-text");
  text.textContent = turn;
  const wide = Math.max(24, 12 + 8 * turn.length);
  const mark = box.element.querySelector(".turn");
  mark.setAttribute("width", wide);
  mark.setAttribute("x", 2 - wide / 2);
  box.element.setAttribute("aria-label", `${say("function")} ${f.n}, ${say("generationOf", { g: f.gen })}`);
}

function paintValue(box) {
  const v = box.i, value = values[v], list = box.element.classList;
  const known = isKnown(v, now), line = valueLines(v, now);
  list.toggle("known", known);
  const record = gradientAt(v, now);
  list.toggle("has-gradient", Boolean(record));
  list.toggle("receives", Boolean(record) && record.step === now);
  list.toggle("made", steps[now].kind === "forward" && value.f === steps[now].f);
  const title = box.element.querySelector(".title");
  title.textContent = line;
  title.setAttribute("y", record ? 26 : box.h / 2 + 6);
  const gradient = box.element.querySelector(".gradient");
  const text = record ? `grad ${gradientText(v, now)}` : "";
  if (gradient) gradient.textContent = text;
  box.element.setAttribute("aria-label", [say(value.role === "output" ? "outputRole" : value.role), line, text].filter(Boolean).join(", "));
}

function paintRoutes(step, back) {
  const world = document.getElementById("world");
  for (const element of world.querySelectorAll(".route.on, .route.passed, .route.grad-on")) element.classList.remove("on", "passed", "grad-on");
  const mark = (key, name) => { for (const element of routes.get(key) || []) element.classList.add(name); };
  if (!back) {
    functions.forEach((f, i) => { if (f.forward <= now) { f.in.forEach((v) => mark(`in:${v}:${i}`, "passed")); f.out.forEach((v) => mark(`out:${i}:${v}`, "passed")); } });
    if (step.kind === "forward") {
      functions[step.f].in.forEach((v) => mark(`in:${v}:${step.f}`, "on"));
      functions[step.f].out.forEach((v) => mark(`out:${step.f}:${v}`, "on"));
    }
    return;
  }
  for (const visit of walk.visits) {
    if (functions[visit.f].backward > now) break;
    const name = functions[visit.f].backward === now ? "grad-on" : "passed";
    functions[visit.f].out.forEach((v, k) => { if (visit.gy[k]) mark(`out:${visit.f}:${v}`, name); });
    visit.to.forEach(([, v]) => mark(`in:${v}:${visit.f}`, name));
  }
}

/* --- where the reader looks --------------------------------------------------------------- */

function look() {
  document.getElementById("world").setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`);
}

let flight = 0;

function fly(x, y, k) {
  cancelAnimationFrame(flight);
  if (reduced.matches || document.hidden) { Object.assign(view, { x, y, k }); look(); return; }
  const from = { ...view }, begin = performance.now();
  const frame = (time) => {
    const t = Math.min(1, Math.max(0, (time - begin) / 320)), ease = t * t * (3 - 2 * t);
    view.x = from.x + (x - from.x) * ease;
    view.y = from.y + (y - from.y) * ease;
    view.k = from.k + (k - from.k) * ease;
    look();
    if (t < 1) flight = requestAnimationFrame(frame);
  };
  flight = requestAnimationFrame(frame);
}

function stageSize() {
  const box = document.getElementById("graph").getBoundingClientRect();
  return [box.width, box.height];
}

/* Show all, or, of what would be too small to read, the part where the step is. */
function fit(all = false) {
  const [width, height] = stageSize(), margin = 34;
  const k = Math.min((width - 2 * margin) / view.width, (height - 2 * margin) / view.height, 1.9);
  const readable = width < 500 ? 0.62 : 0.72;
  view.moved = false;
  if (all || k >= readable) { fly((width - view.width * k) / 2, (height - view.height * k) / 2, k); return; }
  const across = Math.min(1, Math.max(readable, (width - 2 * margin) / view.width));
  const center = focusPoint();
  fly(...within(width / 2 - center[0] * across, height / 2 - center[1] * across, across), across);
}

/* Keep a picture that is larger than the stage from leaving space at one side of it. */
function within(x, y, k) {
  const [width, height] = stageSize(), margin = 34;
  const limit = (at, size, room) => (size * k <= room - 2 * margin ? (room - size * k) / 2 : Math.min(margin, Math.max(room - margin - size * k, at)));
  return [limit(x, view.width, width), limit(y, view.height, height)];
}

function focusPoint() {
  const step = steps[now];
  const id = step.f !== undefined ? boxOf(step.f) : isBackward(now) ? boxOfValue(walk.seeds[0][0]) : "";
  const box = boxes.get(id);
  return box ? [box.x, box.y] : [view.width / 2, isBackward(now) ? view.height : 0];
}

/* Bring a box into sight, as gently as that can be. */
function reveal(id) {
  const box = boxes.get(id);
  if (!box) return;
  const [width, height] = stageSize();
  const x = box.x * view.k + view.x, y = box.y * view.k + view.y;
  const marginX = Math.min(width * 0.3, 90 + (box.w / 2) * view.k), marginY = Math.min(height * 0.3, 90 + (box.h / 2) * view.k);
  if (x >= marginX && x <= width - marginX && y >= marginY && y <= height - marginY) return;
  if (view.moved || view.k * view.width > width || view.k * view.height > height) {
    fly(...within(width / 2 - box.x * view.k, height / 2 - box.y * view.k, view.k), view.k);
  }
}

function zoom(factor, atX, atY) {
  const [width, height] = stageSize();
  const [x, y] = [atX ?? width / 2, atY ?? height / 2];
  const k = Math.min(4, Math.max(0.03, view.k * factor));
  view.moved = true;
  cancelAnimationFrame(flight);
  Object.assign(view, { x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k, k });
  look();
}

/* --- folding -------------------------------------------------------------------------------- */

function toggle(g) {
  const id = `g${g}`, before = boxes.get(id);
  const screen = before && [before.x * view.k + view.x, (before.y - before.h / 2) * view.k + view.y];
  if (folded.has(g)) folded.delete(g); else folded.add(g);
  if (folded.has(g) === false && visibleCount() > MOST_BOXES) { folded.add(g); tell(say("too_many")); return; }
  forget(g);
  draw();
  const after = boxes.get(id);
  if (screen && after) { // what was clicked stays where it is
    view.x = screen[0] - after.x * view.k;
    view.y = screen[1] - (after.y - after.h / 2) * view.k;
    look();
  }
}

function foldAll(all) {
  if (all) groups.forEach((_, g) => folded.add(g));
  else {
    const before = new Set(folded);
    folded.clear();
    if (visibleCount() > MOST_BOXES) { before.forEach((g) => folded.add(g)); tell(say("too_many")); return; }
  }
  layouts.clear();
  draw();
  fit();
}

/* Unfold what is around a box, so that it can be seen. */
function open(id) {
  const i = Number(id.slice(1));
  const around = id[0] === "g" ? groups[i].up : id[0] === "f" ? functions[i].grp : values[i].grp;
  const closed = pathOf(around).filter((g) => folded.has(g));
  if (!closed.length) return;
  closed.forEach((g) => folded.delete(g));
  layouts.clear();
  draw();
}
