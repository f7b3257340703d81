"""The JSON Schema of the record that ``-f json`` writes."""
