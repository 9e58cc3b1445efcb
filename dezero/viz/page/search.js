"use strict";
// Search: functions, names, layers and lines of the program.

let found = [],
  chosen = -1;

function search() {
  const query = at("query").value.trim().toLowerCase();
  found = [];
  const has = (...texts) => texts.some((text) => text && text.toLowerCase().includes(query));
  if (query) {
    groups.forEach((g, i) => {
      if (has(g.n, g.kind)) found.push([`g${i}`, "group", g.n, layerText(i)]);
    });
    values.forEach((v, i) => {
      if (v.n && (v.role !== "constant" || v.s.length) && has(v.n))
        found.push([`v${i}`, v.role === "output" ? "outputRole" : v.role, v.n, shapeText(v.s)]);
    });
    functions.forEach((f, i) => {
      const [file, line, , code] = f.at < 0 ? [] : places[f.at];
      if (has(f.n, code, file && `${file}:${line}`))
        found.push([`f${i}`, "function", f.n, code || layerText(f.grp)]);
    });
  }
  chosen = found.length ? 0 : -1;
  const ids = new Set(found.map(([id]) => id));
  for (const [id, box] of boxes) box.element.classList.toggle("found", ids.has(id));
  document.body.classList.toggle("searching", found.length > 0);
  showFound(query);
}

function showFound(query) {
  const list = at("results");
  list.hidden = !query;
  at("query").setAttribute("aria-expanded", String(Boolean(query)));
  const rows = found.slice(0, 40).map(([id, role, title, more], i) => {
    const row = h(
      "li",
      { role: "option", id: `found-${i}`, "aria-selected": String(i === chosen) },
      h("small", {}, say(role)),
      h("b", {}, title),
      h("code", {}, more),
    );
    row.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      pick(i);
    });
    return row;
  });
  const count = h(
    "li",
    { class: "count", role: "presentation" },
    found.length ? say("found", { n: found.length }) : say("nothing"),
  );
  list.replaceChildren(count, ...rows);
  if (chosen >= 0) at("query").setAttribute("aria-activedescendant", `found-${chosen}`);
  else at("query").removeAttribute("aria-activedescendant");
  list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  if (query) tell(found.length ? say("found", { n: found.length }) : say("nothing"));
}

function pick(i) {
  const [id] = found[i];
  stopSearch();
  selected = "";
  select(id);
  view.moved = true;
  reveal(id);
}

function stopSearch() {
  at("query").value = "";
  search();
}
