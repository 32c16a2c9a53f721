"""How many intervals the shipped policies flag in a library's films, from kept scores.

    mastershot library add FILMS --steps shots,scenes,sound,moderation --library films.mastershot
    python bench/moderation_films.py films.mastershot

Every interval is held against its evidence: each piece lies in it, reaches the threshold, and is a
sampled frame of one of its shots if it is seen.
"""

import sys
from collections import Counter

from mastershot.core.lanes import ModerationInterval
from mastershot.core.timeline import Timeline
from mastershot.labelling.moderation.policy import load_policy, shipped_policies
from mastershot.pipeline.moderation.cutting import with_policy
from mastershot.store.frames import frame_times_of
from mastershot.store.library import Library


def is_founded(one: ModerationInterval, film: Timeline, least: float) -> bool:
    """Return True if an interval has evidence, and all of it is what it should be."""
    shots = {shot.id: shot for shot in film.shots if shot.id in one.shots}
    for sample in one.evidence:
        inside = one.start_s - 1e-6 <= sample.time_s <= one.end_s + 1e-6
        if (
            not inside
            or sample.score < least - 1e-4
            or (sample.frame is None) == (one.source == "seen")
        ):
            return False
        if sample.frame is not None and not any(
            sample.frame in shot.sampled_frames for shot in shots.values()
        ):
            return False
    return bool(one.evidence)


def main() -> None:
    library = Library(sys.argv[1])
    films = [library.timeline(film.id) for film in library.movies()]
    print(f"{len(films)} films, {sum(len(film.shots) for film in films)} shots")
    for name in shipped_policies():
        rules = {rule.name: rule for rule in load_policy(name).classes}
        found, missing = Counter[str](), Counter[str]()
        unfounded = flagged = 0
        for film in films:
            store = library.features(film.movie.id)
            moderated = with_policy(film, name, store, frame_times_of(film))
            flagged += bool(moderated.moderation)
            for one in moderated.moderation or ():
                found[f"{one.name} ({one.source})"] += 1
                kinds = ("heard",) if one.source == "heard" else ("seen", "words")
                given = rules[one.name].thresholds
                least = min(given[kind] for kind in kinds if kind in given)
                unfounded += not is_founded(one, film, least)
            for row in moderated.moderation_coverage or ():
                if row.status != "covered":
                    missing[f"{row.name} ({row.source}): {row.reason.partition(';')[0]}"] += 1
        print(f"{name}: {dict(found)} in {flagged} films; {unfounded} without their evidence")
        for what, count in sorted(missing.items()):
            print(f"  not covered, {what}: {count} films")


if __name__ == "__main__":
    main()
