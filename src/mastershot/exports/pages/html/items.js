// Sorts tables by a click on a column's name, and filters all rows. The page works without.
(() => {
  const form = document.getElementById("filter");
  const tables = [...document.querySelectorAll("table.items")];
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
  const count = form.querySelector("output");
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const show = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const truth = form.elements.class ? form.elements.class.value : "";
    const result = form.elements.result.value;
    let shown = 0;
    for (const row of rows) {
      const fits = (!text || words.get(row).includes(text))
        && (!truth || row.dataset.truth.split("\n").includes(truth))
        && (!result || row.classList.contains(result));
      row.hidden = !fits;
      shown += fits;
    }
    count.value = `${shown} of ${rows.length} shown`;
  };

  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? number : text;
  };
  const compare = (one, other) =>
    typeof one === "number" && typeof other === "number"
      ? one - other
      : String(one).localeCompare(String(other), undefined, { numeric: true });

  const sort = (table, head) => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [key(row, head.cellIndex), row]);
    keyed.sort(([one], [other]) => sign * compare(one, other));
    body.append(...keyed.map(([, row]) => row));
  };

  for (const table of tables) {
    for (const head of table.tHead.rows[0].cells) {
      if (!head.textContent) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
