"""What the compiler wrote, one package per deployment: committed, reviewed, never edited."""
