"use strict";
// The run as steps, and what is known at each: read from the page's data, which the engine gave.

const data = JSON.parse(document.getElementById("data").textContent);
const { values, functions, groups, places, rules, walk } = data;
const steps = [];
const gradients = values.map(() => []); // of each value: [{step, part, total, from, input}]
let now = 0; // the step that is shown

(function listSteps() {
  steps.push({ kind: "start" });
  functions.forEach((f, i) => {
    f.forward = steps.length;
    f.backward = -1;
    f.woken = -1;
    steps.push({ kind: "forward", f: i });
  });
  if (!walk) return;
  const wake = (list, step, counter) =>
    list.forEach((i) => {
      functions[i].woken = step;
      functions[i].turn = counter.n++;
    });
  const counter = { n: 0 };
  for (const [v, part] of walk.seeds)
    gradients[v].push({ step: steps.length, part, total: part, from: -1 });
  wake(walk.woken, steps.length, counter);
  steps.push({ kind: "seed" });
  walk.visits.forEach((visit, i) => {
    const step = steps.length;
    functions[visit.f].backward = step;
    for (const [input, v, part, total] of visit.to) {
      gradients[v].push({
        step,
        part,
        total: total || part,
        sum: Boolean(total),
        from: visit.f,
        input,
      });
    }
    wake(visit.woken, step, counter);
    steps.push({ kind: "backward", f: visit.f, visit, index: i });
  });
  steps.push({ kind: "end" });
})();

for (const [v, final] of walk ? walk.leaves : []) values[v].final = final;

const forwardSteps = functions.length + 1;

/* What the sum of gradients at value v is at a step: the last of its records by then. */
function gradientAt(v, step) {
  const list = gradients[v];
  let found = null;
  for (const record of list) {
    if (record.step > step) break;
    found = record;
  }
  return found;
}

/* A gradient in the little room of a box: of a large array its norm. */
function inBox(part) {
  return part[2] ? `‖ ${part[2][3]} ‖` : part[0];
}

/* The summand and the sum that the records of one value show in its box. */
function sumText(record, before) {
  if (!record.sum) return inBox(record.total);
  const text = `${before.total[0]} + ${record.part[0]} = ${record.total[0]}`;
  return text.length <= 34 && !record.total[1] ? text : inBox(record.total);
}

/* The gradient in the box of value v; what is still to come is shown by "+ …". */
function gradientText(v, step) {
  const list = gradients[v].filter((record) => record.step <= step);
  if (!list.length) return "";
  return sumsUp(list, step) + (list.length < gradients[v].length ? " + …" : "");
}

function sumsUp(list, step) {
  const last = list[list.length - 1];
  if (last.step < step) return inBox(last.total);
  const now = list.filter((record) => record.step === step);
  if (now.length > 1 && !last.total[1]) {
    const parts = [
      ...(list.length > now.length ? [list[list.length - now.length - 1].total[0]] : []),
      ...now.map((r) => r.part[0]),
    ];
    const text = `${parts.join(" + ")} = ${last.total[0]}`;
    return text.length <= 34 ? text : inBox(last.total);
  }
  return sumText(last, list[list.length - 2]);
}

/* A value is known once its function ran. */
function isKnown(v, step) {
  return values[v].f < 0 || functions[values[v].f].forward <= step;
}

/* Who waits before step, the largest generation first: the heap of the walk. */
function waitingAt(step) {
  return functions
    .map((f, i) => i)
    .filter(
      (i) =>
        functions[i].woken >= 0 &&
        functions[i].woken < step &&
        (functions[i].backward < 0 || functions[i].backward >= step),
    )
    .sort((a, b) => functions[b].gen - functions[a].gen || functions[a].turn - functions[b].turn);
}

function isBackward(step) {
  return step >= forwardSteps;
}

/* A name for every value: its own, or that of the function that made it, and which that was. */
function valueName(v) {
  const value = values[v];
  if (value.n) return value.n;
  if (value.f >= 0) return `${functions[value.f].n} #${value.f + 1}`;
  return value.role === "constant" ? shapeText(value.s) : say(value.role);
}

function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/* The boxes around something, the outermost first. */
function pathOf(group) {
  const path = [];
  for (let g = group; g >= 0; g = groups[g].up) path.push(g);
  return path.reverse();
}

function layerText(group) {
  return pathOf(group)
    .map((g) => groups[g].n)
    .join(" › ");
}
