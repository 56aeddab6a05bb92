// Runs of a batch as a table, the best first.
import { ranks } from "../charts/axis.js";
import { text } from "../charts/elements.js";
import { words } from "../charts/scales.js";

const ROWS = 50;

export const shown = (value) => (typeof value === "number" ? words(value, 5) : value ?? "–");

// chosen: null or one boolean a run; names: of the parameters; nameOf(at), addressOf(id): of a run.
export function runsTable(runs, chosen, { names, nameOf, addressOf }) {
  const order = ranks(runs.outcome, runs.mode);
  const those = [...runs.ids.keys()].filter((at) => !chosen || chosen[at]).sort((one, other) => (order[one] ?? 2) - (order[other] ?? 2));
  const table = document.createElement("table");
  table.className = "table small-table";
  const caption = table.createCaption();
  caption.textContent = `${chosen ? "Selected: " : ""}${those.length.toLocaleString("en")} ${chosen ? `of ${runs.ids.length.toLocaleString("en")} ` : ""}${those.length === 1 ? "run" : "runs"}${those.length > ROWS ? `, the best ${ROWS}` : ""}`;
  const columns = [["Run"], ["State"], [runs.metric, "num"], ...(runs.metric === "loss_min" ? [] : [["loss_min", "num"]]), ...names.map((name) => [name, "num"])];
  const headings = table.createTHead().insertRow();
  for (const [name, look] of columns) { const cell = text("th", name, look); cell.scope = "col"; headings.append(cell); }
  const body = table.createTBody();
  for (const at of those.slice(0, ROWS)) {
    const row = body.insertRow();
    const link = Object.assign(text("a", nameOf(at), "name"), { href: addressOf(runs.ids[at]), title: runs.ids[at] });
    const first = text("th", "");
    first.scope = "row";
    first.append(link);
    const values = [runs.outcome[at], ...(runs.metric === "loss_min" ? [] : [runs.loss_min[at]]), ...names.map((name) => runs.parameters[name][at])];
    const sign = document.querySelector(`#live-head .states .state.${runs.states[at]}`)?.cloneNode(true) ?? text("span", runs.states[at], `state ${runs.states[at]}`);
    const second = document.createElement("td");
    second.append(sign);
    row.append(first, second, ...values.map((value) => text("td", shown(value), "num")));
  }
  return table;
}
