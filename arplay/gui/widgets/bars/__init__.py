"""The next-token chart: the rows as values, their painting, the list, and the cumulative strip."""
