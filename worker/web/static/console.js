// What the console's pages do by themselves. Each of them works without this file, by forms and reloading.

const PAUSE = 2000;
const PATIENCE = 30000;

// A run that is going: the part that moves is fetched again until it moves no more, then the page is.
function watch(part, pause = PAUSE) {
  setTimeout(async () => {
    let next = PAUSE;
    try {
      const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, redirect: "error" });
      if (answer.status === 401 || answer.headers.has("X-Over")) return location.reload();
      if (answer.ok) part.innerHTML = await answer.text();
      else next = Math.min(pause * 2, PATIENCE);
    } catch {
      next = Math.min(pause * 2, PATIENCE); // the server can't be reached: ask less often
    }
    watch(part, next);
  }, pause);
}

// A form that is checked while somebody types: what is said about each row is fetched, the fields stay as they are.
function check(form) {
  let waiting = 0;
  let asked = 0;
  form.addEventListener("submit", () => clearTimeout(waiting)); // what is sent anyway is checked there
  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const number = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set("action", "check");
      // Not form.action: a button of that name stands before it.
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "error" }).catch(() => null);
      if (!answer || number !== asked || (!answer.ok && answer.status !== 422)) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of form.querySelectorAll("[data-part]")) {
        const fresh = page.getElementById(part.id);
        if (fresh && !part.contains(document.activeElement) && fresh.innerHTML !== part.innerHTML) {
          part.innerHTML = fresh.innerHTML;
        }
      }
      samples(form);
    }, 250);
  });
}

// Live values of e-conomic beside the source fields, fetched once the page is there.
const known = new Map();
async function samples(form) {
  const address = form.dataset.samples;
  if (!address) return;
  if (!known.has(address)) {
    known.set(address, fetch(address, { redirect: "error" }).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({})));
  }
  const values = await known.get(address);
  for (const cell of form.querySelectorAll("[data-sample]")) {
    const value = values[cell.dataset.sample];
    if (value !== undefined) cell.textContent = value;
  }
}

// Before a form acts: is its sender still signed in? A page stands open over night, and what was typed must not be lost.
// Whoever has signed in again meanwhile goes on with the new session's token.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.dataset.state === "sure") return;
  event.preventDefault();
  if (form.dataset.state === "asking") return;
  form.dataset.state = "asking";
  const answer = await fetch("/manage/api/session", { redirect: "error" }).catch(() => null);
  const trouble = !answer ? "unreachable" : answer.status === 401 ? "signed-out" : "";
  for (const name of ["unreachable", "signed-out"]) {
    const told = document.getElementById(name);
    if (!told) continue;
    told.hidden = name !== trouble;
    if (name === trouble) form.before(told);
  }
  if (trouble) {
    delete form.dataset.state;
    return;
  }
  const { csrf } = answer.ok ? await answer.json() : {};
  if (csrf) for (const field of form.querySelectorAll("input[name=csrf]")) field.value = csrf;
  form.dataset.state = "sure";
  form.requestSubmit(event.submitter);
  delete form.dataset.state;
});

for (const part of document.querySelectorAll("[data-live]")) watch(part);
for (const form of document.querySelectorAll("form[data-check]")) {
  check(form);
  samples(form);
}
