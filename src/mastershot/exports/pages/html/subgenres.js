// Filters and searches the maps, and shows a trailer's relatives. The page works without.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [TITLE, YEAR, GENRES, PRIMARY, SUBGENRE, BEFORE] = [0, 1, 2, 3, 4, 5];
  const trailers = data.trailers;
  const maps = [...document.querySelectorAll(".map")];
  const panel = document.getElementById("relatives");
  const finder = document.getElementById("find");
  const matches = document.getElementById("matches");
  const cards = [...document.querySelectorAll(".card")];
  const genreButtons = [...document.querySelectorAll(".legend button")];
  const wanted = new Set();
  let layout = Object.keys(data.places)[0], subgenre = -1, chosen = -1;

  const titled = (place) => {
    const [title, year] = trailers[place];
    return year ? `${title} (${year})` : title;
  };
  const genresOf = (place) => trailers[place][GENRES].map((genre) => data.genres[genre]).join(", ");
  const subgenreOf = (place) => data.names[trailers[place][SUBGENRE]] ?? "unassigned";
  const at = (side, place) => {
    const places = data.places[layout][side];
    return [places[2 * place], places[2 * place + 1]];
  };
  const isShown = (place) => {
    const row = trailers[place];
    if (subgenre >= 0 && row[SUBGENRE] !== subgenre) return false;
    return !wanted.size || row[GENRES].some((genre) => wanted.has(genre));
  };
  const make = (name, text = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  };
  const draw = () => {
    maps.forEach((map, side) => {
      const dots = new Map(), rest = [];
      trailers.forEach((row, place) => {
        const [x, y] = at(side, place);
        const dot = `M${x} ${y}h0`;
        if (!isShown(place)) rest.push(dot);
        else if (dots.has(row[PRIMARY])) dots.get(row[PRIMARY]).push(dot);
        else dots.set(row[PRIMARY], [dot]);
      });
      const points = map.querySelector(".points");
      let behind = points.querySelector(".rest");
      if (!behind) {
        behind = document.createElementNS("http://www.w3.org/2000/svg", "path");
        behind.setAttribute("class", "rest");
        points.prepend(behind);
      }
      behind.setAttribute("d", rest.join(""));
      for (const path of points.querySelectorAll("[data-genre]")) {
        path.setAttribute("d", (dots.get(Number(path.dataset.genre)) ?? []).join(""));
      }
      mark(map, side);
    });
    for (const card of cards) card.classList.toggle("shown", Number(card.dataset.subgenre) === subgenre);
    for (const button of genreButtons) button.setAttribute("aria-pressed", wanted.has(Number(button.dataset.genre)));
  };
  const mark = (map, side) => {
    const over = map.querySelector(".over");
    over.replaceChildren();
    if (chosen < 0) return;
    const put = (name, attributes) => {
      const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
      over.append(shape);
    };
    const [x, y] = at(side, chosen);
    for (const relative of trailers[chosen][BEFORE + side]) {
      const [cx, cy] = at(side, relative);
      put("line", { x1: x, y1: y, x2: cx, y2: cy });
      put("circle", { cx, cy, r: 9 });
    }
    put("circle", { cx: x, cy: y, r: 12, class: "chosen" });
  };
  const entry = (place, wrapper = "li") => {
    const item = make(wrapper), button = make("button");
    button.type = "button";
    button.dataset.choose = place;
    button.append(make("b", titled(place)), make("small", [genresOf(place), subgenreOf(place)].filter(Boolean).join(" · ")));
    item.append(button);
    return item;
  };
  const choose = (place) => {
    chosen = place;
    panel.hidden = place < 0;
    if (place >= 0) {
      panel.querySelector("h3").textContent = titled(place);
      panel.querySelector("p").textContent = [genresOf(place), subgenreOf(place)].filter(Boolean).join(" · ");
      panel.querySelectorAll("ol").forEach((list, side) => {
        list.replaceChildren(...trailers[place][BEFORE + side].map((relative) => {
          const item = entry(relative);
          item.classList.toggle("new", side === 1 && !trailers[place][BEFORE].includes(relative));
          return item;
        }));
      });
    }
    maps.forEach(mark);
  };
  const nearest = (map, side, event) => {
    const box = map.querySelector("svg").getBoundingClientRect();
    const scale = 1000 / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = -1, reach = (14 * scale) ** 2;
    for (let place = 0; place < trailers.length; place++) {
      const [cx, cy] = at(side, place);
      const far = (cx - x) ** 2 + (cy - y) ** 2;
      if (far < reach && isShown(place)) { best = place; reach = far; }
    }
    return best;
  };

  document.documentElement.style.setProperty("--dot", trailers.length > 3000 ? 7 : trailers.length > 800 ? 9 : 13);
  maps.forEach((map, side) => {
    const svg = map.querySelector("svg"), tip = map.querySelector(".tip");
    svg.addEventListener("pointermove", (event) => {
      const place = nearest(map, side, event);
      tip.hidden = place < 0;
      svg.style.cursor = place < 0 ? "" : "pointer";
      if (place < 0) return;
      tip.replaceChildren(make("b", titled(place)), make("small", genresOf(place)), make("small", subgenreOf(place)));
      const box = map.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top;
      tip.style.top = `${y + 14}px`;
      tip.style.left = x > box.width / 2 ? "" : `${x + 14}px`;
      tip.style.right = x > box.width / 2 ? `${box.width - x + 14}px` : "";
    });
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
    svg.addEventListener("click", (event) => choose(nearest(map, side, event)));
  });
  for (const button of genreButtons) {
    button.addEventListener("click", () => {
      const genre = Number(button.dataset.genre);
      if (!wanted.delete(genre)) wanted.add(genre);
      draw();
    });
  }
  for (const card of cards) {
    const name = card.querySelector("h3"), button = make("button", name.textContent);
    button.type = "button";
    button.title = "Show on the maps";
    button.addEventListener("click", () => {
      const place = Number(card.dataset.subgenre);
      subgenre = subgenre === place ? -1 : place;
      draw();
      if (subgenre >= 0) document.getElementById("maps").scrollIntoView({ behavior: "smooth" });
    });
    name.replaceChildren(button);
    const details = card.querySelector("details");
    details.hidden = false;
    details.addEventListener("toggle", () => {
      const list = details.querySelector("ol");
      if (list.children.length) return;
      const place = Number(card.dataset.subgenre);
      trailers.forEach((row, trailer) => {
        if (row[SUBGENRE] !== place) return;
        const item = make("li"), link = make("button", titled(trailer));
        link.type = "button";
        link.dataset.choose = trailer;
        item.append(link);
        list.append(item);
      });
    });
  }
  for (const item of document.querySelectorAll("[data-trailer]")) {
    const button = make("button", item.textContent);
    button.type = "button";
    button.dataset.choose = item.dataset.trailer;
    item.replaceChildren(button);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (!button) return;
    matches.replaceChildren();
    choose(Number(button.dataset.choose));
    panel.scrollIntoView({ behavior: "smooth", block: "nearest" });
  });
  finder.addEventListener("input", () => {
    const words = finder.value.trim().toLowerCase();
    const found = [];
    for (let place = 0; words && place < trailers.length && found.length < 8; place++) {
      if (trailers[place][TITLE].toLowerCase().includes(words)) found.push(entry(place));
    }
    matches.replaceChildren(...found);
  });
  document.getElementById("clear").addEventListener("click", () => {
    wanted.clear();
    subgenre = -1;
    finder.value = "";
    matches.replaceChildren();
    choose(-1);
    draw();
  });
  for (const input of document.querySelectorAll("[name=layout]")) {
    input.addEventListener("change", () => { layout = input.value; draw(); });
  }
  document.querySelector(".controls").hidden = false;
  draw();
})();
