// Point at the film to see which shot it is; click to go there. The page works without.
(() => {
  const film = document.getElementById("film");
  const lane = film.querySelector(".track");
  const cursor = film.querySelector(".cursor");
  const readout = cursor.querySelector("output");
  const shots = [...document.querySelectorAll("[data-start]")];
  const starts = shots.map((shot) => Number(shot.dataset.start));
  const start = Number(film.dataset.start);
  const duration = Number(film.dataset.duration);

  const clock = (seconds) => {
    const whole = Math.floor(seconds);
    const pad = (number) => String(number).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  };
  const find = (event) => {
    const box = lane.getBoundingClientRect();
    const part = (event.clientX - box.left) / box.width;
    if (part < 0 || part > 1) return null;
    const seconds = start + part * duration;
    let low = 0, high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= seconds) low = middle; else high = middle;
    }
    return { part, seconds, shot: shots[low] };
  };

  film.addEventListener("pointermove", (event) => {
    const found = find(event);
    cursor.hidden = !found;
    if (!found) return;
    cursor.style.left = `${found.part * 100}%`;
    cursor.classList.toggle("late", found.part > 0.5);
    const { number, length } = found.shot.dataset;
    readout.value = `${clock(found.seconds)}  shot ${number}, ${length}`;
  });
  film.addEventListener("pointerleave", () => { cursor.hidden = true; });
  film.addEventListener("click", (event) => {
    const empty = event.target.closest(".track") && !event.target.closest("a");
    const found = empty && find(event);
    if (found) location.hash = found.shot.id;
  });
})();
