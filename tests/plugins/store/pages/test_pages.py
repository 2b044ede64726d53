"""The pages, as a browser gets them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from rigbridge.wire import CreateRun, from_builtins


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?period=all",
        "/runs",
        "/runs?serial=sn-00&outcome=FAIL&since=2024-01-01&until=2024-12-31",
        "/runs?since=nonsense",
        "/units?serial=sn-0001",
        "/runs/{run}",
        "/runs/{run}?level=WARNING",
        "/procedures/{procedure}",
        "/procedures/{procedure}/measurement?phase=Power&name=Voltage",
        "/procedures/{procedure}/measurement?phase=Power&name=Firmware",
        "/procedures/{procedure}/measurement?phase=No&name=None",
    ],
)
def test_pages_answer_under_a_strict_policy(
    site: Any, visitor: httpx.Client, path: str
) -> None:
    """Every page is whole, holds no inline script or style, and names the policy."""
    answer = visitor.get(path.format(run=site.run, procedure=site.procedure))
    assert answer.status_code == 200, answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert answer.text.rstrip().endswith("</html>")


def test_a_run_shows_what_failed_and_escapes_what_was_sent(
    site: Any, visitor: httpx.Client
) -> None:
    """The failing value stands with its limits, and markup of a rig is text."""
    page = visitor.get(f"/runs/{site.run}").text
    assert "Why it failed" in page
    assert "3 ≤ x ≤ 3.6" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; DEBUG" in page
    assert "1.2.&lt;b&gt;3&lt;/b&gt;" in page


def test_a_run_shows_its_instruments(site: Any, visitor: httpx.Client) -> None:
    """With what was overdue in words, and beside a value what it was measured with."""
    page = visitor.get(f"/runs/{site.run}").text
    measured, section = page.split('<section class="card" id="instruments"')
    rows = section.split("</table>")[0].split("<tr>")[2:]
    assert len(rows) == 3
    assert "dmm &lt;1&gt;" in rows[0]
    assert ">MY53<" in rows[0]
    assert "was overdue at the run" in rows[0]
    assert "2999-12-31" in rows[1]
    assert "overdue" not in rows[1]
    assert "only named by measurements" in rows[2]
    assert (
        'measured with <a href="#instruments"><bdi>dmm &lt;1&gt;</bdi></a>' in measured
    )


def test_logs_are_filtered_by_level(site: Any, visitor: httpx.Client) -> None:
    """Lines below the level that was chosen are left out."""
    page = visitor.get(f"/runs/{site.run}?level=WARNING").text
    assert "&lt;/script&gt; WARNING" in page
    assert "&lt;/script&gt; DEBUG" not in page


def test_paging_by_key_shows_every_run_once(visitor: httpx.Client) -> None:
    """The pages together hold all runs, and the way back leads to the same page."""
    first = visitor.get("/runs").text
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = visitor.get(older.replace("&amp;", "&")).text

    def ids(page: str) -> list[str]:
        return [part.split('"')[0] for part in page.split('<a href="/runs/')[1:]]

    assert len(ids(first)) == 50
    assert len(ids(second)) == 10
    assert len({*ids(first), *ids(second)}) == 60
    newer = second.split('rel="prev"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert ids(visitor.get(newer.replace("&amp;", "&")).text) == ids(first)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/nothing", 404),
        ("/procedures/nothing", 404),
        ("/units?serial=nothing", 404),
        ("/nothing", 404),
        ("/runs?after=nothing", 400),
        ("/compare?run=nothing", 400),
        ("/files/nothing", 404),
    ],
)
def test_errors_are_pages(visitor: httpx.Client, path: str, status: int) -> None:
    """What does not exist is said on a page of the same look."""
    answer = visitor.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "style.css" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "Input validation failed" not in answer.text


def test_an_unknown_path_of_the_api_stays_json(visitor: httpx.Client) -> None:
    """Programs get the contract's errors, whatever they accept."""
    answer = visitor.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert answer.json()["code"]


def test_a_run_is_read_once(site: Any, visitor: httpx.Client) -> None:
    """A run costs eight statements, however many phases and files it has."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "runs" in statement or "attachments" in statement:
            statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        assert visitor.get(f"/runs/{site.run}").status_code == 200
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(statements) == len(set(statements)) <= 8


def test_a_foreign_report_may_lack_anything(site: Any, visitor: httpx.Client) -> None:
    """What a client calls its conversion report is shown as far as it is one."""
    report = {"entries": [{}, 7], "dropped": [{"item": "<b>x</b>"}], "coerced": 1}
    body = {
        "unit_under_test": {"serial_number": "SN-F"},
        "run_passed": True,
        "procedure_name": "Foreign",
        "rigbridge": {"rigbridge": 99, "report": report},
    }
    run = site.store.create_run(from_builtins(body, CreateRun)).id
    try:
        answer = visitor.get(f"/runs/{run}")
    finally:
        site.store.delete_run(run)
    assert answer.status_code == 200
    assert "&lt;b&gt;x&lt;/b&gt;" in answer.text
