"""The settings of the adapter: its profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

import attrs

from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge_csv.profiles.profile import CSVProfile
else:
    # What resolves annotations at run time must not import the profiles.
    CSVProfile = object

__all__ = ["CSVSettings"]


def _profiles(value: object) -> tuple[CSVProfile, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise ConfigurationError(
            f"must be a list of profiles, not {value!r}", place="profiles"
        )
    given = list(cast("Iterable[object]", value))
    if not given:
        return ()
    # Imported for who declares something: detection passes here for every file.
    from rigbridge_csv.profiles.choice import declared_profiles

    return declared_profiles(given)


def _profile(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigurationError(
        f"must be the name of a profile, not {value!r}", place="profile"
    )


@attrs.frozen(kw_only=True)
class CSVSettings:
    """
    What the site declares about its delimited logs.

    Attributes:
        profiles: one for each kind of log. A file that none of them fits is tried
            with the built-in profiles.
        profile: the name of the one, declared or built in, that reads every file; no
            other is then asked, and a file that it does not fit is refused.

    Raises:
        ConfigurationError: a setting is wrong; the error names its path.
    """

    profiles: tuple[CSVProfile, ...] = attrs.field(default=(), converter=_profiles)
    profile: str | None = attrs.field(default=None, converter=_profile)

    def __attrs_post_init__(self) -> None:
        if self.profile is not None:
            self.asked()

    def asked(self) -> tuple[CSVProfile, ...]:
        """
        Give the profiles that are asked first: all, or the one that was chosen.

        Raises:
            ConfigurationError: there is no profile of the name that was chosen.
        """
        if self.profile is None:
            return self.profiles
        # Imported here: see above.
        from rigbridge_csv.profiles.choice import named_profile

        return (named_profile(self.profile, self.profiles),)

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
                    "fields": {
                        "serial_number": "Serial",
                        "measurement": "Test",
                        "value": "Reading",
                        "outcome": "Result",
                        "procedure": {"value": "ICT"},
                    },
                }]
            })

        Raises:
            ConfigurationError: a key is unknown or its value wrong; the error names
                the path (``profiles[0].fields.serial_numbr``).
        """
        for key in mapping:
            if key not in ("profiles", "profile"):
                raise ConfigurationError(
                    f"{key!r} is no setting",
                    place=str(key),
                    remedy="did you mean profiles?",
                )
        return cls(profiles=mapping.get("profiles", ()), profile=mapping.get("profile"))
