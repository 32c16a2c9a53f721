// Keeps what is ticked, and saves it as a table of verdicts; with notes where the page takes them.
(() => {
  const form = document.getElementById("verdicts");
  const count = form.querySelector("output");
  const items = [...document.querySelectorAll("[data-item]")];
  const hasNotes = document.querySelector("[data-item] textarea") !== null;
  const boxes = (item) => [...item.querySelectorAll("fieldset input")];
  const choices = (item) => boxes(item).filter((box) => !box.hasAttribute("data-none"));
  const note = (item) => item.querySelector("textarea")?.value ?? "";
  const ticked = (item) => choices(item).filter((box) => box.checked).map((box) => box.value);
  const done = (item) => boxes(item).some((box) => box.checked);

  const remember = () => {
    const kept = {};
    for (const item of items) {
      if (!done(item) && !note(item)) continue;
      kept[item.dataset.item] = { ticked: ticked(item), note: note(item), made: item.dataset.made };
    }
    try {
      localStorage.setItem(form.dataset.place, JSON.stringify({ rater: form.rater.value, kept }));
    } catch { /* A browser that keeps nothing can still save. */ }
  };
  const recall = () => {
    let held = null;
    try {
      held = JSON.parse(localStorage.getItem(form.dataset.place));
    } catch { /* likewise */ }
    if (!held) return;
    form.rater.value = held.rater;
    const kept = held.kept ?? held.ticks; // Pages of before called it ticks.
    for (const item of items) {
      const verdict = kept[item.dataset.item];
      if (!verdict) continue;
      if (verdict.made) item.dataset.made = verdict.made;
      if (hasNotes) item.querySelector("textarea").value = verdict.note;
      for (const box of boxes(item)) {
        const isNone = box.hasAttribute("data-none");
        box.checked = isNone ? !verdict.ticked.length : verdict.ticked.includes(box.value);
      }
    }
  };
  const show = () => {
    for (const item of items) item.classList.toggle("done", done(item));
    count.value = `${items.filter(done).length} of ${items.length} ${form.dataset.done}`;
  };
  const cell = (text) => `"${String(text).replaceAll('"', '""')}"`;

  document.addEventListener("change", (event) => {
    const box = event.target, item = box.closest("[data-item]");
    if (item && (box.closest("fieldset") || box.tagName === "TEXTAREA")) {
      if (box.checked) {
        const alone = box.hasAttribute("data-alone");
        for (const other of boxes(item)) {
          if (other !== box && (alone || other.hasAttribute("data-alone"))) other.checked = false;
        }
      }
      item.dataset.made = new Date().toISOString();
    }
    show();
    remember();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const rows = items.filter(done).map((item) => {
      const shown = choices(item).map((box) => box.value).join(";");
      const row = [item.dataset.item, form.rater.value, shown, ticked(item).join(";"), item.dataset.made];
      return (hasNotes ? [...row, note(item)] : row).map(cell).join(",");
    });
    const columns = hasNotes ? "shot,rater,shown,ticked,made,note" : "shot,rater,shown,ticked,made";
    const text = [columns, ...rows, ""].join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `verdicts-${form.rater.value.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv`;
    link.click();
  });
  recall();
  show();
})();
