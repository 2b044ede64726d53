"""The tables of the store and the database that holds them."""

__all__: list[str] = []
