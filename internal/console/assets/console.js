// The console works without this script. It tells times in the reader's zone, copies, counts what is chosen, helps with
// typed confirmations, and speaks with the browser about passkeys, which nothing else can.
"use strict";

(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const say = (text) => {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  };

  // Times: the page holds UTC; the title keeps it for whoever points at a time.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const minute = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const second = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  for (const el of all("time[data-as]")) {
    const at = new Date(el.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const form = { day, minute, second }[el.dataset.as];
    if (form) el.textContent = form.format(at);
  }
  for (const el of all("[data-zone]")) if (zone) el.textContent = "Times are in your zone, " + zone + ".";

  // Copying.
  for (const button of all("button[data-copy]")) {
    button.hidden = false;
    const label = button.querySelector("[data-label]");
    const before = label ? label.textContent : "";
    let back = 0;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(source);
        const chosen = getSelection();
        chosen.removeAllRanges();
        chosen.addRange(range);
        say("Selected: press Ctrl+C or Command+C to copy.");
        return;
      }
      say("Copied.");
      if (!label) return;
      label.textContent = "Copied";
      clearTimeout(back);
      back = setTimeout(() => { label.textContent = before; }, 2000);
    });
  }

  // Choosing many.
  for (const form of all("form[data-bulk]")) {
    const boxes = () => all('input[name="id"]', form);
    const every = form.querySelector("[data-every]");
    const count = form.querySelector("[data-count]");
    const act = form.querySelector("[data-act]");
    const tell = () => {
      const n = boxes().filter((b) => b.checked).length;
      if (count) count.textContent = n === 0 ? "Nobody is selected." : n === 1 ? "1 person is selected." : n + " people are selected.";
      if (act) act.disabled = n === 0;
      if (every) {
        every.checked = n > 0 && n === boxes().length;
        every.indeterminate = n > 0 && n < boxes().length;
      }
    };
    if (every) {
      every.closest("label").hidden = false;
      every.addEventListener("change", () => { for (const b of boxes()) b.checked = every.checked; tell(); });
    }
    form.addEventListener("change", tell);
    addEventListener("pageshow", tell);
    tell();
  }

  // Typed confirmations: the server judges; this only keeps the button quiet until the words are there.
  for (const input of all("input[data-confirm]")) {
    const button = input.form.querySelector("[data-act]");
    const tell = () => { button.disabled = input.value.trim() !== input.dataset.confirm; };
    input.addEventListener("input", tell);
    tell();
  }

  // A choice that needs no button of its own.
  for (const select of all("select[data-go]")) select.addEventListener("change", () => select.form.requestSubmit());

  // One press is enough.
  for (const form of all('form[method="post"]')) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      setTimeout(() => { delete form.dataset.sent; }, 5000);
    });
  }

  // A page made by a form that must not be sent twice: reloading shows what was made.
  const made = document.querySelector("[data-made]");
  if (made) history.replaceState(null, "", made.dataset.made);

  // What is wrong is read and reached first.
  const first = document.querySelector("[data-first]");
  if (first) first.focus();

  // Passkeys: ceremonies are JSON from the server, handed to the browser and back.
  const post = async (url, body) => {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin" });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.message || "The server did not answer as expected. Try again.");
    return told;
  };
  const ceremonies = {
    async add(box) {
      const name = box.querySelector("input[name=name]");
      const begun = await post(box.dataset.begin, {});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options.publicKey);
      const credential = await navigator.credentials.create({ publicKey });
      return post(box.dataset.finish, { ceremony: begun.ceremony, name: name ? name.value : "", credential: credential.toJSON() });
    },
    async signin(box) {
      const begun = await post(box.dataset.begin, {});
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options.publicKey);
      const credential = await navigator.credentials.get({ publicKey });
      return post(box.dataset.finish, { ceremony: begun.ceremony, credential: credential.toJSON(), return: box.dataset.return || "" });
    },
  };
  const able = window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON;
  for (const box of all("[data-passkey]")) {
    if (!able) continue;
    box.hidden = false;
    for (const el of all("[data-without-passkey]")) el.hidden = true;
    const button = box.querySelector("button");
    const wrong = box.querySelector("[data-wrong]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      wrong.hidden = true;
      try {
        const done = await ceremonies[box.dataset.passkey](box);
        location.assign(done.location);
      } catch (error) {
        const stopped = error.name === "NotAllowedError" || error.name === "AbortError";
        const known = error.name === "InvalidStateError";
        wrong.textContent = stopped ? "Nothing was done: the browser was stopped or waited too long. Try again."
          : known ? "This device has a passkey for you already." : error.message;
        wrong.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
