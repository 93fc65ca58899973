"""`python -m scheduling` is `scheduling`."""

from scheduling.entrypoints.cli.app import main

if __name__ == "__main__":
    main()
