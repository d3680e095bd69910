"""What the checks of this folder share: where the top is, the folders of lib
with what each may know, and the lists of exceptions."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent

# The layers, from the ground up: a folder's files include their own folder
# and those named here, the public headers, and nothing else.
MAY_KNOW = {
    "base": "",
    "crypto": "base",
    "os": "base",
    "grammar": "base",
    "net": "base os",
    "sasl": "base crypto os",
    "transport": "base crypto os net",
    "resolve": "base os grammar net",
    "dkim": "base crypto os grammar resolve",
    "journal": "base",
    "journal/disk": "base os journal",
    "maildir": "base os",
    "client": "base crypto os grammar net sasl transport",
    "policy": "base os grammar resolve client",
    "server": "base crypto os grammar net sasl transport",
    "milter": "base os grammar net",
    "queue/model": "base journal",
    "queue/schedule": "base queue/model",
    "queue/spool": "base os grammar journal queue/model",
    "queue/control": "base os grammar journal journal/disk queue/model "
                     "queue/schedule queue/spool",
    "queue/delivery": "base os grammar net resolve dkim client policy "
                      "queue/model queue/schedule queue/spool",
    "queue": "base os grammar dkim policy journal journal/disk "
             "queue/model queue/schedule queue/spool queue/control queue/delivery",
}


def folder(path):
    """The folder of lib that PATH, relative to lib, lies in."""
    return str(pathlib.PurePosixPath(path).parent)


def sources(*folders, ends=(".c", ".h")):
    """The C files below FOLDERS, relative to the top, sorted."""
    found = []
    for name in folders:
        found += [path.relative_to(TOP) for path in (TOP / name).rglob("*")
                  if path.suffix in ends]
    return sorted(found)


def text(path):
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def public_names():
    """The functions that public headers declare."""
    names = set()
    for path in sources("include", ends=(".h", ".in")):
        names |= set(re.findall(r"\b(smtpd_\w+)\(", text(path)))
    return names


def without_comments(code):
    """CODE with comments and string literals blanked, lines kept."""
    def blank(match):
        found = match.group(0)
        if found[0] == '"':
            return '""'
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, code, flags=re.S)


def functions(code):
    """(name, is static, first line, last line) of each function in CODE,
    which is laid out with the return type on a line of its own."""
    lines = without_comments(code).split("\n")
    found = []
    for number, line in enumerate(lines):
        match = re.match(r"([A-Za-z_]\w*)\(", line)
        if match is None or number == 0:
            continue
        end = number
        while end < len(lines) and not re.match(r"[{};]|.*;$", lines[end]):
            end += 1
        if end == len(lines) or lines[end] != "{":
            continue
        while end < len(lines) and lines[end] != "}":
            end += 1
        static = re.match(r"static\b", lines[number - 1]) is not None
        found.append((match.group(1), static, number + 1, end + 1))
    return found


class Report:
    """Complaints of one check.  What its list of exceptions names is let
    pass; an exception that is not needed any more is a complaint itself."""

    def __init__(self, check):
        self.check = check
        self.complaints = []
        self.allowed = {}
        self.used = set()
        path = TOP / "tests/style/exceptions" / check
        if path.exists():
            for line in path.read_text().splitlines():
                if line and not line.startswith("#"):
                    self.allowed[line.split(":")[0].strip()] = line

    def complain(self, key, message):
        """MESSAGE, unless the exceptions name KEY."""
        if key in self.allowed:
            self.used.add(key)
        else:
            self.complaints.append(message)

    def finish(self):
        for key in sorted(set(self.allowed) - self.used):
            self.complaints.append(
                f"tests/style/exceptions/{self.check}: {key} is no exception "
                "any more, remove it")
        for complaint in self.complaints:
            print(complaint)
        sys.exit(1 if self.complaints else 0)


def usage(text_of_use, argv, count):
    """Answer --help; refuse options, and another number of arguments than
    COUNT."""
    text_of_use = "usage: " + text_of_use
    if argv[1:] in (["-h"], ["--help"]):
        print(text_of_use)
        sys.exit(0)
    if len(argv) != count + 1 or any(a.startswith("-") for a in argv[1:]):
        print(text_of_use.split("\n")[0], file=sys.stderr)
        sys.exit(64)
