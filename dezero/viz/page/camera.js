"use strict";
// Where the reader looks: pan and zoom.

function look() {
  document
    .getElementById("world")
    .setAttribute(
      "transform",
      `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`,
    );
}

let flight = 0;

function fly(x, y, k) {
  cancelAnimationFrame(flight);
  if (reduced.matches || document.hidden) {
    Object.assign(view, { x, y, k });
    look();
    return;
  }
  const from = { ...view },
    begin = performance.now();
  const frame = (time) => {
    const t = Math.min(1, Math.max(0, (time - begin) / 320)),
      ease = t * t * (3 - 2 * t);
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
  const [width, height] = stageSize(),
    margin = 34;
  const k = Math.min((width - 2 * margin) / view.width, (height - 2 * margin) / view.height, 1.9);
  const readable = width < 500 ? 0.62 : 0.72;
  view.moved = false;
  if (all || k >= readable) {
    fly((width - view.width * k) / 2, (height - view.height * k) / 2, k);
    return;
  }
  const across = Math.min(1, Math.max(readable, (width - 2 * margin) / view.width));
  const center = focusPoint();
  fly(...within(width / 2 - center[0] * across, height / 2 - center[1] * across, across), across);
}

/* Keep a picture that is larger than the stage from leaving space at one side of it. */
function within(x, y, k) {
  const [width, height] = stageSize(),
    margin = 34;
  const limit = (at, size, room) =>
    size * k <= room - 2 * margin
      ? (room - size * k) / 2
      : Math.min(margin, Math.max(room - margin - size * k, at));
  return [limit(x, view.width, width), limit(y, view.height, height)];
}

function focusPoint() {
  const step = steps[now];
  const id =
    step.f !== undefined ? boxOf(step.f) : isBackward(now) ? boxOfValue(walk.seeds[0][0]) : "";
  const box = boxes.get(id);
  return box ? [box.x, box.y] : [view.width / 2, isBackward(now) ? view.height : 0];
}

/* Bring a box into sight, as gently as that can be. */
function reveal(id) {
  const box = boxes.get(id);
  if (!box) return;
  const [width, height] = stageSize();
  const x = box.x * view.k + view.x,
    y = box.y * view.k + view.y;
  const marginX = Math.min(width * 0.3, 90 + (box.w / 2) * view.k),
    marginY = Math.min(height * 0.3, 90 + (box.h / 2) * view.k);
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
  Object.assign(view, {
    x: x - ((x - view.x) * k) / view.k,
    y: y - ((y - view.y) * k) / view.k,
    k,
  });
  look();
}
