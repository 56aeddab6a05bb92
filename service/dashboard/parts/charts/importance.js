// What each parameter explains of the outcome, as bars.
import { drawn, text } from "./elements.js";

export function drawImportance(place, importance) {
  const shares = Object.entries(importance);
  if (!shares.length) { place.replaceChildren(text("p", "Too few runs have succeeded, or all came out the same: nothing can be said yet.", "quiet")); return; }
  const list = document.createElement("dl");
  list.className = "shares";
  for (const [name, share] of shares) {
    const bar = drawn("svg", { class: "share", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(drawn("rect", { width: Math.max(0.5, 100 * share), height: 8 }));
    const value = document.createElement("dd");
    value.append(bar, text("span", `${(100 * share).toFixed(0)} %`));
    list.append(text("dt", name), value);
  }
  place.replaceChildren(list, text("p", "The share of the variance of the outcome's ranks that each parameter explains by itself. What two explain only together is in neither; diverged runs rank last.", "quiet why"));
}
