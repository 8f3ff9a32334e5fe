"""The admin's room: what was asked for and what it cost, out of the rows the router keeps."""
