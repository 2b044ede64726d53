"""
NI TestStand reports to runs.

:class:`rigbridge_teststand.native.adapter.TestStandXMLAdapter` reads native XML.
"""

__all__: list[str] = []
