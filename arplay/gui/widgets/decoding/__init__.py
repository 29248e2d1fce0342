"""The stages of decoding as rows, their layouts, and what each did."""
