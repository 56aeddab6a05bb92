// What the service says of what is typed, beside the fields.
import { form, isShown } from "./reading.js";

const verdict = document.getElementById("verdict");
const places = () => [...form.querySelectorAll("[data-problem]")].filter((place) => isShown(place));

// The path in the spec to which a pointer into a job or sweep leads, and which value of an axis it means.
function placeOf(pointer, isSweep) {
  const parts = pointer.split("/").slice(1).map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (!isSweep) return { path: parts.join(".") };
  if (parts[0] === "random") return { path: parts[1] ?? "" };
  if (parts[0] === "grid") return { path: parts[1] ?? "", which: /^\d+$/.test(parts[2]) ? Number(parts[2]) + 1 : null };
  return { path: (parts[0] === "spec" ? parts.slice(1) : parts).join(".") };
}

function nearest(path) {
  for (let outer = path; outer; outer = outer.slice(0, Math.max(0, outer.lastIndexOf(".")))) {
    const found = places().find((place) => place.dataset.problem === outer);
    if (found) return found;
  }
  return document.getElementById("other-problems");
}

export function tell(said, isSweep) {
  const texts = new Map();
  for (const { pointer, message, isWarning } of said) {
    const { path, which } = placeOf(pointer, isSweep);
    const place = nearest(path);
    const about = place.dataset.problem ? "" : pointer ? `${pointer} ` : "";
    const told = texts.get(place) ?? { lines: [], isWarning: true };
    told.lines.push(`${about}${which ? `value ${which}: ` : ""}${message}`);
    told.isWarning &&= Boolean(isWarning);
    texts.set(place, told);
  }
  for (const place of form.querySelectorAll("[data-problem]")) {
    const told = texts.get(place);
    const text = told?.lines.join("; ") ?? "";
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
    place.classList.toggle("warning", Boolean(told?.isWarning));
    const inputs = place.closest(".field, .beside-spec")?.querySelectorAll("input") ?? [];
    for (const input of inputs) {
      if (told && !told.isWarning) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    if (text && place.closest("details")) place.closest("details").open = true;
  }
}

export const jobs = (count) => `${count.toLocaleString("en")} ${count === 1 ? "job" : "jobs"}`;

export function say(state, text) {
  verdict.dataset.state = state;
  if (verdict.textContent !== text) verdict.textContent = text;
}

function problemsOf(problem) {
  return problem.errors?.length ? problem.errors : [{ pointer: "", message: problem.detail ?? "The service refused it." }];
}

export function refused(problem, isSweep) {
  const said = problemsOf(problem);
  tell(said, isSweep);
  say("wrong", said.length === 1 ? "One thing is not valid." : `${said.length} things are not valid.`);
}

export function numbersOf(resolved) {
  const words = [];
  if (typeof resolved?.learning_rate === "number") words.push(`learning rate ${Number(resolved.learning_rate.toPrecision(4))}`);
  if (typeof resolved?.attainable_loss === "number") words.push(`least squares reaches a loss of ${Number(resolved.attainable_loss.toPrecision(5))}`);
  return words.length ? ` ${words.join("; ")}.`.replace(/ (\w)/, (_, letter) => ` ${letter.toUpperCase()}`) : "";
}
