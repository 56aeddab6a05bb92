// Ranges of parameters for those who do not drag, and a selection as an expression of the question's language.
import { text } from "../charts/elements.js";
import { quoted } from "../service/questions.js";

const MOST_TEXTS = 200;

// Two numbers for each axis, or a choice of texts.
export function drawRanges(place, parallel) {
  if (place.contains(document.activeElement)) return;
  place.replaceChildren(...parallel.columns.map(({ name, values }) => {
    const group = document.createElement("fieldset");
    group.append(text("legend", name));
    if (values.some((value) => typeof value === "string")) {
      const select = Object.assign(document.createElement("select"), { className: "form-select form-select-sm" });
      select.setAttribute("aria-label", name);
      select.append(new Option("any", ""), ...[...new Set(values.filter((value) => value !== null).map(String))].sort().slice(0, MOST_TEXTS).map((value) => new Option(value, value)));
      select.addEventListener("change", () => parallel.setRange(name, select.value ? new Set([select.value]) : null));
      group.append(select);
      return group;
    }
    const [low, high] = ["from", "to"].map((word) => {
      const input = Object.assign(document.createElement("input"), { className: "form-control form-control-sm", type: "number", step: "any", placeholder: word });
      input.setAttribute("aria-label", `${name} ${word}`);
      return input;
    });
    group.addEventListener("change", () => parallel.setRange(name, low.value || high.value ? [low.value === "" ? -Infinity : Number(low.value), high.value === "" ? Infinity : Number(high.value)] : null));
    group.append(low, high);
    return group;
  }));
}

export function expressionOf(ranges, where) {
  const parts = [...ranges].flatMap(([name, range]) => (range instanceof Set
    ? [`${name} in (${[...range].map(quoted).join(", ")},)`]
    : [...(Number.isFinite(range[0]) ? [`${name} >= ${Number(range[0].toPrecision(6))}`] : []), ...(Number.isFinite(range[1]) ? [`${name} <= ${Number(range[1].toPrecision(6))}`] : [])]));
  return [...(where ? [`(${where})`] : []), ...parts].join(" and ");
}
