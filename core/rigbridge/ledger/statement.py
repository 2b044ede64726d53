"""The account as a document for programs, and as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from rigbridge.ledger.account import Account
from rigbridge.ledger.paths import shown_path

__all__ = ["DISPOSITIONS", "account_document", "account_page", "account_sections"]

DISPOSITIONS = {
    "mapped": "mapped",
    "coerced": "changed by rule",
    "omitted": "left out by rule",
    "dropped": "lost",
}
"""What can become of an element, and how people read it."""

_STYLE = (
    "<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}</style>"
)
_Section = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def account_document(account: Account) -> dict[str, object]:
    """Give an account as JSON values; the same keys as the attributes of its parts."""
    return {
        "destination": account.destination,
        "files": {each.value: count for each, count in account.files.items()},
        "size": account.size,
        "runs": {each.value: count for each, count in account.runs.items()},
        "stored": account.stored,
        "measurements": account.measurements,
        "attachments": account.attachments,
        "elements": {each: account.total(each) for each in DISPOSITIONS},
        "adapters": [
            {
                "name": each.name or None,
                "version": each.version or None,
                "files": each.files,
                "runs": each.runs,
                "elements": [
                    {"disposition": what, "item": item, "rule": rule, "count": count}
                    for (what, item, rule), count in sorted(each.amounts.items())
                ],
            }
            for each in account.adapters
        ],
        "problems": [
            {
                "verdict": each.verdict.value,
                "kind": each.example.kind,
                "message": each.example.message,
                "remedy": each.example.remedy,
                "count": each.count,
                "example": shown_path(each.path),
            }
            for each in account.problems
        ],
    }


def account_sections(account: Account) -> Iterable[_Section]:
    """Give the tables of an account: title, columns, and rows of text."""
    files = sum(account.files.values())
    yield (
        f"Imported into {account.destination}",
        ("What", "Count"),
        [
            ("files", str(files)),
            *((f"  {each.value}", str(n)) for each, n in sorted(account.files.items())),
            ("bytes", str(account.size)),
            ("runs stored", str(account.stored)),
            *((f"  {each.value}", str(n)) for each, n in sorted(account.runs.items())),
            ("measurements", str(account.measurements)),
            ("attachments", str(account.attachments)),
            *((words, str(account.total(each))) for each, words in _elements()),
        ],
    )
    yield (
        "By adapter",
        ("Adapter", "Version", "Files", "Runs", *DISPOSITIONS.values()),
        [
            (
                each.name or "none",
                each.version,
                str(each.files),
                str(each.runs),
                *(
                    str(sum(n for (kind, _, _), n in each.amounts.items() if kind == d))
                    for d in DISPOSITIONS
                ),
            )
            for each in account.adapters
        ],
    )
    yield (
        "What was not taken as it stands, by reason",
        ("Adapter", "What became of it", "Element", "Rule or reason", "Count"),
        [
            (each.name, DISPOSITIONS.get(what, what), item, rule, str(count))
            for each in account.adapters
            for (what, item, rule), count in sorted(each.amounts.items())
            if what != "mapped"
        ],
    )
    yield (
        "What went wrong, by reason",
        ("Files are", "Count", "Reason", "For example"),
        [
            (
                each.verdict.value,
                str(each.count),
                each.example.message,
                shown_path(each.path),
            )
            for each in account.problems
        ],
    )


def _elements() -> Iterable[tuple[str, str]]:
    return ((each, f"elements {words}") for each, words in DISPOSITIONS.items())


def account_page(account: Account) -> str:
    """Give an account as an HTML page that needs nothing else."""
    parts = [
        "<!DOCTYPE html><html lang='en'><meta charset='utf-8'>",
        f"<title>Imported into {escape(account.destination)}</title>",
        _STYLE,
    ]
    for title, columns, rows in account_sections(account):
        if not rows:
            continue
        parts.append(f"<h2>{escape(title)}</h2><table><tr>")
        parts += [f"<th>{escape(column)}</th>" for column in columns]
        parts.append("</tr>")
        for row in rows:
            # Names of files and messages come from outside and may hold HTML.
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
            parts.append(f"<tr>{cells}</tr>\n")
        parts.append("</table>")
    return "".join(parts)
