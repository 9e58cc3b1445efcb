"use strict";
// The panel beside the graph: what happens in a step and why, with the numbers.

function fillPanel() {
  const step = steps[now],
    panel = document.getElementById("panel");
  const makers = {
    start: startPanel,
    forward: forwardPanel,
    seed: seedPanel,
    backward: backwardPanel,
    end: endPanel,
  };
  const chosen =
    selected && !(step.f !== undefined && selected === `f${step.f}`)
      ? selectedPanel(selected)
      : null;
  panel.replaceChildren(
    ...[
      chosen,
      h(
        "article",
        { class: isBackward(now) ? "backward" : "forward" },
        ...makers[step.kind](step),
      ),
    ].filter(Boolean),
  );
  panel.scrollTop = 0;
}

function stepText() {
  const step = steps[now];
  if (step.kind === "forward")
    return `${say("forward")} · ${say("stepOf", { k: now, n: functions.length })}`;
  if (step.kind === "backward")
    return `${say("backward")} · ${say("stepOf", { k: step.index + 1, n: walk.visits.length })}`;
  return step.kind === "start" ? say("start") : say("backward");
}

/* The step in one sentence, for those who listen. */
function spoken() {
  const step = steps[now];
  if (step.kind === "start") return `${say("startTitle")}. ${walk ? "" : say("noWalk")}`;
  if (step.kind === "seed") return `${say("seedTitle")}. ${seedSentence()}`;
  if (step.kind === "end")
    return (
      `${say("endTitle")}. ` +
      walk.leaves
        .map(([v, gx]) => `${valueName(v)} ${brief(gx)}`)
        .slice(0, 8)
        .join(", ")
    );
  const f = functions[step.f],
    title = `${stepText()}: ${f.n}, ${say("generationOf", { g: f.gen })}.`;
  if (step.kind === "forward") {
    const results = f.out.map((v) => `${valueName(v)} ${values[v].v ? brief(values[v].v) : ""}`);
    return `${title} ${say("result")} ${results.join(", ")}`;
  }
  return (
    `${title} ${say("arrives")} ${step.visit.gy.map((g) => (g ? brief(g) : "0")).join(", ")}. ` +
    step.visit.to
      .map(
        ([, v, share, total]) =>
          `${valueName(v)}: ${total ? `+ ${brief(share)} = ${brief(total)}` : brief(share)}`,
      )
      .join(", ")
  );
}

function seedSentence() {
  return say("seedText", { name: walk.seeds.map(([v]) => valueName(v)).join(", ") });
}

function startPanel() {
  return [
    head(stepText(), say("startTitle")),
    h("p", {}, walk ? say("startText") : `${say("startText")} ${say("noWalk")}`),
    part(
      say("inputs"),
      valueTable(
        ["input", "parameter"]
          .flatMap((role) => values.map((_, v) => v).filter((v) => values[v].role === role))
          .slice(0, 12),
      ),
    ),
  ];
}

function valueTable(list, names) {
  return h(
    "div",
    { class: "rows" },
    list.map((v, k) =>
      h(
        "div",
        { class: "row" },
        names ? h("span", { class: "role" }, math(names[k]), " = ") : null,
        valueChip(v),
        amount(values[v].v, v),
      ),
    ),
  );
}

function functionHead(i) {
  const f = functions[i],
    rule = rules[f.rule];
  return head(
    stepText(),
    f.n,
    rule.y
      ? h("p", { class: "formula" }, math(f.out.length > 1 ? rule.y : `y = ${rule.y}`))
      : null,
    f.grp >= 0
      ? h(
          "p",
          { class: "where" },
          say("layer"),
          " ",
          pathOf(f.grp).map((g, k) => [k ? " › " : "", chip(`g${g}`, groups[g].n, "layer")]),
        )
      : null,
  );
}

function forwardPanel(step) {
  const f = functions[step.f],
    rule = rules[f.rule];
  return [
    functionHead(step.f),
    part(say("inputs"), valueTable(f.in, rule.names)),
    part(
      f.out.length > 1 ? say("outputs") : say("output"),
      valueTable(f.out, f.out.length > 1 ? f.out.map((_, k) => `y${k}`) : ["y"]),
    ),
    part(
      say("why"),
      h("p", {}, say(data.traced ? "whyForward" : "whyUntraced")),
      h(
        "p",
        {},
        h("span", { class: "badge" }, say("generationOf", { g: f.gen })),
        " ",
        say("generationWhy", { g: f.gen + 1 }),
      ),
    ),
    lineOf(f),
    sourceOf(rule),
  ];
}

function seedPanel() {
  return [
    head(stepText(), say("seedTitle")),
    h("p", {}, seedSentence()),
    part(
      say("gradient"),
      h(
        "div",
        { class: "rows" },
        walk.seeds.map(([v, seed]) =>
          h("div", { class: "row" }, valueChip(v), amount(seed, v, "gradient")),
        ),
      ),
    ),
    part(say("waiting"), queueChips("", waitingAt(now + 1), walk.woken)),
  ];
}

function backwardPanel(step) {
  const f = functions[step.f],
    rule = rules[f.rule],
    visit = step.visit;
  const waiting = waitingAt(now),
    others = waiting.filter((i) => i !== step.f);
  const tie = others.length && functions[others[0]].gen >= f.gen;
  const why = !others.length ? "whyAlone" : tie ? "whyTie" : "whyLargest";
  return [
    functionHead(step.f),
    part(
      say("why"),
      h("p", {}, say(why, { g: f.gen })),
      queueChips(say("waiting"), [step.f, ...others], []),
      queueChips(say("waitingAfter"), waitingAt(now + 1), visit.woken),
    ),
    part(
      say("arrives"),
      h(
        "div",
        { class: "rows" },
        f.out.map((v, k) =>
          h(
            "div",
            { class: "row" },
            h("span", { class: "role" }, math(f.out.length > 1 ? `gy${k}` : "gy"), " = "),
            visit.gy[k]
              ? amount(visit.gy[k], v, "gradient")
              : h("span", { class: "muted" }, say("unused")),
            sumOf(v),
          ),
        ),
      ),
    ),
    part(
      say("passes"),
      h(
        "div",
        { class: "rows" },
        visit.to.map(([k, v, share, total]) => passed(rule, k, v, share, total)),
      ),
    ),
    part(say("inputs"), valueTable(f.in, rule.names)),
    lineOf(f),
    sourceOf(rule),
  ];
}

/* The gradient for one input: the rule, what it gives, and what that adds up to. */
function passed(rule, k, v, share, total) {
  const name = `g${rule.names[k]}`;
  return h(
    "div",
    { class: "row pass" },
    h("p", { class: "formula" }, math(rule.gx[k] ? `${name} = ${rule.gx[k]}` : name)),
    h(
      "div",
      {},
      h("span", { class: "arrow" }, "= "),
      amount(share, v, "gradient"),
      h("span", { class: "arrow" }, " → "),
      valueChip(v),
    ),
    total ? h("p", { class: "sum" }, sumChain(v, k)) : null,
  );
}

/* "first 1, then + 1 = 2": how the gradients of a value add up, as far as this input. */
function sumChain(v, input) {
  const list = gradients[v].filter((r) => r.step < now || (r.step === now && r.input <= input));
  const words = [say("first", { a: brief(list[0].part) })];
  const shown = list.length > 6 ? list.slice(-4) : list.slice(1);
  if (list.length > 6) words.push("…");
  for (const record of shown)
    words.push(say("then", { b: brief(record.part), c: brief(record.total) }));
  return [h("b", {}, words.join(", ")), h("br"), say("adds")];
}

function sumOf(v) {
  const list = gradients[v];
  if (list.length < 2) return null;
  const parts =
    list.length > 6
      ? [...list.slice(0, 5).map((r) => brief(r.part)), "…"]
      : list.map((r) => brief(r.part));
  return h(
    "p",
    { class: "sum" },
    h("b", {}, `${parts.join(" + ")} = ${brief(list[list.length - 1].total)}`),
  );
}

/* The heap: who waits, the largest generation first; those who just came have a +. */
function queueChips(title, list, woken) {
  const most = 10,
    current = steps[now].f;
  const kind = (i) => (i === current ? "current" : woken.includes(i) ? "woken" : "waits");
  return h(
    "div",
    { class: "queue", role: "group", "aria-label": title || say("waiting") },
    title ? h("p", { class: "caption" }, title) : null,
    list
      .slice(0, most)
      .map((i) =>
        chip(
          `f${i}`,
          [
            woken.includes(i) ? "+ " : "",
            functions[i].n,
            h("span", { class: "badge" }, String(functions[i].gen)),
          ],
          kind(i),
        ),
      ),
    list.length > most
      ? h("span", { class: "muted" }, say("more", { n: list.length - most }))
      : null,
    list.length ? null : h("span", { class: "muted" }, say("nobody")),
  );
}

function endPanel() {
  return [
    head(stepText(), say("endTitle")),
    h("p", {}, say("endText")),
    part(
      say("gradients"),
      h(
        "div",
        { class: "rows" },
        walk.leaves
          .slice(0, 40)
          .map(([v, gx]) =>
            h("div", { class: "row" }, valueChip(v), amount(gx, v, "gradient"), sumOf(v)),
          ),
      ),
    ),
  ];
}

function lineOf(f) {
  if (f.at < 0) return part(say("line"), h("p", { class: "muted" }, say("noLine")));
  const [file, line, name, code] = places[f.at];
  return part(
    say("line"),
    h("p", { class: "place" }, `${file}:${line}`, name[0] === "<" ? "" : ` · ${name}()`),
    code ? h("pre", { class: "code" }, code) : null,
  );
}

function sourceOf(rule) {
  if (!rule.source.length) return null;
  return h(
    "details",
    {},
    h("summary", {}, say("source")),
    rule.source.map(({ at, code }) => [
      h("p", { class: "place" }, at),
      h("pre", { class: "code" }, code),
    ]),
  );
}
