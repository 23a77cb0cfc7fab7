"""`python -m hub` is the command line."""

from hub.cli.main import main

main()
