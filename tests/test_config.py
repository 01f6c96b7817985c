from pathlib import Path

import pytest

from rag.config import FILE, Settings, cache_dir
from rag.errors import ConfigError


def in_file(text: str) -> None:
    FILE.write_text(text, encoding="utf-8")


def test_defaults_without_anything_set() -> None:
    assert Settings.load() == Settings()
    assert (Settings.load().index, Settings.load().backend) == (Path("index"), "extractive")


def test_argument_beats_environment_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().top_k == 8
    in_file("top_k = 3\nalpha = 0.25")
    assert Settings.load().top_k == 3
    monkeypatch.setenv("RAG_TOP_K", "4")
    assert Settings.load().top_k == 4
    assert Settings.load(top_k=5).top_k == 5
    assert Settings.load(top_k=None).top_k == 4
    assert Settings.load().alpha == 0.25


@pytest.mark.parametrize(("name", "nearest"), [("RAG_TOPK", "RAG_TOP_K"), ("RAG_INDX", "RAG_INDEX")])
def test_an_unknown_variable_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(
        ConfigError, match=f"{name}; the nearest known is environment variable {nearest}"
    ):
        Settings.load()


@pytest.mark.parametrize("build", [Settings, Settings.load])
def test_an_unknown_key_in_the_file_names_the_nearest(build: type[Settings]) -> None:
    in_file("chunk_size = 9")
    with pytest.raises(ConfigError, match=r"'chunk_size' in rag\.toml; .* 'chunk_tokens' in rag\.toml"):
        build()


def test_an_unknown_argument_is_an_error() -> None:
    with pytest.raises(ConfigError, match="'topk'"):
        Settings.load(topk=3)


@pytest.mark.parametrize("text", ["top_k =", "top_k = 1\ntop_k = 2", "[[[", "\ufefftop_k = 1"])
def test_a_malformed_file_is_an_error(text: str) -> None:
    in_file(text)
    with pytest.raises(ConfigError, match=r"^rag\.toml cannot be read"):
        Settings.load()


def test_a_file_that_is_no_text_is_an_error() -> None:
    FILE.write_bytes(b"index = '\xff'")
    with pytest.raises(ConfigError, match=r"^rag\.toml cannot be read"):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", 0),
        ("top_k", "many"),
        ("alpha", 1.5),
        ("alpha", "nan"),
        ("b", -0.1),
        ("threshold", 2),
        ("chunk_tokens", 8),
        ("overlap_tokens", -1),
        ("max_file_mb", 0),
        ("max_file_mb", "nan"),
        ("keep_generations", 0),
        ("threads", 1.5),
    ],
)
def test_a_value_out_of_bounds_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    said = rf"^Setting '{name}': [^\n]+ \(given: '?{value}'?\)\.$"
    with pytest.raises(ConfigError, match=said):
        Settings.load(**{name: value})
    monkeypatch.setenv(f"RAG_{name.upper()}", str(value))
    with pytest.raises(ConfigError, match=said):
        Settings.load()


def test_overlap_is_at_most_half_of_a_chunk() -> None:
    assert Settings.load(chunk_tokens=80, overlap_tokens=40).overlap_tokens == 40
    with pytest.raises(
        ConfigError, match=r"^Settings: overlap_tokens must be at most half of chunk_tokens"
    ):
        Settings.load(chunk_tokens=80, overlap_tokens=41)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().top_k = 3  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("RAG_CACHE_DIR", raising=False)
    assert cache_dir(Settings.load(cache_dir="~/mine")) == tmp_path / "mine"
    assert cache_dir(Settings.load()).name == "seedrag"
