// Another stage, or another kind of a part: what was typed stays where the new one has such a field.
import { fields } from "./reading.js";

// then: done when the fields are those of the stage that was chosen.
export function followStages(then) {
  document.getElementById("stages").addEventListener("click", (event) => follow(event, then));
}

export function showKind(part) {
  const chosen = part.querySelector("select")?.value;
  if (chosen === undefined) return;
  for (const kind of part.querySelectorAll(".kind")) kind.hidden = kind.dataset.kindName !== chosen;
}

async function follow(event, then) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const response = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return location.assign(link.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const newer = document.adoptNode(fresh.getElementById("fields"));
  carryOver(fields(), newer);
  fields().replaceWith(newer);
  for (const each of document.querySelectorAll("#stages a")) {
    if (each === link) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  history.replaceState(null, "", link.href);
  then();
}

function carryOver(old, newer) {
  for (const part of old.querySelectorAll(".part")) {
    const chosen = part.querySelector("select")?.selectedOptions[0];
    const same = newer.querySelector(`.part[data-part="${CSS.escape(part.dataset.part)}"]`);
    const option = chosen && !("default" in chosen.dataset) && same?.querySelector(`option[value="${CSS.escape(chosen.value)}"]`);
    if (!option) continue;
    option.selected = true;
    showKind(same);
  }
  for (const input of old.querySelectorAll(".field input")) {
    const kind = input.closest(".kind")?.dataset.kindName;
    const path = input.closest(".field").dataset.path;
    const within = kind === undefined ? newer : newer.querySelector(`[data-kind-of="${CSS.escape(path.split(".")[0])}"][data-kind-name="${CSS.escape(kind)}"]`);
    const field = within?.querySelector(`.field[data-path="${CSS.escape(path)}"]`);
    if (input.type === "checkbox" && input.checked) field?.querySelector(`input[value="${CSS.escape(input.value)}"]`)?.setAttribute("checked", "");
    else if (input.type !== "checkbox" && input.value && field?.querySelector("input:not([type=checkbox])")) field.querySelector("input").value = input.value;
  }
  const more = newer.querySelector("#more");
  if (more) more.open = old.querySelector("#more")?.open ?? more.open;
}
