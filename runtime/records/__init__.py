"""What was asked, what was done about it and what it cost: one record per request, kept as rows."""
