"""The settings of the adapter: its profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from rigbridge_csv.profiles.checks import check_choice, from_mapping, setting_error
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.profile import CSVProfile

__all__ = ["BUILT_IN", "CSVSettings"]

BUILT_IN = CSVProfile(
    name="rigbridge-long",
    columns={field: field.value for field in Field if field is not Field.LIMITS},
    optional=tuple(
        field.value
        for field in Field
        if field not in (Field.MEASUREMENT, Field.VALUE, Field.LIMITS)
    ),
)
"""
The profile that needs no configuration: the header names are our own field names.

``measurement`` and ``value`` must be there; every other column may be lacking.
"""


def _profiles(value: object) -> tuple[CSVProfile, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise setting_error(f"must be a list of profiles, not {value!r}", "profiles")
    made: list[CSVProfile] = []
    for index, item in enumerate(cast("Iterable[object]", value)):
        place = f"profiles[{index}]"
        profile = (
            item
            if isinstance(item, CSVProfile)
            else from_mapping(CSVProfile, item, place)
        )
        # Errors and the report name a profile: the name has to tell which.
        if profile.name in {other.name for other in (*made, BUILT_IN)}:
            raise setting_error(
                f"{profile.name!r} is taken", f"{place}.name", "choose another"
            )
        made.append(profile)
    return tuple(made)


@attrs.frozen(kw_only=True)
class CSVSettings:
    """
    What the site declares about its delimited logs.

    Attributes:
        profiles: one for each kind of log. A file that none of them fits is tried
            with the built-in profile ``rigbridge-long``.

    Raises:
        ConfigurationError: a setting is wrong; the error names its path.
    """

    profiles: tuple[CSVProfile, ...] = attrs.field(default=(), converter=_profiles)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> CSVSettings:
        """
        Make the settings of plain tables and lists, as TOML gives them.

        Example::

            CSVSettings.from_mapping({
                "profiles": [{
                    "name": "ict",
                    "delimiter": ";",
                    "decimal": ",",
                    "columns": {
                        "serial_number": "Serial",
                        "measurement": "Test",
                        "value": "Reading",
                        "outcome": "Result",
                    },
                    "constants": {"procedure": "ICT"},
                }]
            })

        Raises:
            ConfigurationError: a key is unknown or its value wrong; the error names
                the path (``profiles[0].columns.serial_numbr``).
        """
        for key in mapping:
            check_choice(key, ("profiles",), "setting", str(key))
        return cls(profiles=mapping.get("profiles", ()))
