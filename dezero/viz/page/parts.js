"use strict";
// What the panel is made of: elements, formulas, numbers, chips.

/* Make an element. Text goes in as text, never as HTML: names and code come from the program. */
function h(tag, attributes, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value);
  }
  element.append(
    ...inside
      .flat(3)
      .filter((part) => part !== null && part !== undefined && part !== false && part !== ""),
  );
  return element;
}

const UPRIGHT = new Set([
  "log",
  "sin",
  "cos",
  "tanh",
  "max",
  "min",
  "sign",
  "shape",
  "reshape",
  "softmax",
  "onehot",
  "mask",
]);

/* Set a formula: x0^{2} has a low 0 and a high 2. */
function math(text) {
  const result = h("span", { class: "math" });
  const into = (target, source) => {
    for (let i = 0; i < source.length;) {
      const rest = source.slice(i),
        raised = /^([\^_])\{/.exec(rest),
        word = /^([A-Za-z_]+)(\d*)/.exec(rest);
      if (raised) {
        let depth = 1,
          end = 2;
        while (depth && end < rest.length) {
          depth += (rest[end] === "{") - (rest[end] === "}");
          end++;
        }
        const part = h(raised[1] === "^" ? "sup" : "sub");
        into(part, rest.slice(2, end - 1));
        target.append(part);
        i += end;
      } else if (word) {
        target.append(
          UPRIGHT.has(word[1]) ? h("span", { class: "upright" }, word[1]) : h("i", {}, word[1]),
        );
        if (word[2]) target.append(h("sub", {}, word[2]));
        i += word[0].length;
      } else {
        target.append(source[i] === "-" ? "−" : source[i]);
        i++;
      }
    }
  };
  into(result, text);
  return result;
}

/* One value or gradient, with shape and dtype, and figures of what is too large to show. */
function amount(part, v, name) {
  if (!part) return h("span", { class: "muted" }, say("unknown"));
  const value = values[v],
    shape = value.s.length ? `${shapeText(value.s)} ${value.d}` : value.d;
  if (!part[1] && !part[2])
    return h(
      "span",
      { class: `amount ${name || ""}` },
      h("b", {}, part[0]),
      " ",
      h("small", {}, shape),
      warning(part),
    );
  const figures = part[2]
    ? h(
        "dl",
        { class: "figures" },
        ["min", "mean", "max", "norm"].map((key, i) =>
          h("div", {}, h("dt", {}, say(key)), h("dd", {}, part[2][i])),
        ),
      )
    : null;
  return h(
    "span",
    { class: `amount ${name || ""}` },
    h("small", {}, shape),
    warning(part),
    part[1] ? h("pre", {}, part[1]) : null,
    figures,
  );
}

function warning(part) {
  return part[3] ? h("strong", { class: "warning" }, ` ${say("notFinite")}`) : null;
}

function brief(part) {
  return inBox(part);
}

function chip(id, text, name) {
  return h(
    "button",
    { type: "button", class: `chip ${name || ""}`, "data-of": id, onclick: () => select(id) },
    text,
  );
}

function valueChip(v) {
  return chip(`v${v}`, valueName(v), `value ${values[v].role}`);
}

function part(title, ...inside) {
  return h("section", {}, h("h3", {}, title), ...inside);
}

function head(kicker, title, ...more) {
  return h(
    "div",
    { class: "head" },
    h("p", { class: "kicker" }, kicker),
    h("h2", {}, title),
    ...more,
  );
}
