from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.condensed_movies import CondensedClip, read_condensed_movies
from mastershot.datasets.movieclip import clip_of_video, read_release

FILES = {
    "movies": "imdbid,title,year\ntt1,One,1999.0\ntt2,Two,\n",
    "clips": (
        "videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid\n"
        'a,1999.0,1,2,2015,One,"Hello, you",tt1\nb,2000.0,1,1,2015,Two,,tt2\n'
    ),
    "split": "imdbid,split\ntt1,train\ntt2,val\n",
    "movie_info": "imdbid,genre,country\ntt1,\"['Drama', 'War']\",['USA']\n",
    "casts": "imdbid,cast\ntt1,\"{'An Actor': 'A Role'}\"\ntt2,\n",
    "descriptions": "imdbid,videoid,description\ntt1,a,They meet.\n",
    "durations": "videoid,duration\na,83\n",
}


def release(folder: Path, **changes: str) -> Path:
    for name, text in (FILES | changes).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_the_release_holds_the_films_and_clips_it_is_said_to(real_data: Path) -> None:
    metadata = read_condensed_movies(real_data / "condensed_movies")
    assert (len(metadata.movies), len(metadata.clips)) == (3_631, 34_185)
    splits = [movie.split for movie in metadata.movies.values()]
    assert [splits.count(name) for name in ("train", "val", "test")] == [2_571, 360, 700]
    assert sum(clip.description is not None for clip in metadata.clips.values()) == 34_091
    assert sum(bool(movie.genres) for movie in metadata.movies.values()) == 2_894
    assert metadata.movies["tt0020629"].genres == ("Drama", "War")
    assert metadata.movies["tt1707386"].cast["Hugh Jackman"] == "Jean Valjean"


def test_every_movieclip_clip_is_of_a_known_film(real_data: Path) -> None:
    films = read_condensed_movies(real_data / "condensed_movies").film_of_clip
    splits = read_release(real_data / "movieclip").splits
    clips = {clip_of_video(shot.video) for shots in splits.values() for shot in shots}
    assert clips <= films.keys()


def test_what_is_known_of_a_film_and_its_clips(tmp_path: Path) -> None:
    metadata = read_condensed_movies(release(tmp_path))
    one, two = metadata.movies.values()
    assert (one.year, one.genres, one.countries) == (1999, ("Drama", "War"), ("USA",))
    assert (one.split, one.cast) == ("train", {"An Actor": "A Role"})
    assert (two.year, two.genres, two.countries, two.cast) == (None, (), (), {})
    assert metadata.clips["a"] == CondensedClip(
        "a", "tt1", "Hello, you", 1, 2, 2015, "They meet.", 83.0
    )
    assert (metadata.clips["b"].description, metadata.clips["b"].duration_s) == (None, None)
    assert metadata.film_of_clip == {"a": "tt1", "b": "tt2"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("movies", "imdbid,title,year\ntt1,One,soon\n", "line 2: year is 'soon'.* a whole number"),
        ("movies", "imdbid,title,year\ntt1,One,19.5\n", "line 2: year is '19.5'.* a whole number"),
        ("movies", "imdbid,title,year\ntt1,One,\ntt1,One,\n", "line 3: 'tt1' stands in line 2 too"),
        ("movies", "imdbid,title\n", "has no column 'year'"),
        ("movies", "imdbid,title,year\ntt1,One,\n", "clip 'b' is of film 'tt2', which movies.csv"),
        ("split", "imdbid,split\ntt1,train\n", "the split of film 'tt2' is None"),
        (
            "split",
            "imdbid,split\ntt1,best\n",
            "the split of film 'tt1' is 'best'.* val, test",
        ),
        ("movie_info", "imdbid,genre,country\ntt1,['Drama,[]\n", "genre is .* a list"),
        ("movie_info", "imdbid,genre,country\ntt1,[1],[]\n", "genre is .* a list of texts"),
        ("movie_info", "imdbid,genre,country\ntt1,[],{}\n", "country is .* a list of texts"),
        ("casts", "imdbid,cast\ntt1,{1: 'A'}\n", "cast is .* a dict of texts"),
        ("casts", "imdbid,cast\ntt1,__import__('os')\n", "cast is .* a dict"),
        ("casts", "imdbid,cast\ntt1,7\n", "cast is '7'.* a dict of texts"),
        ("durations", "videoid,duration\na,long\n", "line 2: duration is 'long'.* a number"),
    ],
)
def test_a_damaged_file_says_what_and_where(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        read_condensed_movies(release(tmp_path, **{file: text}))


def test_a_clip_named_twice_is_an_error(tmp_path: Path) -> None:
    clips = FILES["clips"] + FILES["clips"].splitlines()[1] + "\n"
    with pytest.raises(DatasetError, match="line 4: 'a' stands in line 2 too"):
        read_condensed_movies(release(tmp_path, clips=clips))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (release(tmp_path) / "split.csv").unlink()
    with pytest.raises(DatasetError, match=r"split\.csv cannot be read: No such file"):
        read_condensed_movies(tmp_path)
