// Keeps what is ticked, and saves it as a table of verdicts: shot,rater,shown,ticked,made.
(() => {
  const form = document.getElementById("rating");
  const count = form.querySelector("output");
  const shots = [...document.querySelectorAll("[data-shot]")];
  const place = `mastershot-verdicts-${form.dataset.draw}`;
  const boxes = (shot) => [...shot.querySelectorAll("input:not([data-none])")];
  const none = (shot) => shot.querySelector("[data-none]");
  const seen = (shot) => none(shot).checked || boxes(shot).some((box) => box.checked);

  const remember = () => {
    const ticks = {};
    for (const shot of shots.filter(seen)) {
      const ticked = boxes(shot).filter((box) => box.checked).map((box) => box.value);
      ticks[shot.dataset.shot] = { ticked, made: shot.dataset.made };
    }
    try {
      localStorage.setItem(place, JSON.stringify({ rater: form.rater.value, ticks }));
    } catch { /* A browser that keeps nothing can still save. */ }
  };
  const recall = () => {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(place));
    } catch { /* likewise */ }
    if (!kept) return;
    form.rater.value = kept.rater;
    for (const shot of shots) {
      const verdict = kept.ticks[shot.dataset.shot];
      if (!verdict) continue;
      shot.dataset.made = verdict.made;
      for (const box of boxes(shot)) box.checked = verdict.ticked.includes(box.value);
      none(shot).checked = !verdict.ticked.length;
    }
  };
  const show = () => {
    for (const shot of shots) shot.classList.toggle("done", seen(shot));
    count.value = `${shots.filter(seen).length} of ${shots.length} rated`;
  };
  const cell = (text) => `"${String(text).replaceAll('"', '""')}"`;

  document.addEventListener("change", (event) => {
    const shot = event.target.closest("[data-shot]");
    if (shot) {
      if (event.target.hasAttribute("data-none")) {
        if (event.target.checked) for (const box of boxes(shot)) box.checked = false;
      } else if (event.target.checked) none(shot).checked = false;
      shot.dataset.made = new Date().toISOString();
    }
    show();
    remember();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const rows = shots.filter(seen).map((shot) => {
      const names = (list) => list.map((box) => box.value).join(";");
      const ticked = names(boxes(shot).filter((box) => box.checked));
      const row = [shot.dataset.shot, form.rater.value, names(boxes(shot)), ticked, shot.dataset.made];
      return row.map(cell).join(",");
    });
    const text = ["shot,rater,shown,ticked,made", ...rows, ""].join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `verdicts-${form.rater.value.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv`;
    link.click();
  });
  recall();
  show();
})();
