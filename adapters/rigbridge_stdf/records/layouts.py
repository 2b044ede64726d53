"""
The records of STDF V4: their numbers, their fields and how each field is stored.

A field's type is written as the standard writes it: ``U4`` an unsigned integer of four
bytes, ``Cn`` a text behind its length, ``Dn`` bits behind their count, ``N1`` half a
byte, ``Vn`` a value behind the code of its type. An array names the field that counts
its members. A record may end early: the fields that are left out are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "EQUIPMENT",
    "LATER_RECORDS",
    "LAYOUTS",
    "RECORD_NAMES",
    "RecordField",
    "RecordLayout",
]


class RecordField(NamedTuple):
    """
    One field of a record.

    Attributes:
        counted_by: the field that says how many members it has; None if it is no array.
    """

    name: str
    kind: str
    counted_by: str | None = None


class RecordLayout(NamedTuple):
    """
    One kind of record.

    Attributes:
        fields: in the order in which they are stored.
    """

    name: str
    fields: tuple[RecordField, ...]


def _layout(name: str, written: str) -> RecordLayout:
    """Read ``NAME:type`` or ``NAME:type*COUNT``, one field a word."""
    fields: list[RecordField] = []
    for word in written.split():
        field, _, kind = word.partition(":")
        kind, _, count = kind.partition("*")
        fields.append(RecordField(field, kind, count or None))
    return RecordLayout(name, tuple(fields))


EQUIPMENT = ("HAND", "CARD", "LOAD", "DIB", "CABL", "CONT", "LASR", "EXTR")
"""What a SDR says of a site, each with its type and its name."""


def _bin(name: str) -> str:
    fields = f"{name}_NUM:U2 {name}_CNT:U4 {name}_PF:C1 {name}_NAM:Cn"
    return f"HEAD_NUM:U1 SITE_NUM:U1 {fields}"


_COUNTS = "PART_CNT:U4 RTST_CNT:U4 ABRT_CNT:U4 GOOD_CNT:U4 FUNC_CNT:U4"
# What a PTR and an MPR say of limits, before and behind what only an MPR has.
_SCALES = "OPT_FLAG:U1 RES_SCAL:I1 LLM_SCAL:I1 HLM_SCAL:I1 LO_LIMIT:R4 HI_LIMIT:R4"
_FORMATS = "C_RESFMT:Cn C_LLMFMT:Cn C_HLMFMT:Cn LO_SPEC:R4 HI_SPEC:R4"
_TEST = "TEST_NUM:U4 HEAD_NUM:U1 SITE_NUM:U1 TEST_FLG:U1"

LAYOUTS: Mapping[tuple[int, int], RecordLayout] = {
    (0, 10): _layout("FAR", "CPU_TYPE:U1 STDF_VER:U1"),
    (0, 20): _layout("ATR", "MOD_TIM:U4 CMD_LINE:Cn"),
    (1, 10): _layout(
        "MIR",
        "SETUP_T:U4 START_T:U4 STAT_NUM:U1 MODE_COD:C1 RTST_COD:C1 PROT_COD:C1"
        " BURN_TIM:U2 CMOD_COD:C1 LOT_ID:Cn PART_TYP:Cn NODE_NAM:Cn TSTR_TYP:Cn"
        " JOB_NAM:Cn JOB_REV:Cn SBLOT_ID:Cn OPER_NAM:Cn EXEC_TYP:Cn EXEC_VER:Cn"
        " TEST_COD:Cn TST_TEMP:Cn USER_TXT:Cn AUX_FILE:Cn PKG_TYP:Cn FAMLY_ID:Cn"
        " DATE_COD:Cn FACIL_ID:Cn FLOOR_ID:Cn PROC_ID:Cn OPER_FRQ:Cn SPEC_NAM:Cn"
        " SPEC_VER:Cn FLOW_ID:Cn SETUP_ID:Cn DSGN_REV:Cn ENG_ID:Cn ROM_COD:Cn"
        " SERL_NUM:Cn SUPR_NAM:Cn",
    ),
    (1, 20): _layout("MRR", "FINISH_T:U4 DISP_COD:C1 USR_DESC:Cn EXC_DESC:Cn"),
    (1, 30): _layout("PCR", f"HEAD_NUM:U1 SITE_NUM:U1 {_COUNTS}"),
    (1, 40): _layout("HBR", _bin("HBIN")),
    (1, 50): _layout("SBR", _bin("SBIN")),
    (1, 60): _layout(
        "PMR",
        "PMR_INDX:U2 CHAN_TYP:U2 CHAN_NAM:Cn PHY_NAM:Cn LOG_NAM:Cn HEAD_NUM:U1"
        " SITE_NUM:U1",
    ),
    (1, 62): _layout("PGR", "GRP_INDX:U2 GRP_NAM:Cn INDX_CNT:U2 PMR_INDX:U2*INDX_CNT"),
    (1, 63): _layout(
        "PLR",
        "GRP_CNT:U2 "
        + " ".join(
            f"{field}*GRP_CNT"
            for field in (
                *("GRP_INDX:U2", "GRP_MODE:U2", "GRP_RADX:U1"),
                *("PGM_CHAR:Cn", "RTN_CHAR:Cn", "PGM_CHAL:Cn", "RTN_CHAL:Cn"),
            )
        ),
    ),
    (1, 70): _layout("RDR", "NUM_BINS:U2 RTST_BIN:U2*NUM_BINS"),
    (1, 80): _layout(
        "SDR",
        "HEAD_NUM:U1 SITE_GRP:U1 SITE_CNT:U1 SITE_NUM:U1*SITE_CNT "
        + " ".join(f"{part}_TYP:Cn {part}_ID:Cn" for part in EQUIPMENT),
    ),
    (2, 10): _layout("WIR", "HEAD_NUM:U1 SITE_GRP:U1 START_T:U4 WAFER_ID:Cn"),
    (2, 20): _layout(
        "WRR",
        f"HEAD_NUM:U1 SITE_GRP:U1 FINISH_T:U4 {_COUNTS} WAFER_ID:Cn FABWF_ID:Cn"
        " FRAME_ID:Cn MASK_ID:Cn USR_DESC:Cn EXC_DESC:Cn",
    ),
    (2, 30): _layout(
        "WCR",
        "WAFR_SIZ:R4 DIE_HT:R4 DIE_WID:R4 WF_UNITS:U1 WF_FLAT:C1 CENTER_X:I2"
        " CENTER_Y:I2 POS_X:C1 POS_Y:C1",
    ),
    (5, 10): _layout("PIR", "HEAD_NUM:U1 SITE_NUM:U1"),
    (5, 20): _layout(
        "PRR",
        "HEAD_NUM:U1 SITE_NUM:U1 PART_FLG:U1 NUM_TEST:U2 HARD_BIN:U2 SOFT_BIN:U2"
        " X_COORD:I2 Y_COORD:I2 TEST_T:U4 PART_ID:Cn PART_TXT:Cn PART_FIX:Bn",
    ),
    (10, 30): _layout(
        "TSR",
        "HEAD_NUM:U1 SITE_NUM:U1 TEST_TYP:C1 TEST_NUM:U4 EXEC_CNT:U4 FAIL_CNT:U4"
        " ALRM_CNT:U4 TEST_NAM:Cn SEQ_NAME:Cn TEST_LBL:Cn OPT_FLAG:U1 TEST_TIM:R4"
        " TEST_MIN:R4 TEST_MAX:R4 TST_SUMS:R4 TST_SQRS:R4",
    ),
    (15, 10): _layout(
        "PTR",
        f"{_TEST} PARM_FLG:U1 RESULT:R4 TEST_TXT:Cn ALARM_ID:Cn {_SCALES} UNITS:Cn"
        f" {_FORMATS}",
    ),
    (15, 15): _layout(
        "MPR",
        f"{_TEST} PARM_FLG:U1 RTN_ICNT:U2 RSLT_CNT:U2 RTN_STAT:N1*RTN_ICNT"
        f" RTN_RSLT:R4*RSLT_CNT TEST_TXT:Cn ALARM_ID:Cn {_SCALES} START_IN:R4"
        f" INCR_IN:R4 RTN_INDX:U2*RTN_ICNT UNITS:Cn UNITS_IN:Cn {_FORMATS}",
    ),
    (15, 20): _layout(
        "FTR",
        f"{_TEST} OPT_FLAG:U1 CYCL_CNT:U4 REL_VADR:U4 REPT_CNT:U4 NUM_FAIL:U4"
        " XFAIL_AD:I4 YFAIL_AD:I4 VECT_OFF:I2 RTN_ICNT:U2 PGM_ICNT:U2"
        " RTN_INDX:U2*RTN_ICNT RTN_STAT:N1*RTN_ICNT PGM_INDX:U2*PGM_ICNT"
        " PGM_STAT:N1*PGM_ICNT FAIL_PIN:Dn VECT_NAM:Cn TIME_SET:Cn OP_CODE:Cn"
        " TEST_TXT:Cn ALARM_ID:Cn PROG_TXT:Cn RSLT_TXT:Cn PATG_NUM:U1 SPIN_MAP:Dn",
    ),
    (20, 10): _layout("BPS", "SEQ_NAME:Cn"),
    (20, 20): _layout("EPS", ""),
    (50, 10): _layout("GDR", "FLD_CNT:U2 GEN_DATA:Vn*FLD_CNT"),
    (50, 30): _layout("DTR", "TEXT_DAT:Cn"),
}
"""Every record of V4 by its type and subtype."""

LATER_RECORDS: Mapping[tuple[int, int], str] = {
    (0, 30): "VUR",
    (1, 90): "PSR",
    (1, 91): "NMR",
    (1, 92): "CNR",
    (1, 93): "SSR",
    (1, 94): "CDR",
    (15, 30): "STR",
}
"""The records that V4-2007 added, for scan tests; they are skipped by their length."""

RECORD_NAMES: Mapping[tuple[int, int], str] = {
    **{number: layout.name for number, layout in LAYOUTS.items()},
    **LATER_RECORDS,
}
"""The three letters of every record that has a name."""
