"""Where settings come from, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rigbridge.configuration import load_configuration
from rigbridge.errors import ConfigurationError


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
        assert (made.to, made.api_key) == ("http://a.example", "k1")
        both = {**official, "RIGBRIDGE_API_KEY": "k2"}
        assert load_configuration(environment=both).api_key == "k2"

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
        assert "very-secret" not in repr(made.destination_settings())

    def test_broken_toml_names_the_place(self, tmp_path: Path) -> None:
        """The line of the mistake is part of the message."""
        file = write(tmp_path, "to = \n")
        with pytest.raises(ConfigurationError, match="line 1"):
            load_configuration(file=file, environment={})
