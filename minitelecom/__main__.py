"""The command line's door."""
import sys
from minitelecom.commands import line

def main() -> None:
    sys.exit(line.main(sys.argv[1:]))

if __name__ == "__main__":
    main()
