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
from rigbridge_csv import CSVAdapter, CSVProfile, CSVSettings
from rigbridge_csv.profiles.choice import BUILT_IN
from rigbridge_csv.profiles.fields import Field, FieldSource
from rigbridge_csv.profiles.place import ProfileMatch
from rigbridge_csv.profiles.profile import Undeclared
from rigbridge_csv.profiles.runs import RunRule

TOML = """
[[profiles]]
name = "ict"
form = "long"
match = { file_name = "ICT_*.csv", columns = ["Rack"] }
delimiter = ";"
quote = "'"
encoding = "cp1252"
decimal = ","
dates = ["%d.%m.%Y %H:%M", "iso"]
fields.measurement = "Test"
fields.value = 4
fields.limits = { column = "Limits", pattern = '(?P<upper>.*)/(?P<lower>.*)' }
fields.unit = "Unit"
fields.procedure = { value = "ICT" }
optional = ["unit"]
metadata = ["Rack"]
outcomes = { gut = "pass" }
missing = ["-"]
runs = ["serial_number", "Lauf"]
undeclared = "drop"
verdict = "limits"
"""

GOOD: dict[str, Any] = {"name": "a", "fields": {"measurement": "Test"}}


class TestFromMapping:
    """Plain tables become settings."""

    def test_every_setting(self) -> None:
        """Every setting can be written in TOML."""
        (profile,) = CSVSettings.from_mapping(tomllib.loads(TOML)).profiles
        assert profile.match == ProfileMatch(file_name="ICT_*.csv", columns=("Rack",))
        assert (profile.delimiter, profile.quote.sign, profile.decimal) == (
            ";",
            "'",
            ",",
        )
        assert profile.fields[Field.VALUE] == FieldSource(column=4)
        assert profile.outcomes == {"gut": "PASS"}
        assert profile.runs == RunRule(key=("serial_number", "Lauf"))
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
            ({"form": "tall"}, "profiles[0].form", "one of long"),
            ({"match": "*.csv"}, "profiles[0].match", "must be a table"),
            ({"match": {"file": "x"}}, "profiles[0].match.file", "file_name"),
            ({"match": {"columns": "x"}}, "profiles[0].match.columns", "list of texts"),
            ({"delimiter": "||"}, "profiles[0].delimiter", "single character"),
            ({"delimiter": "'", "quote": "'"}, "profiles[0].delimiter", "same sign"),
            ({"quote": 1}, "profiles[0].quote", "single character"),
            ({"encoding": "klingon"}, "profiles[0].encoding", "no known text encoding"),
            ({"encoding": "base64"}, "profiles[0].encoding", "no known text encoding"),
            ({"decimal": "'"}, "profiles[0].decimal", "must be . or ,"),
            ({"dates": []}, "profiles[0].dates", "at least one"),
            ({"dates": ["x"]}, "profiles[0].dates[0]", "no date format"),
            ({"fields": []}, "profiles[0].fields", "must be a table"),
            ({"fields": {}}, "profiles[0].fields", "no column for measurement"),
            (
                {"fields": {"serial_numbr": "x"}},
                "profiles[0].fields.serial_numbr",
                "did you mean serial_number?",
            ),
            (
                {"fields": {"measurement": 0}},
                "profiles[0].fields.measurement",
                "counted from 1",
            ),
            (
                {"fields": {"measurement": True}},
                "profiles[0].fields.measurement",
                "must be a header name or a number",
            ),
            ({"optional": ["value"]}, "profiles[0].optional[0]", "not declared"),
            ({"optional": [1]}, "profiles[0].optional[0]", "must be a text"),
            (
                {"fields": {"measurement": "T", "outcome": {"value": "PASS"}}},
                "profiles[0].fields.outcome.value",
                "must come from the log",
            ),
            (
                {"fields": {"measurement": "T", "value": {"value": "2024"}}},
                "profiles[0].fields.value.value",
                "must come from the log",
            ),
            (
                {"fields": {"measurement": "T", "procedure": {"value": []}}},
                "profiles[0].fields.procedure.value",
                "must be a text",
            ),
            (
                {"fields": {"measurement": "T", "unit": {"value": "V", "key": "U"}}},
                "profiles[0].fields.unit",
                "has key and value",
            ),
            (
                {"fields": {"measurement": {"column": "T", "pattern": "("}}},
                "profiles[0].fields.measurement.pattern",
                "no regular expression",
            ),
            ({"header": {"find": "x", "line": 3}}, "profiles[0].header.find", "one of"),
            (
                {"header": {"beside": True}},
                "profiles[0].header.beside",
                "needs data.columns",
            ),
            ({"keys": {"columns": [1]}}, "profiles[0].keys.columns", "names and that"),
            ({"keys": {"pattern": "x"}}, "profiles[0].keys.pattern", "groups key"),
            ({"roles": [{"is": "unit"}]}, "profiles[0].roles[0]", "one of row"),
            (
                {"roles": [{"row": "x", "is": "unti"}]},
                "profiles[0].roles[0].is",
                "did you mean unit?",
            ),
            ({"data": {"columns": "x"}}, "profiles[0].data.columns", "first and the"),
            ({"data": {"short": "ok"}}, "profiles[0].data.short", "not run"),
            ({"names": "(.*)"}, "profiles[0].names", "lacks the group name"),
            ({"verdict": "mine"}, "profiles[0].verdict", "one of log, limits"),
            ({"form": "record"}, "profiles[0].records", "is missing"),
            (
                {"measurements": {"lower": "{} min"}},
                "profiles[0].measurements",
                "no part of form long",
            ),
            (
                {"form": "wide"},
                "profiles[0].fields.measurement",
                "no field of form wide",
            ),
            (
                {"form": "wide", "fields": {}, "measurements": {"lower": "min"}},
                "profiles[0].measurements.lower",
                "with {}",
            ),
            (
                {
                    "form": "wide",
                    "fields": {"serial_number": "SN"},
                    "data": {"short": "not run"},
                },
                "profiles[0].data.short",
                "pattern of the serial number",
            ),
            ({"metadata": [" "]}, "profiles[0].metadata[0].column", "must be a text"),
            ({"outcomes": {"x": "GOOD"}}, "profiles[0].outcomes.x", "one of PASS"),
            ({"outcomes": {"x": 1}}, "profiles[0].outcomes.x", "no outcome"),
            ({"missing": "-"}, "profiles[0].missing", "list of texts"),
            ({"missing": [0]}, "profiles[0].missing[0]", "must be a text"),
            ({"runs": "x"}, "profiles[0].runs", "no way to make runs"),
            ({"undeclared": "keep"}, "profiles[0].undeclared", "one of attributes"),
            (
                {"fields": {"measurement": "T", "limits": "L"}},
                "profiles[0].fields.limits.pattern",
                "lacks the groups",
            ),
            (
                {
                    "fields": {
                        "measurement": "T",
                        "limits": {"column": "L", "pattern": "(?P<lower>.*)"},
                        "lower_limit": "M",
                    }
                },
                "profiles[0].fields.limits",
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
            ({"profiles": [{"fields": {"measurement": "T"}}]}, "profiles[0].name"),
            ({"profiles": [{"name": "a"}]}, "profiles[0].fields"),
            ({"profiles": [GOOD, GOOD]}, "profiles[1].name"),
        ],
    )
    def test_a_bad_table(self, settings: dict[str, Any], place: str) -> None:
        """Unknown, missing and misplaced tables are named as well."""
        with pytest.raises(ConfigurationError) as caught:
            CSVSettings.from_mapping(settings)
        assert caught.value.place == place


class TestReplacedKeys:
    """A key of the former language is refused, and its successor is named."""

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            ("layout", "write form"),
            ("date_formats", "write dates"),
            ("columns", "write fields"),
            ("constants", "write fields"),
            ("run_key", "write runs"),
            ("limit_pair", "the pattern of fields.limits"),
        ],
    )
    def test_names_the_new_one(self, key: str, words: str) -> None:
        """The error has the path of the old key."""
        with pytest.raises(ConfigurationError, match=words) as caught:
            CSVSettings.from_mapping({"profiles": [{**GOOD, key: "x"}]})
        assert caught.value.place == f"profiles[0].{key}"


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
