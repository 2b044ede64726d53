"""ATML test results (IEEE 1636.1) as TestStand and VeriStand write them."""

__all__: list[str] = []
