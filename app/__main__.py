"""`python -m app` is the same as the command `samaki`."""

from app.cli import main

if __name__ == "__main__":
    main()
