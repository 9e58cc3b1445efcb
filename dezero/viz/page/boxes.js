"use strict";
// The boxes: which are folded, what is in them, how large they are and where they stand.

const SVG = "http://www.w3.org/2000/svg";
const MOST_BOXES = 1200,
  FIRST_BOXES = 26;
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
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null) element.setAttribute(name, value);
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
    if (!scopes.has(g))
      scopes.set(g, { functions: [], values: [], groups: [], edges: new Map(), count: 0 });
    return scopes.get(g);
  };
  scope(-1);
  groups.forEach((group, g) => {
    scope(g);
    scope(group.up).groups.push(g);
  });
  functions.forEach((f, i) => {
    scope(f.grp).functions.push(i);
    for (const g of [-1, ...pathOf(f.grp)]) scope(g).count++;
  });
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
    f.in.forEach((v, k) => {
      // out of the boxes around v alone, across, into those around f alone
      const from = [-1, ...pathOf(values[v].grp)];
      let meet = 0;
      while (meet + 1 < from.length && from[meet + 1] === path[meet + 1]) meet++;
      const source = (d) => (d + 1 < from.length ? `g${from[d + 1]}` : `v${v}`);
      for (let d = from.length - 1; d > meet; d--)
        join(from[d], source(d), `q${v}`, v, i, "in", k);
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
    const g = queue.shift(),
      inside = scopes.get(g);
    const more = inside.functions.length + inside.groups.length;
    const only =
      scopes.get(groups[g].up).functions.length + scopes.get(groups[g].up).groups.length === 1;
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
  if (value.role === "constant" && (!value.s.length || !name))
    return clip(value.v && !value.v[1] ? value.v[0] : shapeText(value.s));
  return name ? (known[0] === "(" ? `${name} ${shown}` : `${name} = ${shown}`) : shown;
}

function sizeOfValue(v) {
  const constant = values[v].role === "constant";
  let w = textWidth(valueLines(v, forwardSteps), SIZE.title, 600),
    h = constant ? 30 : 40;
  for (const record of gradients[v])
    w = Math.max(w, textWidth(`grad ${gradientText(v, record.step)}`, SIZE.detail, 600));
  if (gradients[v].length) h += 20;
  return [Math.max(w + 34, h), h];
}

function groupTitle(g) {
  return [clip(groups[g].n), groups[g].kind ? clip(groups[g].kind) : ""];
}

function sizeOfFolded(g) {
  const [name, kind] = groupTitle(g);
  const detail = [kind, say("contains", { n: scopes.get(g).count })].filter(Boolean).join(" · ");
  return [
    Math.max(textWidth(name, SIZE.title, 600) + 54, textWidth(detail, SIZE.detail) + 36, 110),
    60,
  ];
}

/* Lay out the inside of a box; with ports at its rim where edges pass. */
function layoutOf(g) {
  if (layouts.has(g)) return layouts.get(g);
  const inside = scopes.get(g),
    vertices = [],
    index = new Map();
  const add = (id, vertex) => {
    index.set(id, vertices.length);
    vertices.push({ id, ...vertex });
  };
  for (const v of inside.values) {
    const [w, h] = sizeOfValue(v);
    add(`v${v}`, { w, h, kind: values[v].role, leaf: values[v].f < 0 });
  }
  for (const i of inside.functions)
    add(`f${i}`, {
      w: Math.max(textWidth(clip(functions[i].n), SIZE.title, 600) + 60, 92),
      h: 44,
      kind: "function",
    });
  for (const other of inside.groups) {
    if (folded.has(other)) {
      const [w, h] = sizeOfFolded(other);
      add(`g${other}`, { w, h, kind: "function", folded: true });
      continue;
    }
    const inner = layoutOf(other);
    const title = textWidth(groupTitle(other).join(" "), SIZE.detail, 600) + 60;
    const w = Math.max(inner.width + 2 * INSET, title);
    const shift = (w - inner.width) / 2;
    const shifted = (ports) => new Map([...ports].map(([v, x]) => [v, x + shift]));
    add(`g${other}`, {
      w,
      h: inner.height + LABEL + INSET,
      kind: "group",
      inner,
      shift,
      ports: shifted(inner.ports),
      exits: shifted(inner.exits),
    });
  }
  for (const edge of inside.edges.values()) {
    if (edge.from[0] === "p" && !index.has(edge.from))
      add(edge.from, { w: 4, h: 0, kind: "port", top: true });
    if (edge.to[0] === "q" && !index.has(edge.to))
      add(edge.to, { w: 4, h: 0, kind: "port", bottom: true });
  }
  const edges = [...inside.edges.values()].map((edge) => [
    index.get(edge.from),
    index.get(edge.to),
    edge,
  ]);
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

function toggle(g) {
  const id = `g${g}`,
    before = boxes.get(id);
  const screen = before && [
    before.x * view.k + view.x,
    (before.y - before.h / 2) * view.k + view.y,
  ];
  if (folded.has(g)) folded.delete(g);
  else folded.add(g);
  if (folded.has(g) === false && visibleCount() > MOST_BOXES) {
    folded.add(g);
    warn(say("too_many"));
    return;
  }
  forget(g);
  draw();
  const after = boxes.get(id);
  if (screen && after) {
    // what was clicked stays where it is
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
    if (visibleCount() > MOST_BOXES) {
      before.forEach((g) => folded.add(g));
      warn(say("too_many"));
      return;
    }
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
