"""What a report shows to people, as plain sheets that every human format renders."""
