"use strict";
// Where boxes and edges go: a layered layout, of each open layer box by itself and of the boxes
// in the one around it. The same method as dezero/viz/layout.py, which draws pictures that do
// not fold: barycentre ordering (Sugiyama 1981), straight blocks (compare Brandes, Koepf 2001).

const GAP = 26,
  RANK_GAP = 44,
  PORT_GAP = 20,
  ARROW = 8,
  INSET = 22,
  LABEL = 34;

/* Order the vertices of each rank so that few segments cross. */
function orderRows(ranks, segments) {
  const above = ranks.map(() => []),
    below = ranks.map(() => []);
  for (const [u, v] of segments) {
    below[u].push(v);
    above[v].push(u);
  }
  let rows = rowsBy(ranks, firstSeen(ranks, above));
  let best = rows,
    fewest = countCrossings(rows, below, ranks.length);
  const sweeps = Math.max(2, Math.min(10, Math.floor(60000 / ranks.length)));
  for (let sweep = 0; sweep < sweeps && fewest; sweep++) {
    const down = sweep % 2 === 0;
    rows = down ? sweepRows(rows, above) : sweepRows(rows.slice().reverse(), below).reverse();
    const count = countCrossings(rows, below, ranks.length);
    if (count < fewest) {
      best = rows;
      fewest = count;
    }
  }
  return best;
}

function rowsBy(ranks, places) {
  const rows = [];
  const order = ranks.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  for (const v of order) (rows[ranks[v]] ||= []).push(v);
  for (let r = 0; r < rows.length; r++) rows[r] ||= [];
  return rows;
}

/* When a walk from the last rank upwards meets each vertex: a good first order. */
function firstSeen(ranks, above) {
  const places = new Array(ranks.length).fill(-1);
  const stack = ranks.map((_, i) => i).sort((a, b) => ranks[a] - ranks[b] || b - a);
  let clock = 0;
  while (stack.length) {
    const v = stack.pop();
    if (places[v] >= 0) continue;
    places[v] = clock++;
    for (let i = above[v].length - 1; i >= 0; i--) stack.push(above[v][i]);
  }
  return places;
}

function sweepRows(rows, neighbours) {
  const place = new Map(rows[0].map((v, i) => [v, i]));
  const result = [rows[0]];
  for (const row of rows.slice(1)) {
    const want = new Map(
      row.map((v, i) => {
        const near = neighbours[v].map((u) => place.get(u)).filter((p) => p !== undefined);
        return [v, near.length ? near.reduce((a, b) => a + b, 0) / near.length : i];
      }),
    );
    const sorted = row.slice().sort((a, b) => want.get(a) - want.get(b));
    sorted.forEach((v, i) => place.set(v, i));
    result.push(sorted);
  }
  return result;
}

function countCrossings(rows, below, size) {
  const place = new Array(size);
  for (const row of rows)
    row.forEach((v, i) => {
      place[v] = i;
    });
  let count = 0;
  for (const row of rows) {
    const seen = [];
    for (const u of row) {
      for (const end of below[u].map((v) => place[v]).sort((a, b) => a - b)) {
        let low = 0,
          high = seen.length;
        while (low < high) {
          const mid = (low + high) >> 1;
          if (seen[mid] <= end) low = mid + 1;
          else high = mid;
        }
        count += seen.length - low;
        seen.splice(low, 0, end);
      }
    }
  }
  return count;
}

/* Find the x of every vertex: rows keep their order, what may be straight is straight. */
function straighten(rows, widths, segments, weights) {
  const place = [],
    rank = [];
  rows.forEach((row, r) =>
    row.forEach((v, i) => {
      place[v] = i;
      rank[v] = r;
    }),
  );
  const block = joinBlocks(rows, segments, weights, place, rank);
  const right = new Map(),
    left = new Map();
  for (const row of rows)
    for (const v of row) {
      right.set(block[v], new Map());
      left.set(block[v], new Map());
    }
  for (const row of rows) {
    for (let i = 1; i < row.length; i++) {
      const a = block[row[i - 1]],
        b = block[row[i]];
      const need = (widths[row[i - 1]] + widths[row[i]]) / 2 + GAP;
      const room = Math.max(right.get(a).get(b) || 0, need);
      right.get(a).set(b, room);
      left.get(b).set(a, room);
    }
  }
  const blocks = leftToRight(left, right);
  const x = new Map();
  for (const b of blocks)
    x.set(b, Math.max(0, ...[...left.get(b)].map(([a, room]) => x.get(a) + room)));
  const limit = Math.max(0, ...x.values());
  const high = new Map();
  for (const b of blocks.slice().reverse()) {
    high.set(b, Math.min(limit, ...[...right.get(b)].map(([c, room]) => high.get(c) - room)));
  }
  for (const b of blocks) x.set(b, (x.get(b) + high.get(b)) / 2);
  const pulls = new Map(blocks.map((b) => [b, []]));
  segments.forEach(([u, v], i) => {
    const a = block[u],
      b = block[v];
    if (a !== b) {
      pulls.get(a).push([b, weights[i] + 1]);
      pulls.get(b).push([a, weights[i] + 1]);
    }
  });
  const sweeps = Math.max(4, Math.min(30, Math.floor(60000 / place.length)));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const b of sweep % 2 ? blocks : blocks.slice().reverse())
      moveBlock(b, x, pulls.get(b), left.get(b), right.get(b));
  }
  return place.map((_, v) => x.get(block[v]));
}

function joinBlocks(rows, segments, weights, place, rank) {
  const taken = rows.map(() => []),
    up = new Map(),
    used = new Set();
  const heaviest = segments.map((_, i) => i).sort((a, b) => weights[b] - weights[a] || a - b);
  for (const i of heaviest) {
    const [u, v] = segments[i];
    if (used.has(u) || up.has(v)) continue;
    const [from, to] = [place[u], place[v]];
    if (taken[rank[u]].some(([a, b]) => (a - from) * (b - to) < 0)) continue;
    taken[rank[u]].push([from, to]);
    used.add(u);
    up.set(v, u);
  }
  const block = [];
  for (const row of rows) for (const v of row) block[v] = up.has(v) ? block[up.get(v)] : v;
  return block;
}

function leftToRight(left, right) {
  const waiting = new Map([...left].map(([b, row]) => [b, row.size]));
  const ready = [...left.keys()].filter((b) => !waiting.get(b));
  for (let i = 0; i < ready.length; i++) {
    for (const other of right.get(ready[i]).keys()) {
      waiting.set(other, waiting.get(other) - 1);
      if (!waiting.get(other)) ready.push(other);
    }
  }
  return ready;
}

function moveBlock(b, x, pulls, left, right) {
  if (!pulls.length) return;
  let sum = 0,
    weight = 0,
    low = -Infinity,
    high = Infinity;
  for (const [other, w] of pulls) {
    sum += x.get(other) * w;
    weight += w;
  }
  for (const [a, room] of left) low = Math.max(low, x.get(a) + room);
  for (const [c, room] of right) high = Math.min(high, x.get(c) - room);
  x.set(b, Math.min(Math.max(sum / weight, low), high));
}

/* Lay out vertices {id, w, h, kind, top, bottom} and edges [from, to, data] (indexes of vertices).
   Returns their places, the routes of the edges, width and height. */
function layOut(vertices, edges) {
  const ranks = rankOf(vertices, edges);
  const count = vertices.length,
    lanes = new Map(),
    segments = [],
    known = new Set();
  const join = (u, v) => {
    const key = u * 1e7 + v;
    if (!known.has(key)) {
      known.add(key);
      segments.push([u, v]);
    }
  };
  const reach = new Map();
  for (const [u, v] of edges) reach.set(u, Math.max(reach.get(u) || 0, ranks[v] - ranks[u]));
  let budget = 2000 + 6 * count;
  for (const [u, span] of [...reach].sort((a, b) => a[1] - b[1])) {
    budget -= span - 1;
    if (budget < 0) break; // what is left are the longest edges of a huge graph: drawn straight
    const lane = [u];
    for (let r = 1; r < span; r++) {
      lane.push(ranks.length);
      ranks.push(ranks[u] + r);
    }
    for (let i = 1; i < lane.length; i++) join(lane[i - 1], lane[i]);
    lanes.set(u, lane);
  }
  const hops = edges.map(([u, v]) => {
    const lane = lanes.get(u) || [u];
    const hop = lane[Math.min(ranks[v] - ranks[u], lane.length) - 1] ?? u;
    if (ranks[v] === ranks[hop] + 1) join(hop, v);
    return hop;
  });
  const rows = facing(orderRows(ranks, segments), edges, hops);
  const widths = ranks.map((_, v) => (v < count ? vertices[v].w : 4));
  const weights = segments.map(([u, v]) => weightOf(vertices, u, v));
  let xs = straighten(rows, widths, segments, weights);
  const leftmost = Math.min(...xs.map((x, v) => x - widths[v] / 2));
  xs = xs.map((x) => x - leftmost);
  const width = Math.max(...xs.map((x, v) => x + widths[v] / 2));
  const bands = bandsOf(rows, vertices, xs, ranks, segments);
  const ys = vertices.map((vertex, v) => {
    const [top, bottom] = bands[ranks[v]];
    return vertex.top ? top : vertex.bottom ? bottom : (top + bottom) / 2;
  });
  const routes = routesOf(vertices, edges, hops, lanes, ranks, xs, ys, bands);
  return {
    xs: xs.slice(0, count),
    ys,
    routes,
    width,
    height: bands.length ? bands[bands.length - 1][1] : 0,
  };
}

/* Longest path from above; a leaf stands just above its first user, a port at the rim. */
function rankOf(vertices, edges) {
  const into = vertices.map(() => []),
    out = vertices.map(() => []);
  for (const [u, v] of edges) {
    into[v].push(u);
    out[u].push(v);
  }
  const waiting = into.map((row) => row.length),
    ranks = vertices.map(() => 0);
  const ready = vertices.map((_, v) => v).filter((v) => !waiting[v]);
  for (let i = 0; i < ready.length; i++) {
    for (const v of out[ready[i]]) {
      ranks[v] = Math.max(ranks[v], ranks[ready[i]] + 1);
      if (--waiting[v] === 0) ready.push(v);
    }
  }
  const last = Math.max(0, ...ranks);
  vertices.forEach((vertex, v) => {
    if (vertex.bottom) ranks[v] = Math.max(last, 1);
    else if (!vertex.top && !into[v].length && out[v].length) {
      ranks[v] = Math.min(...out[v].map((w) => ranks[w])) - 1;
    }
  });
  const used = [...new Set(ranks)].sort((a, b) => a - b);
  const dense = new Map(used.map((rank, i) => [rank, i]));
  return ranks.map((rank) => dense.get(rank));
}

function weightOf(vertices, u, v) {
  if (u >= vertices.length || v >= vertices.length)
    return u >= vertices.length && v >= vertices.length ? 4 : 2;
  if (vertices[u].leaf) return vertices[u].kind === "input" ? 2 : 1;
  return vertices[u].kind === "function" ? 6 : 5;
}

/* Mirror the rows if functions then have more of their inputs from left to right. */
function facing(rows, edges, hops) {
  const place = new Map();
  for (const row of rows) row.forEach((v, i) => place.set(v, i));
  const inputs = new Map();
  edges.forEach(([, v], i) => {
    if (!inputs.has(v)) inputs.set(v, []);
    inputs.get(v).push(place.get(hops[i]));
  });
  let turns = 0;
  for (const places of inputs.values())
    for (let i = 1; i < places.length; i++) turns += Math.sign(places[i - 1] - places[i]);
  return turns > 0 ? rows.map((row) => row.slice().reverse()) : rows;
}

function bandsOf(rows, vertices, xs, ranks, segments) {
  const swing = rows.map(() => 0);
  for (const [u, v] of segments)
    swing[ranks[v]] = Math.max(swing[ranks[v]], Math.abs(xs[u] - xs[v]));
  const bands = [];
  let y = 0;
  rows.forEach((row, r) => {
    if (r) y += Math.min(RANK_GAP + 0.06 * swing[r], 3 * RANK_GAP);
    const height = Math.max(
      0,
      ...row.filter((v) => v < vertices.length).map((v) => vertices[v].h),
    );
    bands.push([y, y + height]);
    y += height;
  });
  return bands;
}

function routesOf(vertices, edges, hops, lanes, ranks, xs, ys, bands) {
  const entering = new Map(),
    portOf = [];
  edges.forEach(([, v], i) => {
    if (!entering.has(v)) entering.set(v, []);
    entering.get(v).push(i);
  });
  for (const [v, list] of entering) {
    const vertex = vertices[v];
    if (vertex.ports) {
      for (const i of list)
        portOf[i] = xs[v] - vertex.w / 2 + (vertex.ports.get(edges[i][2].v) ?? vertex.w / 2);
      continue;
    }
    list.sort((a, b) => xs[hops[a]] - xs[hops[b]] || a - b);
    const step = Math.min(PORT_GAP, (0.6 * vertex.w) / Math.max(1, list.length - 1));
    list.forEach((i, k) => {
      portOf[i] = xs[v] + (k - (list.length - 1) / 2) * step;
    });
    if (list.length === 1 && Math.abs(xs[hops[list[0]]] - xs[v]) < 1) portOf[list[0]] = xs[v];
  }
  return edges.map(([u, v, data], i) => {
    const from = vertices[u],
      to = vertices[v];
    const start = from.exits ? xs[u] - from.w / 2 + (from.exits.get(data.v) ?? from.w / 2) : xs[u];
    const points = [
      [start, ys[u] + from.h / 2],
      [start, bands[ranks[u]][1]],
    ];
    const lane = lanes.get(u) || [u];
    for (let k = 1; k < lane.length && ranks[lane[k]] < ranks[v]; k++) {
      const [top, bottom] = bands[ranks[lane[k]]];
      points.push([xs[lane[k]], top], [xs[lane[k]], bottom]);
    }
    const tip = ys[v] - to.h / 2;
    const arrow = to.bottom || (to.kind === "group" && to.ports) ? 0 : ARROW;
    points.push([portOf[i], bands[ranks[v]][0] - arrow], [portOf[i], tip - arrow]);
    return { points: simplify(points), tip: arrow ? [portOf[i], tip] : null, data };
  });
}

function simplify(points) {
  const result = [];
  for (const point of points) {
    const last = result[result.length - 1],
      before = result[result.length - 2];
    if (last && Math.abs(last[0] - point[0]) < 0.01 && Math.abs(last[1] - point[1]) < 0.01)
      continue;
    if (before && before[0] === last[0] && last[0] === point[0]) result.pop();
    result.push(point);
  }
  return result;
}
