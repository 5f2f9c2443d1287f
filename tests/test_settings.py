"""What a person may write in the environment and in `.env`."""

from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import NAMES, Settings

SECRET = "sk-0123456789"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder without `.env`, under an environment without our names."""
    for name in list(os.environ):
        if name in NAMES or name.upper().startswith("PAPERCHAT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(**environment):
    """The settings under these names and no others."""
    return Settings.from_environment(environment=environment)


def test_nothing_set_is_the_embedded_model_and_the_users_data_folder(monkeypatch, folder):
    """A machine with nothing set up gets settings that need neither key nor network."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))

    got = Settings.from_environment()

    assert got == Settings(store=folder / "data" / "paperchat")
    assert (got.api_key, got.base_url, got.model, got.chroma_url, got.auth) == (None,) * 5
    assert got.embedding_model == "embedded"
    assert not got.debug
    assert not got.store.exists()


def test_every_name_reaches_its_field():
    """Each known name sets one field, trimmed of the spaces that pasting leaves."""
    got = read(
        OPENAI_API_KEY=f" {SECRET}\n",
        OPENAI_BASE_URL="http://localhost:8000/v1",
        PAPERCHAT_MODEL="qwen3-8b",
        PAPERCHAT_PRICE="0.15 / 0.60",
        PAPERCHAT_MOST_TOKENS="30_000",
        PAPERCHAT_CALLS="4",
        PAPERCHAT_EMBEDDING_MODEL="bge-m3",
        PAPERCHAT_STORE="some/where",
        PAPERCHAT_CHROMA_URL="http://[::1]:8000",
        PAPERCHAT_AUTH="people.txt",
        PAPERCHAT_DEBUG="Yes",
    )

    assert got == Settings(
        api_key=SECRET,
        base_url="http://localhost:8000/v1",
        model="qwen3-8b",
        price=(0.15, 0.60),
        most_tokens=30_000,
        calls=4,
        embedding_model="bge-m3",
        store=Path("some/where"),
        chroma_url="http://[::1]:8000",
        auth=Path("people.txt"),
        debug=True,
    )


def test_the_argument_wins_over_the_environment():
    """`--store` says more about this run than a variable that was set some day."""
    got = Settings.from_environment(Path("mine"), {"PAPERCHAT_STORE": "other"})

    assert got.store == Path("mine")


def test_an_empty_value_is_an_unset_one():
    """Every known name may stand empty, as in a copied `.env.example`."""
    assert read(**dict.fromkeys(NAMES, "  ")) == read()


def test_a_given_environment_is_all_that_is_read(monkeypatch, folder):
    """With an environment as argument, neither the process's nor `.env` says anything."""
    (folder / ".env").write_text(f"OPENAI_API_KEY={SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("PAPERCHAT_MODEL", "other")

    got = read()

    assert (got.api_key, got.model) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("PAPERCHAT_STOER", "PAPERCHAT_STORE"),
        ("PAPERCHAT_DEBG", "PAPERCHAT_DEBUG"),
        ("PAPERCHAT_EMBEDDINGS_MODEL", "PAPERCHAT_EMBEDDING_MODEL"),
        ("PAPERCHAT_API_KEY", "OPENAI_API_KEY"),
        ("paperchat_store", "PAPERCHAT_STORE"),
        ("PAPERCHAT_", "PAPERCHAT_"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_the_nearest(wrong, meant):
    """A misspelt name is not passed over in silence, empty or not."""
    for value in (SECRET, ""):
        with pytest.raises(SettingsError, match=meant) as caught:
            read(**{wrong: value})
        assert str(caught.value).startswith(f"{wrong} ")
        assert SECRET not in str(caught.value)


def test_other_programs_names_are_left_alone():
    """Only names that start with ours are judged."""
    assert read(PAPER="1", PAPERCHATTER="1", OPENAI_ORG_ID="x") == read()


@pytest.mark.parametrize(
    ("value", "debug"),
    [("1", True), ("true", True), ("YES", True), ("0", False), ("False", False), ("no", False)],
)
def test_debug_is_yes_or_no(value, debug):
    """The six spellings are read in any case."""
    assert read(PAPERCHAT_DEBUG=value).debug is debug


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAPERCHAT_DEBUG", "maybe"),
        ("OPENAI_API_KEY", f"Bearer {SECRET}"),
        ("OPENAI_API_KEY", f"“{SECRET}”"),
        ("OPENAI_API_KEY", f"{SECRET}\x00"),
        ("OPENAI_BASE_URL", f"localhost:8000/{SECRET}"),
        ("OPENAI_BASE_URL", f"https:///{SECRET}"),
        ("OPENAI_BASE_URL", f"http://[{SECRET}"),
        ("OPENAI_BASE_URL", f"http://localhost:{SECRET}"),
        ("PAPERCHAT_CHROMA_URL", f"ftp://{SECRET}"),
        ("PAPERCHAT_MODEL", f"{SECRET}\udcff"),
        ("PAPERCHAT_STORE", f"a\x00{SECRET}"),
        ("PAPERCHAT_STORE", "~no-such-user-here/store"),
        ("PAPERCHAT_AUTH", "~no-such-user-here/people"),
    ],
)
def test_a_value_that_cannot_be_right_is_an_error_without_the_value(name, value):
    """One sentence names the variable, says what to do, and repeats nothing secret."""
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})

    assert str(caught.value).startswith(name)
    assert str(caught.value).endswith(".")
    assert SECRET not in str(caught.value)


def test_keys_are_not_shown():
    """Neither the key nor an address with a password stands in the repr."""
    address = f"https://me:{SECRET}@models.example/v1"
    got = read(OPENAI_API_KEY=SECRET, OPENAI_BASE_URL=address, PAPERCHAT_CHROMA_URL=address)

    assert got.api_key == SECRET
    assert SECRET not in repr(got)
    assert SECRET not in str(got)


def test_the_environment_wins_over_dotenv(monkeypatch, folder):
    """`.env` fills in what the environment leaves out, and an empty value there hides it."""
    (folder / ".env").write_text(
        "# mine\nexport PAPERCHAT_MODEL='small'\nOPENAI_API_KEY=sk-file\n"
        "PAPERCHAT_STORE=${HOME}/x\nPAPERCHAT_AUTH\n",
        encoding="utf-8-sig",
    )
    monkeypatch.setenv("PAPERCHAT_MODEL", "large")
    monkeypatch.setenv("OPENAI_API_KEY", "")

    got = Settings.from_environment()

    assert (got.model, got.api_key, got.auth) == ("large", None, None)
    assert got.store == Path("${HOME}/x")  # as written


def test_dotenv_is_judged_like_the_environment(folder):
    """An unknown name in `.env` is an error too."""
    (folder / ".env").write_text("PAPERCHAT_MODLE=x\n", encoding="utf-8")

    with pytest.raises(SettingsError, match="PAPERCHAT_MODEL"):
        Settings.from_environment()


@pytest.mark.parametrize("content", [b"\xff\xfePAPERCHAT_MODEL=\x80", b"\x7fELF\x00\x01\x00"])
def test_a_binary_dotenv_is_an_error(folder, content):
    """A file that is no text is named, with the way out."""
    (folder / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=r"\.env cannot be read as UTF-8 text: mend or remove"):
        Settings.from_environment()


def test_a_folder_called_dotenv_is_no_settings_file(folder):
    """Many virtual environments are folders called `.env`."""
    (folder / ".env").mkdir()

    assert Settings.from_environment(folder) == Settings(store=folder)


def test_settings_are_a_frozen_slotted_value():
    """Settings cannot change once read, and travel between processes."""
    got = read(OPENAI_API_KEY=SECRET)

    with pytest.raises(dataclasses.FrozenInstanceError):
        got.model = "other"  # type: ignore[misc]
    assert not hasattr(got, "__dict__")
    assert pickle.loads(pickle.dumps(got)) == got


@pytest.mark.parametrize("price", ["0.15", "0.15/", "a/b", "-1/2", "1/2/3", "nan/1", "1e9/1", "/"])
def test_a_price_is_two_amounts(price):
    """Anything but dollars for prompts and for answers is refused, with how to write it."""
    with pytest.raises(SettingsError, match=r"PAPERCHAT_PRICE.*0\.15/0\.60"):
        read(PAPERCHAT_PRICE=price)


@pytest.mark.parametrize("name", ["PAPERCHAT_CALLS", "PAPERCHAT_MOST_TOKENS"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "٣", "9" * 12])
def test_a_bound_is_a_number_from_one_up(name, value):
    """A bound of nothing, or of no number, is refused."""
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})
