"""The address of a store, however it is spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client import Client, api_address
from rigbridge.errors import ConfigurationError

_HOSTS = st.sampled_from(
    ["store.example.com", "localhost:8000", "10.0.0.7", "[::1]:8000", "STORE"]
)
_PREFIXES = st.sampled_from(["", "/tofu", "/a/b", "/apiary"])
_SUFFIXES = st.sampled_from(["", "/", "//", "/api", "/api/", "/api/v1", "/api/v1/"])


class TestApiAddress:
    """What ``api_address`` makes of an origin."""

    @given(
        scheme=st.sampled_from(["http", "https", "HTTPS"]),
        host=_HOSTS,
        prefix=_PREFIXES,
        suffix=_SUFFIXES,
        blank=st.sampled_from(["", " ", "\n"]),
    )
    def test_all_spellings_of_an_origin_mean_the_same(
        self, scheme: str, host: str, prefix: str, suffix: str, blank: str
    ) -> None:
        """An address is the same with or without ``/api`` and trailing slashes."""
        expected = f"{scheme.lower()}://{host.lower()}{prefix}/api"
        address = f"{blank}{scheme}://{host}{prefix}{suffix}{blank}"
        assert api_address(address) == expected

    @given(host=_HOSTS, prefix=_PREFIXES, suffix=_SUFFIXES)
    def test_an_address_stays_as_it_is(
        self, host: str, prefix: str, suffix: str
    ) -> None:
        """Normalizing twice changes nothing."""
        once = api_address(f"https://{host}{prefix}{suffix}")
        assert api_address(once) == once

    def test_default_ports_are_left_out(self) -> None:
        """The port that belongs to the scheme is not part of the address."""
        assert api_address("https://store:443/api") == "https://store/api"
        assert api_address("http://store:80") == "http://store/api"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "store.example.com",
            "ftp://store",
            "file:///tmp",
            "http://",
            "http:///api",
            "http://a b",
            "http://[::1",
            "http://store:99999",
            "http://store:port",
            "http://store\\api",
            "https://store/api?key=1",
            "https://store/#runs",
        ],
    )
    def test_what_is_no_store_is_refused(self, url: str) -> None:
        """An address without http or https, or with more than a path, is refused."""
        with pytest.raises(ConfigurationError, match="https://"):
            api_address(url)

    @pytest.mark.parametrize(
        "url",
        ["https://me:hunter2@store", "ftp://me:hunter2@store", "http://me:hunter2@["],
    )
    def test_a_password_is_refused_and_not_shown(self, url: str) -> None:
        """A password within the address appears in no message."""
        with pytest.raises(ConfigurationError) as caught:
            api_address(url)
        assert "hunter2" not in str(caught.value)

    def test_the_client_refuses_it_at_once(self) -> None:
        """A client of no address is never made."""
        with pytest.raises(ConfigurationError):
            Client("store.example.com", None)
