"use strict";
// The address bar's fragment holds what is shown, so that a view can be linked to and the back button works; `show` draws it.
(() => {
  const ROWS = 200;
  const WORST_FIRST = ["shut", "unproved", "dated", "open"];
  const SIGNS = { open: "✓", dated: "◷", unproved: "?", shut: "✗" };
  const FILTERS = ["principal", "account", "unit", "environment", "kind", "keys"];
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const accounts = new Map(data.accounts.map((account) => [account.id, account]));
  const name = (id) => accounts.get(id).name;
  let rows = ROWS;

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick") made.addEventListener("click", value);
      else made.setAttribute(key, value);
    }
    made.append(...children.flatMap((child) => (typeof child === "string" && tag !== "option" ? parted(child) : child)));
    return made;
  };

  // A long name may be parted where AWS's names can be, and nowhere else: as in the pages without a script.
  const parted = (text) => text.split(/(?<=\s)/).flatMap((word) => (word.length <= 20 ? [word] : word
    .split(/(?<=[-/_.:,|$@])(?=[^-/_.:,|$@\s])|(?<=[a-z0-9])(?=[A-Z])/)
    .flatMap((piece) => piece.match(/.{1,24}/gsu))
    .flatMap((piece, index) => (index ? [document.createElement("wbr"), piece] : [piece]))));

  // What is shown ------------------------------------------------------------------------------------------------

  const asked = () => {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const known = (key, list) => (list.has(fragment.get(key)) ? fragment.get(key) : "");
    return {
      search: fragment.get("search") ?? "",
      ...Object.fromEntries(FILTERS.map((key) => [key, known(key, choices[key])])),
      door: fragment.get("door") ?? "",
      arrow: fragment.get("arrow") ?? "",
    };
  };

  const go = (changes, { replace = false } = {}) => {
    const fragment = new URLSearchParams();
    for (const [key, value] of Object.entries({ ...asked(), arrow: "", ...changes })) if (value !== "") fragment.set(key, value);
    rows = ROWS;
    history[replace ? "replaceState" : "pushState"](null, "", `#${fragment}`);
    show();
  };

  const choices = {
    principal: new Map(data.principals.map((who, index) => [String(index), `${who.name || who.label} — ${who.name ? `${who.label.slice(0, -who.name.length).trim() || who.kind} of ` : ""}${name(who.account)}`])),
    account: new Map(data.accounts.map((account) => [account.id, account.name === account.id ? account.id : `${account.name} — ${account.id}`])),
    unit: new Map(data.units.map((unit) => [JSON.stringify(unit), unit.join(" / ")])),
    kind: new Map(data.kinds.map((kind) => [kind, kind])),
    environment: new Map(data.environments.map((environment) => [environment, environment])),
    keys: new Map([["shut", "✗ a key is missing, or denied"], ["unproved", "? not proved"], ["dated", "◷ shut by date"], ["open", "✓ both keys"]]),
  };

  const within = (account, unit) => account.unit !== null && unit.every((part, depth) => account.unit[depth] === part);

  const texts = data.doors.map((door) => {
    const [from, to] = [accounts.get(door.source.account), accounts.get(door.account)];
    const spoken = [door.name, door.source.label, door.role, door.keys, door.verdict, door.permissions, ...Object.values(door.declared), ...door.kinds, ...door.through];
    const places = [from, to].flatMap((account) => [account.id, account.name, account.environment, ...(account.unit ?? [])]);
    const people = data.principals.filter((who) => who.members && door.source.kind === who.kind && door.source.name === who.name && door.source.account === who.account).flatMap((who) => who.members);
    return [...spoken, ...places, ...people].filter(Boolean).join("\n").toLowerCase();
  });

  const words = (view) => view.search.toLowerCase().split(/\s+/).filter(Boolean);

  const matching = (view) => {
    const sought = words(view);
    const own = view.principal === "" ? null : new Set(data.principals[Number(view.principal)].doors);
    const unit = view.unit === "" ? null : JSON.parse(view.unit);
    return data.doors.map((_, index) => index).filter((index) => {
      const door = data.doors[index];
      const ends = [accounts.get(door.source.account), accounts.get(door.account)];
      return (!own || own.has(index))
        && (view.account === "" || ends.some((account) => account.id === view.account))
        && (!unit || ends.some((account) => within(account, unit)))
        && (view.environment === "" || ends.some((account) => account.environment === view.environment))
        && (view.kind === "" || door.kinds.includes(view.kind))
        && (view.keys === "" || door.look === view.keys)
        && sought.every((word) => texts[index].includes(word));
    }).sort((one, other) => WORST_FIRST.indexOf(data.doors[one].look) - WORST_FIRST.indexOf(data.doors[other].look));
  };

  // Drawing ------------------------------------------------------------------------------------------------------

  const show = () => {
    const view = asked();
    byId("search").value === view.search || (byId("search").value = view.search);
    for (const key of FILTERS) byId(key).value = view[key];
    const found = matching(view);
    showPicture(new Set(found), view);
    const arrow = Object.hasOwn(data.arrows, view.arrow) ? data.arrows[view.arrow].doors : null;
    showList(arrow ? found.filter((door) => arrow.includes(door)) : found, view, Boolean(arrow));
    showDoor(view);
  };

  const showPicture = (found, view) => {
    for (const [key, { doors }] of Object.entries(data.arrows)) {
      const dim = !doors.some((door) => found.has(door));
      const chosen = key === view.arrow || (view.door !== "" && doors.includes(Number(view.door)));
      for (const part of byId("picture").querySelectorAll(`.${key}`)) {
        part.classList.toggle("dim", dim);
        part.classList.toggle("chosen", chosen);
      }
    }
    dimBoxes(found);
    hint();
    bringIntoSight(byId("picture").querySelector(found.size < data.doors.length ? ".door.chosen, .door:not(.dim)" : ".door.chosen"));
  };

  const hint = () => { byId("wider").hidden = byId("picture").scrollWidth <= byId("picture").clientWidth; };

  const bringIntoSight = (part) => {
    if (!part) return;
    const [box, frame] = [part.getBoundingClientRect(), byId("picture").getBoundingClientRect()];
    byId("picture").scrollBy(box.left - frame.left - (frame.width - box.width) / 2, box.top - frame.top - (frame.height - box.height) / 2);
  };

  // A box stays bright while a way that was asked for leads through it.
  const dimBoxes = (found) => {
    const ends = [...found].flatMap((index) => data.doors[index].ends);
    const named = new Set(ends.map((end) => JSON.stringify(end)));
    const accountsIn = new Set(ends.map(([, account]) => account));
    for (const [key, box] of Object.entries(data.boxes)) {
      const asked = box.kind === "principal" ? named.has(JSON.stringify(box.about)) : box.kind !== "account" || accountsIn.has(box.about[0]);
      byId("picture").querySelector(`.${key}`).classList.toggle("dim", found.size < data.doors.length && !asked);
    }
  };

  const pressable = (group, label, press) => {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.setAttribute("aria-label", label);
    group.append(Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "title"), { textContent: label }));
    group.addEventListener("click", press);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press();
    });
  };

  const prepareBox = (key, box) => {
    const target = destination(box);
    if (target) pressable(byId("picture").querySelector(`.${key}`), `Show ${box.label}`, () => go({ ...nothing, ...target }));
  };

  const nothing = { principal: "", account: "", unit: "", environment: "", door: "" };

  const destination = (box) => {
    if (box.kind === "account") return { account: box.about[0] };
    if ((box.kind === "unit" || box.kind === "accounts") && box.about.length) return { unit: JSON.stringify(box.about) };
    if (box.kind !== "principal") return null;
    const [kind, account, who] = box.about;
    const index = data.principals.findIndex((one) => one.kind === kind && one.account === account && one.name === who);
    return index < 0 ? { account } : { principal: String(index) };
  };

  const prepareArrow = (key, { doors, label }) => {
    const press = () => (doors.length === 1 ? open(doors[0]) : go({ arrow: key, door: "" }));
    for (const group of byId("picture").querySelectorAll(`.${key}`)) {
      if (group.classList.contains("door")) pressable(group, label, press);
      else group.addEventListener("click", press);
    }
  };

  const from = ({ source }) => {
    if (source.kind === "root") return `account ${name(source.account)} as a whole`;
    return source.account === "" ? source.label : `${source.label} of ${name(source.account)}`;
  };

  const row = (index, view) => {
    const door = data.doors[index];
    const needs = [
      door.outside && `! ${door.outside}`, door.permissions, door.asked,
      door.through.length ? `through ${door.through.join(" and then ")}` : "",
    ].filter(Boolean).map((text) => `, ${text}`).join("");
    const button = element("button", { type: "button", class: door.look, onclick: () => open(index) },
      element("span", {}, `${from(door)} → ${door.role} of ${name(door.account)}`),
      element("span", { class: "keys" }, `${SIGNS[door.look]} ${door.keys}${needs}`));
    button.dataset.door = index;
    if (view.door === String(index)) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  };

  // As every command counts: ways into an account from elsewhere, those within one, and doors that are not open.
  const counts = (doors) => {
    const numbers = data.counts.map((what) => [what, doors.filter((door) => door.countedAs === what).length]);
    const unsure = doors.filter((door) => door.countedAs === data.counts[0] && door.look === "unproved").length;
    const said = numbers.filter(([what, number]) => number || what === data.counts[0]).map(([what, number]) => (
      `${number} ${number === 1 ? what : what.replace(/^(way|door)\b/, "$1s")}${unsure && what === data.counts[0] ? ` (${unsure} with a key not shown)` : ""}`));
    return said.join(", ");
  };

  // In words, since the filters themselves are not printed.
  const limits = (view) => ["search", ...FILTERS].filter((key) => view[key] !== "").map((key) => (
    `${byId(key).labels[0].firstChild.textContent.replace("(press /)", "").trim()}: ${key === "search" ? view.search : choices[key].get(view[key])}`));

  const showList = (found, view, narrowed) => {
    byId("count").textContent = counts(found.map((index) => data.doors[index]));
    byId("of").hidden = found.length === data.doors.length;
    byId("of").textContent = [`of ${counts(data.doors)}`, ...limits(view)].join("; ");
    byId("doors").replaceChildren(...found.slice(0, rows).map((index) => row(index, view)));
    byId("more").hidden = found.length <= rows;
    byId("more").textContent = `Show all ${found.length}`;
    byId("narrowed").hidden = !narrowed;
    byId("narrowed").replaceChildren("Those that lead along one arrow. ", element("button", { type: "button", onclick: () => go({}) }, "Show the others too"));
  };

  const open = (index) => {
    go({ door: String(index), arrow: asked().arrow });
    byId("door").focus();
    byId("door").scrollIntoView({ block: "nearest" });
  };

  const key = (state, where) => ({
    present: `✓ present ${where}`, missing: `✗ missing ${where}`, denied: `✗ denied ${where}`, "not proved": `? not proved ${where}`, "not ours": "in an account that is not ours", "not needed": "not needed", "not shown": `? not shown ${where}`,
  })[state];

  const showDoor = (view) => {
    const door = data.doors[view.door === "" ? -1 : Number(view.door)];
    const card = byId("door");
    card.hidden = !door;
    if (!door) return;
    const facts = [
      ["From", door.source.account === "" ? door.source.label : `${from(door)} (${door.source.account})`],
      ["Into", `${door.target.label} of ${name(door.account)} (${door.account})`],
      ["Through", door.through.join(" and then ")],
      ["May", door.permissions],
      ["Grant", door.through.length ? "" : key(door.grant, `in the policies of ${door.source.name || "the account"}`)],
      ["Trust", door.through.length ? "" : key(door.trust, door.target.kind === "root-user" ? "by centralized root access" : `in the trust policy of ${door.role}`)],
      ["Verdict", door.verdict],
      ["Lets in", door.outside],
      ["Only", door.asked],
      ["Session", door.maxSessionSeconds && `up to ${duration(door.maxSessionSeconds)}`],
      ...Object.entries(door.declared).map(([field, said]) => [field[0].toUpperCase() + field.slice(1), said]),
    ].filter(([, value]) => value);
    card.className = door.look;
    card.replaceChildren(
      element("header", {}, element("h2", { id: "door-title" }, `${SIGNS[door.look]} ${door.name}: ${door.keys}`),
        element("button", { type: "button", "aria-label": "Close the explanation", onclick: close }, "×")),
      element("dl", {}, ...facts.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)])),
      element("pre", {}, door.explanation));
  };

  const duration = (seconds) => (seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`);

  const close = () => {
    const { door, arrow } = asked();
    go({ door: "", arrow });
    (byId("doors").querySelector(`[data-door="${door}"]`) ?? byId("picture")).focus();
  };

  // Starting -----------------------------------------------------------------------------------------------------

  const listen = () => {
    for (const filter of FILTERS) byId(filter).addEventListener("change", (event) => go({ [filter]: event.target.value, door: "" }));
    byId("search").addEventListener("input", (event) => go({ search: event.target.value, door: "" }, { replace: true }));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("reset").addEventListener("click", () => go({ ...nothing, search: "", keys: "", kind: "" }));
    byId("more").addEventListener("click", () => { rows = Infinity; show(); });
    byId("doors").addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const next = step && event.target.closest("li")?.[step]?.firstElementChild;
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT)$/.test(event.target.tagName);
      if (event.key === "Escape" && asked().door !== "") close();
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key !== "/") return;
      event.preventDefault();
      byId("search").focus();
    });
    for (const happening of ["popstate", "hashchange"]) window.addEventListener(happening, show);
    window.addEventListener("resize", hint);
    window.addEventListener("beforeprint", () => { rows = Infinity; show(); });
  };

  const everything = { principal: "Everyone", account: "All", unit: "All", environment: "All", kind: "All", keys: "All" };
  for (const filter of FILTERS) {
    const options = [["", everything[filter]], ...choices[filter]].map(([value, text]) => element("option", { value }, text));
    byId(filter).replaceChildren(...options);
    byId(filter).disabled = choices[filter].size === 0;
  }
  for (const [key, box] of Object.entries(data.boxes)) prepareBox(key, box);
  for (const [key, arrow] of Object.entries(data.arrows)) prepareArrow(key, arrow);
  listen();
  show();
  document.body.dataset.ready = "true";
})();
