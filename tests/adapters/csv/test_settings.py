"""Settings are checked, and an error names the path of the bad key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import ADAPTER_GROUP
from rigbridge.configuration import load_configuration
from rigbridge.errors import ConfigurationError
from rigbridge.machine.plugins import PluginLoader
from rigbridge.opening import make_adapter
from rigbridge_csv import (
    BUILT_IN,
    CSVAdapter,
    CSVProfile,
    CSVSettings,
    ProfileMatch,
    Undeclared,
)
from rigbridge_csv.profiles.fields import Field

TOML = """
[[profiles]]
name = "ict"
layout = "long"
match = { file_name = "ICT_*.csv", columns = ["Rack"] }
delimiter = ";"
quote = "'"
encoding = "cp1252"
decimal = ","
date_formats = ["%d.%m.%Y %H:%M", "iso"]
columns = { measurement = "Test", value = 4, limits = "Limits", unit = "Unit" }
optional = ["unit"]
constants = { procedure = "ICT" }
metadata = ["Rack"]
outcomes = { gut = "pass" }
missing = ["-"]
run_key = ["serial_number", "Lauf"]
undeclared = "drop"
limit_pair = "upper/lower"
"""

GOOD: dict[str, Any] = {"name": "a", "columns": {"measurement": "Test"}}


class TestFromMapping:
    """Plain tables become settings."""

    def test_every_setting(self) -> None:
        """Every setting can be written in TOML."""
        (profile,) = CSVSettings.from_mapping(tomllib.loads(TOML)).profiles
        assert profile.match == ProfileMatch(file_name="ICT_*.csv", columns=("Rack",))
        assert (profile.delimiter, profile.quote, profile.decimal) == (";", "'", ",")
        assert profile.columns[Field.VALUE] == 4
        assert profile.outcomes == {"gut": "PASS"}
        assert profile.run_key == ("serial_number", "Lauf")
        assert profile.undeclared is Undeclared.DROP
        assert profile.required() == ("Rack", "Test", "Limits", "Rack", "Lauf")

    def test_no_profiles(self) -> None:
        """Without profiles the built-in one remains."""
        assert CSVSettings.from_mapping({}) == CSVSettings()

    def test_made_profiles_are_taken(self) -> None:
        """In Python profiles may be given as they are."""
        profile = CSVProfile(**GOOD)
        assert CSVSettings(profiles=(profile,)).profiles == (profile,)

    @pytest.mark.parametrize(
        ("change", "place", "words"),
        [
            ({"nmae": "x"}, "profiles[0].nmae", "did you mean name?"),
            ({"name": " "}, "profiles[0].name", "must be a text"),
            ({"name": BUILT_IN.name}, "profiles[0].name", "is taken"),
            ({"layout": "wide"}, "profiles[0].layout", "one of long"),
            ({"match": "*.csv"}, "profiles[0].match", "must be a table"),
            ({"match": {"file": "x"}}, "profiles[0].match.file", "file_name"),
            ({"match": {"columns": "x"}}, "profiles[0].match.columns", "list of texts"),
            ({"delimiter": "||"}, "profiles[0].delimiter", "single character"),
            ({"delimiter": "'", "quote": "'"}, "profiles[0].delimiter", "same sign"),
            ({"quote": 1}, "profiles[0].quote", "single character"),
            ({"encoding": "klingon"}, "profiles[0].encoding", "no known text encoding"),
            ({"encoding": "base64"}, "profiles[0].encoding", "no known text encoding"),
            ({"decimal": "'"}, "profiles[0].decimal", "must be . or ,"),
            ({"date_formats": []}, "profiles[0].date_formats", "at least one"),
            ({"date_formats": ["x"]}, "profiles[0].date_formats[0]", "no date format"),
            ({"columns": []}, "profiles[0].columns", "must be a table"),
            ({"columns": {}}, "profiles[0].columns", "no column for measurement"),
            (
                {"columns": {"serial_numbr": "x"}},
                "profiles[0].columns.serial_numbr",
                "did you mean serial_number?",
            ),
            (
                {"columns": {"measurement": 0}},
                "profiles[0].columns.measurement",
                "counted from 1",
            ),
            (
                {"columns": {"measurement": True}},
                "profiles[0].columns.measurement",
                "must be a header name or a number",
            ),
            ({"optional": ["value"]}, "profiles[0].optional[0]", "not declared"),
            ({"optional": [1]}, "profiles[0].optional[0]", "must be a text"),
            (
                {"constants": {"outcome": "PASS"}},
                "profiles[0].constants.outcome",
                "must come from the log",
            ),
            (
                {"constants": {"started_at": "2024-01-01"}},
                "profiles[0].constants.started_at",
                "must come from the log",
            ),
            (
                {"constants": {"procedure": 7}},
                "profiles[0].constants.procedure",
                "must be a text",
            ),
            (
                {
                    "columns": {"measurement": "T", "unit": "U"},
                    "constants": {"unit": "V"},
                },
                "profiles[0].constants.unit",
                "has a column already",
            ),
            ({"metadata": [" "]}, "profiles[0].metadata[0]", "must not be blank"),
            ({"outcomes": {"x": "GOOD"}}, "profiles[0].outcomes.x", "one of PASS"),
            ({"outcomes": {"x": 1}}, "profiles[0].outcomes.x", "no outcome"),
            ({"missing": "-"}, "profiles[0].missing", "list of texts"),
            ({"missing": [0]}, "profiles[0].missing[0]", "must be a text"),
            ({"run_key": "x"}, "profiles[0].run_key", "list of texts"),
            ({"undeclared": "keep"}, "profiles[0].undeclared", "one of attributes"),
            ({"limit_pair": 5}, "profiles[0].limit_pair", "must be a text"),
            ({"limit_pair": "a/b"}, "profiles[0].limit_pair", "form of a pair"),
            (
                {"columns": {"measurement": "T", "limits": "L"}},
                "profiles[0].limit_pair",
                "is missing",
            ),
            (
                {
                    "columns": {"measurement": "T", "limits": "L", "lower_limit": "M"},
                    "limit_pair": "upper/lower",
                },
                "profiles[0].columns.limits",
                "one cell for both limits",
            ),
        ],
    )
    def test_a_bad_setting(
        self, change: dict[str, Any], place: str, words: str
    ) -> None:
        """An error names the path of the key, and what would be right."""
        with pytest.raises(ConfigurationError) as caught:
            CSVSettings.from_mapping({"profiles": [{**GOOD, **change}]})
        assert caught.value.place == place
        assert words in str(caught.value)

    @pytest.mark.parametrize(
        ("settings", "place"),
        [
            ({"profile": []}, "profile"),
            ({"profiles": {}}, "profiles"),
            ({"profiles": ["x"]}, "profiles[0]"),
            ({"profiles": [{"columns": {"measurement": "T"}}]}, "profiles[0].name"),
            ({"profiles": [{"name": "a"}]}, "profiles[0].columns"),
            ({"profiles": [GOOD, GOOD]}, "profiles[1].name"),
        ],
    )
    def test_a_bad_table(self, settings: dict[str, Any], place: str) -> None:
        """Unknown, missing and misplaced tables are named as well."""
        with pytest.raises(ConfigurationError) as caught:
            CSVSettings.from_mapping(settings)
        assert caught.value.place == place


class TestInstallation:
    """The adapter is found by name and takes its settings from the configuration."""

    def test_is_installed(self) -> None:
        """The distribution offers the adapter under its own name."""
        assert PluginLoader(ADAPTER_GROUP).load("csv") is CSVAdapter

    def test_takes_the_configuration(self, tmp_path: Path) -> None:
        """A profile of a configuration file reaches the adapter."""
        file = tmp_path / "rigbridge.toml"
        file.write_text(TOML.replace("[[profiles]]", "[[adapters.csv.profiles]]"))
        made = make_adapter("csv", load_configuration(file=file, environment={}))
        assert isinstance(made, CSVAdapter)
        assert made.settings.profiles[0].name == "ict"

    def test_names_the_key_in_the_file(self, tmp_path: Path) -> None:
        """A bad key is named with its file and its whole path."""
        file = tmp_path / "rigbridge.toml"
        file.write_text("[[adapters.csv.profiles]]\nnmae = 'x'\n")
        configuration = load_configuration(file=file, environment={})
        with pytest.raises(ConfigurationError) as caught:
            make_adapter("csv", configuration)
        assert caught.value.place == "adapters.csv.profiles[0].nmae"
        assert str(file) in str(caught.value)
