"""Requests and answers: addresses, connections, the calls of the contract, refusals."""

__all__: list[str] = []
