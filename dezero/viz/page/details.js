"use strict";
// The card of a box that was chosen.

function selectedPanel(id) {
  const i = Number(id.slice(1));
  const close = h(
    "button",
    { type: "button", class: "close", "aria-label": say("close"), onclick: () => select("") },
    "×",
  );
  const makers = { v: selectedValue, f: selectedFunction, g: selectedGroup };
  return h("article", { class: "selected" }, close, ...makers[id[0]](i));
}

function selectedValue(v) {
  const value = values[v],
    record = gradientAt(v, now);
  const users = functions.map((f, i) => i).filter((i) => functions[i].in.includes(v));
  const soon = !walk || !gradients[v].length ? say("never") : say("none");
  return [
    head(say(value.role === "output" ? "outputRole" : value.role), valueName(v)),
    part(
      say("value"),
      isKnown(v, now) ? amount(value.v, v) : h("p", { class: "muted" }, say("soon")),
    ),
    part(
      say("gradient"),
      record ? [amount(record.total, v, "gradient"), sumOf(v)] : h("p", { class: "muted" }, soon),
    ),
    value.f >= 0 ? part(say("madeBy"), chip(`f${value.f}`, functions[value.f].n)) : null,
    users.length
      ? part(
          say("usedBy"),
          h(
            "div",
            { class: "queue" },
            users.slice(0, 20).map((i) => chip(`f${i}`, functions[i].n)),
            users.length > 20 ? say("more", { n: users.length - 20 }) : null,
          ),
        )
      : null,
    value.f >= 0 ? lineOf(functions[value.f]) : null,
  ];
}

function selectedFunction(i) {
  const f = functions[i],
    rule = rules[f.rule];
  return [
    head(
      say("function"),
      f.n,
      rule.y ? h("p", { class: "formula" }, math(`y = ${rule.y}`)) : null,
    ),
    h(
      "p",
      {},
      h("span", { class: "badge" }, say("generationOf", { g: f.gen })),
      " ",
      f.grp >= 0 ? layerText(f.grp) : "",
    ),
    h(
      "p",
      { class: "jumps" },
      h("button", { type: "button", onclick: () => go(f.forward) }, say("toForward")),
      f.backward >= 0
        ? h("button", { type: "button", onclick: () => go(f.backward) }, say("toBackward"))
        : null,
    ),
    lineOf(f),
  ];
}

function selectedGroup(g) {
  const inside = functions.filter((f) => pathOf(f.grp).includes(g));
  const first = Math.min(...inside.map((f) => f.forward)),
    back = Math.min(...inside.map((f) => f.backward).filter((step) => step >= 0));
  return [
    head(
      say("group"),
      groups[g].n,
      groups[g].kind ? h("p", {}, say("calls", { kind: groups[g].kind })) : null,
    ),
    h("p", {}, say("contains", { n: inside.length }), " · ", layerText(g)),
    h(
      "p",
      { class: "jumps" },
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            toggle(g);
            fillPanel();
          },
        },
        say(folded.has(g) ? "unfoldOne" : "foldOne"),
      ),
      h("button", { type: "button", onclick: () => go(first) }, say("toForward")),
      back < Infinity
        ? h("button", { type: "button", onclick: () => go(back) }, say("toBackward"))
        : null,
    ),
  ];
}
