// Keeps verdicts, and saves them as a table: shot,rater,shown,ticked,made,note.
(() => {
  const form = document.getElementById("review");
  const count = form.querySelector("output");
  const items = [...document.querySelectorAll("[data-item]")];
  const place = `mastershot-review-${form.dataset.queue}`;
  const boxes = (item) => [...item.querySelectorAll("fieldset input")];
  const note = (item) => item.querySelector("textarea");
  const ticked = (item) => boxes(item).filter((box) => box.checked).map((box) => box.value);
  const done = (item) => ticked(item).length > 0;

  const remember = () => {
    const kept = {};
    for (const item of items) {
      if (!done(item) && !note(item).value) continue;
      kept[item.dataset.item] = { ticked: ticked(item), note: note(item).value, made: item.dataset.made };
    }
    try {
      localStorage.setItem(place, JSON.stringify({ rater: form.rater.value, kept }));
    } catch { /* A browser that keeps nothing can still save. */ }
  };
  const recall = () => {
    let held = null;
    try {
      held = JSON.parse(localStorage.getItem(place));
    } catch { /* likewise */ }
    if (!held) return;
    form.rater.value = held.rater;
    for (const item of items) {
      const verdict = held.kept[item.dataset.item];
      if (!verdict) continue;
      if (verdict.made) item.dataset.made = verdict.made;
      note(item).value = verdict.note;
      for (const box of boxes(item)) box.checked = verdict.ticked.includes(box.value);
    }
  };
  const show = () => {
    for (const item of items) item.classList.toggle("done", done(item));
    count.value = `${items.filter(done).length} of ${items.length} reviewed`;
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
      const shown = boxes(item).map((box) => box.value).join(";");
      const row = [item.dataset.item, form.rater.value, shown, ticked(item).join(";"), item.dataset.made, note(item).value];
      return row.map(cell).join(",");
    });
    const text = ["shot,rater,shown,ticked,made,note", ...rows, ""].join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `verdicts-${form.rater.value.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv`;
    link.click();
  });
  recall();
  show();
})();
