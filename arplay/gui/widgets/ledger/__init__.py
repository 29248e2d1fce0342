"""The chain-rule ledger: its table, totals, curve and exported sheet."""
