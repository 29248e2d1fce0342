"""Parts that panels are made of: painted views, tables and dials, a room for each panel that has several."""
