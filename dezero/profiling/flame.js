"use strict";

const HEIGHT = 22;
const THINNEST = 0.4; // pixels; thinner boxes are not drawn
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const KINDS = { root: "everything", walk: "backward pass", update: "update of an optimizer" };

const root = JSON.parse(document.getElementById("data").textContent);
const flame = document.getElementById("flame");
const tip = document.getElementById("tip");
const search = document.getElementById("search");
const found = document.getElementById("found");

let zoomed = root;
let current = root; // the box that the arrow keys move from

function prepare(node, parent, depth) {
  node.parent = parent;
  node.depth = depth;
  node.total = node.self;
  for (const child of node.children) node.total += prepare(child, node, depth + 1);
  node.children.sort((a, b) => (depth === 0 ? 0 : b.total - a.total));
  return node.total;
}

function milliseconds(ns) {
  const ms = ns / 1e6;
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
}

function bytes(count) {
  let unit = 0;
  for (; count >= 999.5 && unit < UNITS.length - 1; unit++) count /= 1000;
  return `${Number(count.toPrecision(3))} ${UNITS[unit]}`;
}

function percent(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "0 %";
}

function title(node) {
  return node.kind === "gradient" ? `gradient of ${node.name}` : node.name;
}

function facts(node) {
  const lines = [
    `${milliseconds(node.total)}, ${percent(node.total, root.total)} of all` +
      (node.parent && node.parent !== root
        ? `, ${percent(node.total, node.parent.total)} of ${title(node.parent)}`
        : ""),
    `self ${milliseconds(node.self)}`,
  ];
  if (node.calls) lines.push(`${node.calls} ${node.calls === 1 ? "call" : "calls"}`);
  if (node.moved) lines.push(`${bytes(node.moved)} moved`);
  return lines;
}

function isInside(node, outer) {
  for (; node; node = node.parent) if (node === outer) return true;
  return false;
}

function matches(node) {
  const wanted = search.value.trim().toLowerCase();
  return wanted !== "" && `${title(node)} ${node.line} ${node.code}`.toLowerCase().includes(wanted);
}

function draw() {
  const width = flame.clientWidth;
  const boxes = [];
  let deepest = 0;
  function place(node, left, size) {
    if (size < THINNEST) return;
    deepest = Math.max(deepest, node.depth);
    boxes.push(box(node, left, size));
    const onTheWay = node !== zoomed && isInside(zoomed, node);
    for (const child of node.children) {
      if (onTheWay && !isInside(zoomed, child)) continue;
      const part = onTheWay ? size : node.total ? (size * child.total) / node.total : 0;
      place(child, left, part);
      left += part;
    }
  }
  place(root, 0, width);
  flame.replaceChildren(...boxes);
  flame.style.height = `${(deepest + 1) * HEIGHT}px`;
  flame.classList.toggle("searching", search.value.trim() !== "");
  if (!current.element || !current.element.isConnected) current = zoomed;
  current.element.tabIndex = 0;
}

function box(node, left, size) {
  const element = document.createElement("div");
  element.className = `box ${node.kind}`;
  element.classList.toggle("thin", size < 12);
  element.classList.toggle("around", node !== zoomed && isInside(zoomed, node));
  element.classList.toggle("match", matches(node));
  element.style.left = `${left}px`;
  element.style.top = `${node.depth * HEIGHT}px`;
  element.style.width = `${size}px`;
  element.textContent = size < 24 ? "" : `${title(node)}  ${milliseconds(node.total)}`;
  element.tabIndex = -1;
  element.setAttribute("role", "treeitem");
  element.setAttribute("aria-level", node.depth + 1);
  element.setAttribute("aria-label", [title(node), ...facts(node)].join(", "));
  element.addEventListener("click", () => zoom(node));
  element.addEventListener("mousemove", (event) => show(node, event.clientX, event.clientY));
  element.addEventListener("mouseleave", hide);
  element.addEventListener("focus", () => {
    const at = element.getBoundingClientRect();
    show(node, Math.max(at.left, 0), at.bottom);
  });
  element.addEventListener("blur", hide);
  node.element = element;
  return element;
}

function show(node, x, y) {
  const name = document.createElement("b");
  name.textContent = title(node);
  const lines = [name, `${KINDS[node.kind] || node.kind}. ${facts(node).join("; ")}`];
  for (const text of [node.line, node.code]) {
    if (!text) continue;
    const code = document.createElement("code");
    code.textContent = text;
    lines.push(code);
  }
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const room = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 12, window.innerWidth - room.width - 4))}px`;
  const below = y + 16;
  tip.style.top = `${below + room.height > window.innerHeight ? Math.max(4, y - room.height - 26) : below}px`;
}

function hide() {
  tip.hidden = true;
}

function zoom(node) {
  zoomed = current = node;
  hide();
  draw();
  node.element.focus({ preventScroll: true });
}

function go(node) {
  if (!node) return;
  if (!node.element || !node.element.isConnected) return;
  current.element.tabIndex = -1;
  current = node;
  node.element.tabIndex = 0;
  node.element.focus();
}

function neighbour(node, step) {
  const row = [...flame.children]
    .filter((e) => e.style.top === node.element.style.top)
    .sort((a, b) => parseFloat(a.style.left) - parseFloat(b.style.left));
  const element = row[row.indexOf(node.element) + step];
  return element && drawn(root).find((n) => n.element === element);
}

function drawn(node, into = []) {
  if (node.element && node.element.isConnected) into.push(node);
  for (const child of node.children) drawn(child, into);
  return into;
}

function look() {
  draw();
  if (search.value.trim() === "") {
    found.textContent = "";
    return;
  }
  let count = 0;
  let time = 0;
  (function add(node, counted) {
    const match = matches(node);
    if (match) count++;
    if (match && !counted) time += node.total;
    for (const child of node.children) add(child, counted || match);
  })(root, false);
  found.textContent = `${count} found, ${milliseconds(time)}, ${percent(time, root.total)}`;
}

function firstMatch() {
  return drawn(root).find(matches);
}

flame.addEventListener("keydown", (event) => {
  const moves = {
    ArrowUp: () => go(current.parent),
    ArrowDown: () => go(current.children.find((c) => c.element && c.element.isConnected)),
    ArrowLeft: () => go(neighbour(current, -1)),
    ArrowRight: () => go(neighbour(current, 1)),
    Enter: () => zoom(current),
    " ": () => zoom(current),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target !== search) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape") {
    search.value = "";
    look();
    zoom(root);
  } else if (event.key === "Enter" && event.target === search) {
    go(firstMatch());
  }
});

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(dark));
  button.textContent = dark ? "Light" : "Dark";
}

document.getElementById("reset").addEventListener("click", () => zoom(root));
document.getElementById("theme").addEventListener("click", () =>
  setTheme(document.documentElement.dataset.theme !== "dark"),
);
search.addEventListener("input", look);
window.addEventListener("resize", draw);
setTheme(window.matchMedia("(prefers-color-scheme: dark)").matches);
prepare(root, null, 0);
draw();
