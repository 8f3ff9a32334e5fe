"""Breaks the compiler's judgement in small ways, one at a time, and asks the tests to notice."""
