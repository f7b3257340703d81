"""The checksum of labels in Markdown: whole, where what strangers write is guarded."""

from __future__ import annotations

from dicecli.reports.exporters.markdown import escaped


def test_the_checksum_of_labels_can_be_copied_and_what_stands_before_is_guarded():
    """It is a span of code; hashes of others are cut, so that no service makes links of them."""
    assert escaped("l.json (SHA-256 dc8ad01a5697)") == "l.json (SHA-256 `dc8ad01a5697`)"
    assert escaped("`deadbeef1 (SHA-256 dc8ad01a5697)") == "\\`deadbe<!-- -->ef1 (SHA-256 `dc8ad01a5697`)"
    assert "<!-- -->" in escaped("(SHA-256 dc8ad01a5697) x")
