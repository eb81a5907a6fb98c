"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const CHUNK = 400;
  const PRINTED = 20000;
  const FIRST = 8;
  const $ = (id) => document.getElementById(id);
  const body = document.querySelector("#rows tbody");

  // Names come from files: they are only ever text.
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  // Long names break behind their slashes.
  const named = (cell, text) => {
    text.split("/").forEach((part, at) => {
      if (at > 0) cell.append("/", document.createElement("wbr"));
      cell.append(part);
    });
    return cell;
  };
  const bytes = (n) => {
    if (n === null) return "";
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    for (; n >= 1024 && unit + 1 < units.length; unit += 1) n /= 1024;
    return unit ? `${n.toFixed(1)} ${units[unit]}` : `${n} B`;
  };

  const rows = data.rows.map((row, at) => ({
    at,
    state: data.states[row.s],
    source: row.f.join(", "),
    target: row.t || "",
    spec: row.b && row.b !== row.a ? `${row.b} → ${row.a}` : row.a,
    size: row.n,
    steps: row.x || "",
    rule: row.r === null ? null : data.rules[row.r],
    also: row.w || "",
    judged: row.v,
    text: null,
  }));
  const largest = rows.reduce((most, row) => Math.max(most, row.size || 0), 1);
  const haystack = (row) => {
    row.text ??= [row.state, row.source, row.target, row.spec, row.steps, row.also,
      row.rule ? row.rule.place : ""].join("\n").toLowerCase();
    return row.text;
  };

  const line = (row) => {
    const tr = make("tr");
    tr.dataset.state = row.state;
    tr.id = `row-${row.at}`;
    const state = make("td", "state");
    state.append(make("span", "", row.state));
    if (row.judged) state.append(" ", make("span", row.judged === "equal" ? "judged" : "judged bad", row.judged));
    const source = named(make("td", "source"), row.source);
    const steps = make("td", "steps what", row.steps);
    if (row.also) steps.append(row.steps ? " " : "", make("span", "also", row.also));
    const target = named(make("td", "target"), row.target);
    const size = make("td", "size", bytes(row.size));
    if (row.size) {
      const bar = make("i");
      bar.style.width = `${Math.max(1, (100 * row.size) / largest)}%`;
      size.append(bar);
    }
    const rule = make("td", "rule", row.rule ? row.rule.place : "");
    if (row.rule) rule.title = row.rule.text;
    tr.append(state, source, steps, target, make("td", "spec", row.spec || ""), size, rule);
    return tr;
  };

  let chosen = "all";
  let order = { by: "order", down: false };
  let shown = rows;
  let drawn = 0;

  const more = (upTo) => {
    const end = Math.min(shown.length, upTo);
    const part = document.createDocumentFragment();
    for (; drawn < end; drawn += 1) part.append(line(shown[drawn]));
    body.append(part);
    $("more").hidden = drawn >= shown.length;
  };
  const matcher = (text) => {
    const regex = /^\/(.+)\/$/.exec(text);
    $("search").removeAttribute("aria-invalid");
    if (!regex) {
      const words = text.toLowerCase().split(/\s+/).filter(Boolean);
      return (row) => words.every((word) => haystack(row).includes(word));
    }
    try {
      const pattern = new RegExp(regex[1], "i");
      return (row) => pattern.test(haystack(row));
    } catch {
      $("search").setAttribute("aria-invalid", "true");
      return () => false;
    }
  };
  const natural = new Intl.Collator("en", { numeric: true });
  const orders = {
    order: (a, b) => a.at - b.at,
    source: (a, b) => natural.compare(a.source, b.source) || a.at - b.at,
    target: (a, b) => natural.compare(a.target, b.target) || a.at - b.at,
    size: (a, b) => (b.size || 0) - (a.size || 0) || a.at - b.at,
  };
  const refresh = () => {
    const wanted = matcher($("search").value.trim());
    shown = rows.filter((row) => (chosen === "all" || row.state === chosen) && wanted(row));
    if (order.by !== "order" || order.down) shown.sort(orders[order.by]);
    if (order.down) shown.reverse();
    body.replaceChildren();
    drawn = 0;
    more(CHUNK);
    $("none").hidden = shown.length > 0;
    const total = shown.reduce((sum, row) => sum + (row.size || 0), 0);
    $("count").textContent = `${shown.length} of ${rows.length}, ${bytes(total)}`;
    for (const button of $("filters").children) {
      button.setAttribute("aria-pressed", String(button.dataset.state === chosen));
    }
    const hash = new URLSearchParams();
    if (chosen !== "all") hash.set("state", chosen);
    if ($("search").value) hash.set("q", $("search").value);
    history.replaceState(null, "", `#${hash}`);
  };

  const ends = [["source", data.source], ["template", data.template], ["rules", data.mapping],
    ...data.files.map((file) => [file.how, `${file.path} (${bytes(file.bytes)})`])];
  for (const [word, text] of ends.filter(([, text]) => text)) {
    $("ends").append(make("dt", "", word), make("dd", "", text));
  }

  const counts = new Map(data.states.map((state) => [state, { rows: 0, bytes: 0 }]));
  for (const row of rows) {
    const count = counts.get(row.state);
    count.rows += 1;
    count.bytes += row.size || 0;
  }
  const filter = (state, count) => {
    const button = make("button", "", `${state} ${count}`);
    button.type = "button";
    button.dataset.state = state;
    button.addEventListener("click", () => {
      chosen = chosen === state ? "all" : state;
      refresh();
    });
    $("filters").append(button);
  };
  filter("all", rows.length);
  for (const [state, count] of counts) {
    if (count.rows === 0) continue;
    filter(state, count.rows);
    if (count.bytes === 0) continue;
    const part = make("span");
    part.dataset.state = state;
    part.style.flexGrow = count.bytes;
    part.title = `${state}: ${bytes(count.bytes)}`;
    $("share").append(part);
  }

  $("rows").classList.toggle("plain", rows.every((row) => !row.steps));

  const notes = $("notes");
  const rest = make("details");
  rest.append(make("summary", "", `${data.problems.length - FIRST} more problems`));
  for (const [at, problem] of data.problems.entries()) {
    const box = make("div", "problem");
    box.append(make("p", "", problem.message));
    if (problem.place) box.append(make("pre", "", `${problem.place}\n${problem.line}`));
    if (problem.help) box.append(make("p", "help", problem.help));
    (at < FIRST ? notes : rest).append(box);
  }
  if (data.problems.length > FIRST) notes.append(rest);
  const list = (title, lines) => {
    if (!lines.length) return;
    const all = make("ul");
    all.append(...lines.map((text) => make("li", "", text)));
    notes.append(make("h2", "", title), all);
  };
  list("Warnings", data.warnings);
  list("The same training still depends on", data.advice);
  notes.hidden = !notes.childElementCount;

  const show = (at) => {
    chosen = "all";
    $("search").value = "";
    order = { by: "order", down: false };
    refresh();
    more(at + 1);
    const row = $(`row-${at}`);
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    row.classList.add("found");
    setTimeout(() => row.classList.remove("found"), 2500);
  };
  // What lies below an object is made when it is opened: a graph may be large.
  const object = (id, label, also) => {
    const node = data.objects[id];
    const item = make("li");
    const words = (to) => {
      to.append(label);
      for (const at of node.v) {
        const link = make("a", "", rows[at].spec);
        link.href = `#row-${at}`;
        link.addEventListener("click", (event) => {
          event.preventDefault();
          show(at);
        });
        to.append(" ", link);
      }
      if (also) to.append(" ", make("span", "also", also));
      return to;
    };
    if (!node.c.length) return words(item);
    const details = make("details");
    details.append(words(make("summary")));
    const fill = () => {
      if (details.querySelector("ul")) return;
      const all = make("ul");
      for (const [name, to, role] of node.c) {
        const alias = role !== "tree";
        all.append(alias ? leaf(name, to, role) : object(to, name, ""));
      }
      details.append(all);
    };
    details.addEventListener("toggle", fill);
    details.fill = fill;
    item.append(details);
    return item;
  };
  const leaf = (name, to, role) => {
    const item = make("li");
    item.append(name, " ", make("span", "also", role));
    return item;
  };
  if (data.objects.length) {
    $("objects").hidden = false;
    const root = object(0, "(root)", "");
    $("tree").append(root);
    const first = root.querySelector("details");
    if (first) {
      first.open = true;
      first.fill();
    }
  }

  $("search").addEventListener("input", refresh);
  $("more").addEventListener("click", () => more(drawn + CHUNK));
  new IntersectionObserver((seen) => {
    if (seen.some((entry) => entry.isIntersecting)) more(drawn + CHUNK);
  }, { rootMargin: "600px" }).observe($("more"));
  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const by = button.dataset.sort;
      order = { by, down: order.by === by && !order.down };
      for (const head of document.querySelectorAll("th")) head.removeAttribute("aria-sort");
      button.parentElement.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      refresh();
    });
  }
  $("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== $("search")) {
      event.preventDefault();
      $("search").focus();
    }
  });
  addEventListener("beforeprint", () => more(PRINTED));
  const hash = new URLSearchParams(location.hash.slice(1));
  if (counts.has(hash.get("state"))) chosen = hash.get("state");
  $("search").value = hash.get("q") || "";
  refresh();
})();
