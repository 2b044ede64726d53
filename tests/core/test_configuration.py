"""Where settings come from, and how wrong ones are refused."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import keyring.backend
import keyring.errors
import pytest

from rigbridge.configuration import command_line, load_configuration
from rigbridge.destinations.address import destination_name
from rigbridge.errors import ConfigurationError
from rigbridge.opening import open_destination


def write(folder: Path, text: str) -> Path:
    """Write a configuration file."""
    file = folder / "rigbridge.toml"
    file.write_text(text, encoding="utf-8")
    return file


class TestPrecedence:
    """Later sources win: file, environment, argument."""

    def test_the_project_file_is_found_above(self, tmp_path: Path) -> None:
        """The nearest file above the working folder counts."""
        write(tmp_path, 'to = "https://store.example"')
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        made = load_configuration(folder=below, environment={})
        assert made.to == "https://store.example"

    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        """A variable overrides, and its name is known as the origin."""
        file = write(tmp_path, 'to = "https://store.example"')
        made = load_configuration(file=file, environment={"RIGBRIDGE_TO": "local"})
        assert made.is_local
        assert made.origins["to"] == "environment RIGBRIDGE_TO"

    def test_our_variables_win_over_the_official_ones(self) -> None:
        """TOFUPILOT_* counts where ours are unset."""
        official = {"TOFUPILOT_URL": "http://a.example", "TOFUPILOT_API_KEY": "k1"}
        made = load_configuration(environment=official)
        assert (made.to, made.destination_settings.api_key) == (
            "http://a.example",
            "k1",
        )
        both = {**official, "RIGBRIDGE_API_KEY": "k2"}
        assert load_configuration(environment=both).destination_settings.api_key == "k2"

    def test_an_argument_wins_over_all(self, tmp_path: Path) -> None:
        """A flag is the last word."""
        made = load_configuration(
            data=tmp_path, environment={"RIGBRIDGE_DATA": "/elsewhere"}
        )
        assert made.data == tmp_path

    def test_a_folder_in_a_file_is_relative_to_it(self, tmp_path: Path) -> None:
        """The working folder of the moment does not matter."""
        file = write(tmp_path, 'data = "store"')
        assert load_configuration(file=file, environment={}).data == tmp_path / "store"


class TestRefusals:
    """A wrong setting is named with its file and key."""

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("colour = 1", "colour"),
            ('to = "store.example"', "to"),
            ('time_zone = "Mars/Olympus"', "time_zone"),
            ("timeout = -1", "timeout"),
            ('sidecar = "perhaps"', "sidecar"),
            ("identity = { colour = [] }", "identity.colour"),
            ('identity = { file_name = "x" }', "identity.file_name"),
            ("identity = { fields = [1] }", "identity.fields"),
            ("[[identity.fields]]\ntext = 1", "identity.fields[0].text"),
            ("[[identity.fields]]\ntext = ''", "identity.fields[0].expression"),
            ('[time_zones]\nST1 = "nowhere"', "time_zones.ST1"),
            ("adapters = { csv = 1 }", "adapters.csv"),
            ('api_key = "secret"', "api_key"),
        ],
    )
    def test_a_wrong_value_is_named(
        self, tmp_path: Path, text: str, place: str
    ) -> None:
        """File, key and remedy stand in one line."""
        file = write(tmp_path, text)
        with pytest.raises(ConfigurationError) as caught:
            load_configuration(file=file, environment={})
        assert caught.value.place == place
        assert caught.value.source == str(file)

    def test_the_key_is_not_shown(self) -> None:
        """A secret appears in no representation."""
        made = load_configuration(api_key="very-secret", environment={})
        assert "very-secret" not in repr(made)
        assert "very-secret" not in repr(made.destination_settings)

    def test_broken_toml_names_the_place(self, tmp_path: Path) -> None:
        """The line of the mistake is part of the message."""
        file = write(tmp_path, "to = \n")
        with pytest.raises(ConfigurationError, match="line 1"):
            load_configuration(file=file, environment={})


class TestConnection:
    """Settings of how a store is reached."""

    def test_all_come_from_a_file(self, tmp_path: Path) -> None:
        """Paths are relative to the file; the destination gets each."""
        file = write(
            tmp_path,
            'to = "https://store.example.com"\nconnect_timeout = 3\n'
            'ca_bundle = "authority.pem"\nclient_certificate = "/etc/rig.pem"\n'
            'client_key = "rig.key"\nproxy = "direct"\nhttp2 = false\nconcurrency = 4',
        )
        made = load_configuration(file=file, environment={}).destination_settings
        assert made.connect_timeout == 3.0
        assert made.ca_bundle == tmp_path / "authority.pem"
        assert made.client_certificate == Path("/etc/rig.pem")
        assert made.client_key == tmp_path / "rig.key"
        assert (made.proxy, made.http2, made.concurrency) == ("direct", False, 4)

    def test_all_come_from_the_environment(self) -> None:
        """Text means what it says."""
        made = load_configuration(
            environment={
                "RIGBRIDGE_CONNECT_TIMEOUT": "2.5",
                "RIGBRIDGE_CA_BUNDLE": "/etc/a.pem",
                "RIGBRIDGE_CLIENT_CERTIFICATE": "/etc/c.pem",
                "RIGBRIDGE_CLIENT_KEY": "/etc/k.pem",
                "RIGBRIDGE_PROXY": "http://proxy:3128",
                "RIGBRIDGE_HTTP2": "false",
                "RIGBRIDGE_CONCURRENCY": "2",
            }
        )
        assert made.destination_settings.connect_timeout == 2.5
        assert made.destination_settings.ca_bundle == Path("/etc/a.pem")
        assert made.destination_settings.client_certificate == Path("/etc/c.pem")
        assert made.destination_settings.client_key == Path("/etc/k.pem")
        assert made.destination_settings.proxy == "http://proxy:3128"
        assert (
            made.destination_settings.http2,
            made.destination_settings.concurrency,
        ) == (False, 2)

    @pytest.mark.parametrize(
        ("key", "value"),
        [("http2", "maybe"), ("concurrency", "0"), ("connect_timeout", "soon")],
    )
    def test_a_wrong_value_is_named(self, key: str, value: str) -> None:
        """The error names the variable and the key."""
        variable = f"RIGBRIDGE_{key.upper()}"
        with pytest.raises(ConfigurationError) as caught:
            load_configuration(environment={variable: value})
        assert caught.value.place == key
        assert variable in str(caught.value)


class _Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # it has no hints
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        """Give the one key."""
        self.asked.append((service, username))
        if self.error is not None:
            raise self.error
        known = ("rigbridge", "https://store.example.com")
        return "from the keyring" if (service, username) == known else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing; the base class wants the method."""
        raise NotImplementedError(service, username, password)


@pytest.fixture(name="ring")
def _ring() -> Iterator[_Keyring]:
    before, ring = keyring.get_keyring(), _Keyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


class TestKeyring:
    """API keys out of the keyring."""

    _TO: ClassVar = {"RIGBRIDGE_TO": "https://store.example.com/api/"}

    def test_it_gives_the_key_of_the_store(self, ring: _Keyring) -> None:
        """However the address is spelled, the key stands under its origin."""
        made = load_configuration(environment=self._TO)
        assert made.destination_settings.api_key == "from the keyring"
        assert made.origins["api_key"] == "keyring"
        assert ring.asked == [("rigbridge", "https://store.example.com")]

    def test_the_environment_wins(self, ring: _Keyring) -> None:
        """It is not even asked then; nor for the embedded store."""
        both = {**self._TO, "TOFUPILOT_API_KEY": "k"}
        assert load_configuration(environment=both).destination_settings.api_key == "k"
        assert load_configuration(environment={}).destination_settings.api_key is None
        assert not ring.asked

    def test_a_named_store_has_a_key_of_its_own(
        self, ring: _Keyring, tmp_path: Path
    ) -> None:
        """Two organizations at one address differ by name; else its origin counts."""
        file = tmp_path / "rigbridge.toml"
        file.write_text("[destinations.acme]\nurl = 'https://store.example.com'\n")
        made = load_configuration(to="acme", file=file, environment={})
        assert made.destination_settings.api_key == "from the keyring"
        assert [name for _, name in ring.asked] == ["acme", "https://store.example.com"]

    def test_one_that_fails_gives_no_key_and_says_so(
        self, ring: _Keyring, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A locked keyring is no reason not to work."""
        ring.error = keyring.errors.KeyringLocked("it is locked")
        assert (
            load_configuration(environment=self._TO).destination_settings.api_key
            is None
        )
        assert "it is locked" in caplog.text

    def test_without_one_there_is_no_key(
        self, ring: _Keyring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library is an extra, and a machine may have no keyring at all."""
        ring.error = keyring.errors.NoKeyringError("none")
        assert (
            load_configuration(environment=self._TO).destination_settings.api_key
            is None
        )
        monkeypatch.setitem(sys.modules, "keyring", None)
        assert (
            load_configuration(environment=self._TO).destination_settings.api_key
            is None
        )


class TestDestinationNames:
    """The names by which entries of the outbox say where they go."""

    @pytest.mark.parametrize(
        ("to", "name"),
        [
            ("local", "local"),
            ("https://Store.Example.com:443/api/v1/", "https://store.example.com"),
            ("http://store:8000/rigs", "http://store:8000/rigs"),
        ],
    )
    def test_every_spelling_of_a_destination_has_one_name(
        self, to: str, name: str
    ) -> None:
        """It is the origin of a store, without the path of the API."""
        assert load_configuration(to=to, environment={}).destination_name == name

    def test_a_configured_name_wins(self, tmp_path: Path) -> None:
        """It stands for the address, which two organizations may share."""
        file = tmp_path / "rigbridge.toml"
        file.write_text("to = 'acme'\n[destinations.acme]\nurl = 'https://store'\n")
        made = load_configuration(file=file, environment={})
        assert made.destination_name == "acme"
        assert made.destination_settings.url == "https://store"
        open_destination(made).close()

    def test_the_address_of_a_plugin_shows_no_secret(self) -> None:
        """A user name, a password and a query are left out."""
        assert destination_name("bus://me:secret@host/x?key=1") == "bus://host/x"

    @pytest.mark.parametrize(
        ("table", "words"),
        [
            ("url = 'store'", "must be an address"),
            ("url = 'https://store'\ntimeout = 3", "is no known setting"),
            ("url = 'https://store'\napi_key = 'k'", "does not belong into a file"),
            ("urll = 'https://store'", "neither 'local' nor a URL"),
        ],
    )
    def test_a_wrong_table_is_named(
        self, tmp_path: Path, table: str, words: str
    ) -> None:
        """A misspelled or unfit setting of a named store is an error."""
        file = tmp_path / "rigbridge.toml"
        file.write_text(f"to = 'acme'\n[destinations.acme]\n{table}\n")
        with pytest.raises(ConfigurationError, match=words):
            load_configuration(file=file, environment={})


class TestPrintedCommands:
    """Commands that are printed do what they say, wherever they are typed."""

    @pytest.fixture(autouse=True)
    def _surroundings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("RIGBRIDGE_DATA", str(tmp_path / "usual"))
        monkeypatch.setenv("RIGBRIDGE_TO", "https://store")

    def test_what_is_configured_is_left_out(self) -> None:
        """The plain command finds the same places by itself."""
        made = load_configuration()
        assert command_line(made, "outbox", "flush") == "rigbridge outbox flush"

    def test_what_differs_is_spelled_out(self, tmp_path: Path) -> None:
        """Folder and destination of a program that was told others."""
        made = load_configuration(to="http://other:1/api", data=tmp_path / "my data")
        assert shlex.split(command_line(made, "outbox", "flush")) == [
            *("rigbridge", "outbox", "flush"),
            *("--data", str(tmp_path / "my data"), "--to", "http://other:1"),
        ]

    def test_another_destination_can_be_meant(self) -> None:
        """What waits for another store is sent by naming that."""
        made = load_configuration()
        words = command_line(made, "outbox", "flush", to="local")
        assert words == "rigbridge outbox flush --to local"

    def test_a_wrong_configuration_leaves_nothing_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the plain command would fail, everything is said."""
        made = load_configuration()
        monkeypatch.setenv("RIGBRIDGE_TIMEOUT", "soon")
        assert shlex.split(command_line(made, "outbox", "flush"))[3:] == [
            *("--data", str(tmp_path / "usual"), "--to", "https://store"),
        ]
