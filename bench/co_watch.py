"""What co-watch makes of MovieLens: hubs, films left alone, and the films similar to one.

python bench/co_watch.py MOVIELENS [CONDENSED_MOVIES] [--film tt0114709]

With the second folder only films of Condensed Movies are looked at.
"""

import argparse

from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.movielens import read_movielens
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.similarity import hub_share

SETTINGS = {
    "count, any later film": CoWatchSettings("count", next_items=0, min_viewers=1),
    "count, next 5": CoWatchSettings("count", min_viewers=1),
    "lift, any later film": CoWatchSettings(next_items=0, min_viewers=1),
    "lift, any later film, 3 viewers, prior 5": CoWatchSettings(
        next_items=0, min_viewers=3, prior=5.0
    ),
    "lift, next 5 (default)": CoWatchSettings(),
    "lift, next 20": CoWatchSettings(next_items=20),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("movielens")
    parser.add_argument("condensed_movies", nargs="?")
    parser.add_argument("--film", default="tt0114709", help="IMDb id; the default is Toy Story")
    arguments = parser.parse_args()
    release = read_movielens(arguments.movielens)
    films = list(release.movies)
    if arguments.condensed_movies:
        library = read_condensed_movies(arguments.condensed_movies).movies
        films = [film for film in films if film in library]
    print(f"{len(films)} films; similar to {release.movies[arguments.film].title}:")
    for name, settings in SETTINGS.items():
        table = CoWatch(release.log, settings).similar(films)
        similar = [release.movies[film].title for film, _ in table.similar_to(arguments.film)]
        print(
            f"{name}: 20 films fill {hub_share(table):.1%} of {len(table)} rows, "
            f"{len(table.without_neighbours)} films without one; {', '.join(similar)}"
        )


if __name__ == "__main__":
    main()
