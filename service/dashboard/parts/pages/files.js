// The page of files: what is chosen on this machine is sent in, one after another.
import "./administration.js";
import { ask, readyToSend, say } from "../service/service.js";
import { refresh } from "../service/live.js";

const form = document.getElementById("upload");
if (form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [chosen, button] = [form.querySelector("[type=file]"), form.querySelector("[type=submit]")];
    const refused = [];
    let [sent, unsent] = [0, 0];
    button.disabled = true;
    for (const file of chosen.files) {
      const problem = (told) => refused.push(`${file.name}: ${told.detail}`);
      if (await ask("POST", "files", { file, query: { name: file.name.slice(-200) }, refused: problem })) sent += 1;
      else unsent += 1;
    }
    button.disabled = false;
    tell(refused.join("; "));
    if (!unsent) form.reset();
    if (sent) say(sent === 1 ? "The file is there." : `${sent} files are there.`);
    await refresh();
  });
  readyToSend(form);
}

function tell(problem) {
  const place = document.getElementById("file-problem");
  place.textContent = problem;
  place.hidden = !problem;
  const chosen = form.querySelector("[type=file]");
  if (problem) chosen.setAttribute("aria-invalid", "true");
  else chosen.removeAttribute("aria-invalid");
}
