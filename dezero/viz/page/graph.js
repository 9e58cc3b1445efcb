"use strict";
// The picture: boxes and edges as SVG, and what each looks like at a step.

/* Draw everything that is not folded away. */
function draw() {
  const world = document.getElementById("world");
  boxes = new Map();
  routes = new Map();
  const under = svg("g", {}),
    lines = svg("g", { class: "routes" }),
    over = svg("g", {});
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
    const x = left + layout.xs[i],
      y = top + layout.ys[i];
    const box = {
      x,
      y,
      w: vertex.w,
      h: vertex.h,
      kind: vertex.id[0],
      i: Number(vertex.id.slice(1)),
      open: Boolean(vertex.inner),
    };
    boxes.set(vertex.id, box);
    box.element = vertex.inner
      ? drawOpen(box)
      : vertex.folded
        ? drawFolded(box)
        : box.kind === "f"
          ? drawFunction(box)
          : drawValue(box);
    box.element.dataset.id = vertex.id;
    (vertex.inner ? under : over).append(box.element);
    if (vertex.inner) over.append(captionOf(box));
    if (vertex.inner)
      place(
        vertex.inner,
        x - vertex.w / 2 + vertex.shift,
        y - vertex.h / 2 + LABEL,
        under,
        lines,
        over,
      );
  });
}

/* A line through points, which it passes vertically. */
function pathText(points) {
  const text = (...numbers) => numbers.map((number) => number.toFixed(1)).join(" ");
  let [x, y] = points[0];
  let path = `M${text(x, y)}`;
  for (const [nextX, nextY] of points.slice(1)) {
    const half = (y + nextY) / 2;
    path += x === nextX ? `V${text(nextY)}` : `C${text(x, half, nextX, half, nextX, nextY)}`;
    [x, y] = [nextX, nextY];
  }
  return path;
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
  const opened = edge.from[0] === "g" && !folded.has(Number(edge.from.slice(1)));
  if (edge.from[0] !== "p" && !opened) {
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
  return svg(
    "g",
    {
      class: `box ${name}`,
      role: "button",
      tabindex: "-1",
      transform: `translate(${(box.x - box.w / 2).toFixed(1)} ${(box.y - box.h / 2).toFixed(1)})`,
    },
    ...shapes,
  );
}

function label(x, y, text, name) {
  return svg("text", { x, y, class: name }, text);
}

function drawFunction(box) {
  const f = functions[box.i];
  return node(
    box,
    "function",
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 7 }),
    label(box.w / 2, 28, clip(f.n), "title"),
    svg("circle", { class: "generation", cx: box.w - 2, cy: 2, r: 12 }),
    label(box.w - 2, 6.5, String(f.gen), "generation-text"),
    svg("rect", { class: "turn", x: -10, y: -10, width: 24, height: 22, rx: 11 }),
    label(2, 5.5, "", "turn-text"),
  );
}

function drawValue(box) {
  const value = values[box.i],
    radius = value.role === "parameter" ? 10 : box.h / 2;
  const shapes = [
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: Math.min(radius, 24) }),
  ];
  if (value.role === "parameter")
    shapes.push(
      svg("rect", { class: "ring", x: 3.5, y: 3.5, width: box.w - 7, height: box.h - 7, rx: 7 }),
    );
  shapes.push(label(box.w / 2, value.role === "constant" ? 21 : 26, "", "title"));
  if (gradients[box.i].length) shapes.push(label(box.w / 2, 47, "", "gradient"));
  return node(box, value.role, ...shapes);
}

function drawFolded(box) {
  const [name, kind] = groupTitle(box.i);
  const detail = [kind, say("contains", { n: scopes.get(box.i).count })]
    .filter(Boolean)
    .join(" · ");
  return node(
    box,
    "folded",
    svg("rect", { class: "behind", x: 5, y: 5, width: box.w, height: box.h, rx: 9 }),
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 9 }),
    label(box.w / 2, 26, `▸ ${name}`, "title"),
    label(box.w / 2, 47, detail, "detail"),
  );
}

function drawOpen(box) {
  const [name, kind] = groupTitle(box.i);
  return node(
    box,
    "open",
    svg("rect", { class: "shape", width: box.w, height: box.h, rx: 12 }),
    svg("rect", { class: "handle", width: box.w, height: LABEL - 6, rx: 12 }),
    svg("title", {}, [name, kind].filter(Boolean).join(" ")),
  );
}

/* The name of an open box; it lies over the edges. */
function captionOf(box) {
  const [name, kind] = groupTitle(box.i);
  return label(
    box.x - box.w / 2 + 14,
    box.y - box.h / 2 + 21,
    `▾ ${[name, kind].filter(Boolean).join("  ")}`,
    "caption",
  );
}

/* Give every box and edge the look of the step that is shown. */
function paint() {
  const step = steps[now],
    back = isBackward(now);
  const world = document.getElementById("world");
  world.classList.toggle("backward", back);
  const current = step.f === undefined ? "" : boxOf(step.f);
  const waiting = back
    ? new Set(
        waitingAt(now)
          .concat(functions.map((f, i) => i).filter((i) => functions[i].woken === now))
          .map(boxOf),
      )
    : new Set();
  for (const [id, box] of boxes) {
    const list = box.element.classList;
    list.toggle("current", id === current);
    list.toggle("selected", id === selected);
    list.toggle("waiting", waiting.has(id) && id !== current);
    if (box.kind === "v") paintValue(box);
    else if (box.kind === "f") paintFunction(box);
    else paintGroup(box);
  }
  paintRoutes(step, back);
}

function paintGroup(box) {
  const name = groupTitle(box.i).filter(Boolean).join(", ");
  const count = say("contains", { n: scopes.get(box.i).count });
  box.element.classList.toggle("known", scopeKnown(box.i));
  box.element.setAttribute("aria-expanded", String(box.open));
  box.element.setAttribute("aria-label", `${say("group")} ${name}, ${count}`);
}

function scopeKnown(g) {
  const inside = scopes.get(g);
  if (inside.last === undefined) {
    inside.last = 0;
    functions.forEach((f) => {
      for (const group of pathOf(f.grp)) {
        const s = scopes.get(group);
        s.last = Math.max(s.last || 0, f.forward);
      }
    });
  }
  return inside.last <= now;
}

function paintFunction(box) {
  const f = functions[box.i],
    back = isBackward(now),
    list = box.element.classList;
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
  box.element.setAttribute(
    "aria-label",
    `${say("function")} ${f.n}, ${say("generationOf", { g: f.gen })}`,
  );
}

function paintValue(box) {
  const v = box.i,
    value = values[v],
    list = box.element.classList;
  const known = isKnown(v, now),
    line = valueLines(v, now);
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
  box.element.setAttribute(
    "aria-label",
    [say(value.role === "output" ? "outputRole" : value.role), line, text]
      .filter(Boolean)
      .join(", "),
  );
}

function paintRoutes(step, back) {
  const world = document.getElementById("world");
  for (const element of world.querySelectorAll(".route.on, .route.passed, .route.grad-on"))
    element.classList.remove("on", "passed", "grad-on");
  const mark = (key, name) => {
    for (const element of routes.get(key) || []) element.classList.add(name);
  };
  if (!back) {
    functions.forEach((f, i) => {
      if (f.forward <= now) {
        f.in.forEach((v) => mark(`in:${v}:${i}`, "passed"));
        f.out.forEach((v) => mark(`out:${i}:${v}`, "passed"));
      }
    });
    if (step.kind === "forward") {
      functions[step.f].in.forEach((v) => mark(`in:${v}:${step.f}`, "on"));
      functions[step.f].out.forEach((v) => mark(`out:${step.f}:${v}`, "on"));
    }
    return;
  }
  for (const visit of walk.visits) {
    if (functions[visit.f].backward > now) break;
    const name = functions[visit.f].backward === now ? "grad-on" : "passed";
    functions[visit.f].out.forEach((v, k) => {
      if (visit.gy[k]) mark(`out:${visit.f}:${v}`, name);
    });
    visit.to.forEach(([, v]) => mark(`in:${v}:${visit.f}`, name));
  }
}
