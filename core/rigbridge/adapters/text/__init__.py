"""
What an author of an adapter for a text log needs: lines, numbers, times, verdicts.

- :func:`read_lines` gives the lines of a source, in the encoding that its byte order
  mark, your declaration or its bytes tell, and names the line of a byte that is none,
- :func:`number_reader` reads numbers with a decimal point or comma; thousands signs and
  suffixes such as ``k`` only where they are declared,
- :func:`parse_time` reads times by declared formats, never by a guess,
- :func:`find_verdict` knows the words by which logs judge.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.adapters.text.dates import (
        NAMED_FORMATS,
        check_format,
        looks_ambiguous,
        parse_time,
    )
    from rigbridge.adapters.text.decoding import Decoding, decode_head, find_decoding
    from rigbridge.adapters.text.log_lines import SourceLine, read_lines
    from rigbridge.adapters.text.numbers import (
        ENGINEERING_SUFFIXES,
        Number,
        NumberReader,
        number_reader,
    )
    from rigbridge.adapters.text.verdicts import (
        MEASUREMENT_OUTCOMES,
        PHASE_OUTCOMES,
        RUN_OUTCOMES,
        VERDICT_WORDS,
        LoggedVerdict,
        find_verdict,
        worst_verdict,
    )

__all__ = [
    "ENGINEERING_SUFFIXES",
    "MEASUREMENT_OUTCOMES",
    "NAMED_FORMATS",
    "PHASE_OUTCOMES",
    "RUN_OUTCOMES",
    "VERDICT_WORDS",
    "Decoding",
    "LoggedVerdict",
    "Number",
    "NumberReader",
    "SourceLine",
    "check_format",
    "decode_head",
    "find_decoding",
    "find_verdict",
    "looks_ambiguous",
    "number_reader",
    "parse_time",
    "read_lines",
    "worst_verdict",
]

__getattr__ = deferred_names(
    __name__,
    {
        "dates": "NAMED_FORMATS check_format looks_ambiguous parse_time",
        "decoding": "Decoding decode_head find_decoding",
        "log_lines": "SourceLine read_lines",
        "numbers": "ENGINEERING_SUFFIXES Number NumberReader number_reader",
        "verdicts": (
            "LoggedVerdict MEASUREMENT_OUTCOMES PHASE_OUTCOMES RUN_OUTCOMES "
            "VERDICT_WORDS find_verdict worst_verdict"
        ),
    },
)
