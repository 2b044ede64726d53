"""
The records of ATDF: the same fields as in STDF, in the order of the text form.

A type of STDF says how a field's text is read. ``time`` is a date with a time of day,
and the flags of STDF are letters, each of which stands for bits.
"""

from __future__ import annotations

from collections.abc import Mapping

from rigbridge_stdf.records.layouts import EQUIPMENT

__all__ = ["ALARMS", "ASCII_LAYOUTS"]

_COUNTS = "RTST_CNT:U ABRT_CNT:U GOOD_CNT:U FUNC_CNT:U"
_LIMITS = "LO_LIMIT:R HI_LIMIT:R"
_FORMATS = (
    "C_RESFMT:T C_LLMFMT:T C_HLMFMT:T LO_SPEC:R HI_SPEC:R RES_SCAL:I LLM_SCAL:I"
    " HLM_SCAL:I"
)
_TEST = "TEST_NUM:U HEAD_NUM:U SITE_NUM:U"
_VERDICT = "pass:T alarms:T"

_WRITTEN = {
    "FAR": "kind:T STDF_VER:U ATDF_VER:U scaled:T",
    "ATR": "MOD_TIM:time CMD_LINE:T",
    "MIR": (
        "LOT_ID:T PART_TYP:T JOB_NAM:T NODE_NAM:T TSTR_TYP:T SETUP_T:time"
        " START_T:time OPER_NAM:T MODE_COD:T STAT_NUM:U SBLOT_ID:T TEST_COD:T"
        " RTST_COD:T JOB_REV:T EXEC_TYP:T EXEC_VER:T PROT_COD:T CMOD_COD:T BURN_TIM:U"
        " TST_TEMP:T USER_TXT:T AUX_FILE:T PKG_TYP:T FAMLY_ID:T DATE_COD:T FACIL_ID:T"
        " FLOOR_ID:T PROC_ID:T OPER_FRQ:T SPEC_NAM:T SPEC_VER:T FLOW_ID:T SETUP_ID:T"
        " DSGN_REV:T ENG_ID:T ROM_COD:T SERL_NUM:T SUPR_NAM:T"
    ),
    "MRR": "FINISH_T:time DISP_COD:T USR_DESC:T EXC_DESC:T",
    "PCR": f"HEAD_NUM:U SITE_NUM:U PART_CNT:U {_COUNTS}",
    "HBR": "HEAD_NUM:U SITE_NUM:U HBIN_NUM:U HBIN_CNT:U HBIN_PF:T HBIN_NAM:T",
    "SBR": "HEAD_NUM:U SITE_NUM:U SBIN_NUM:U SBIN_CNT:U SBIN_PF:T SBIN_NAM:T",
    # Testers write letters for the type of a channel, so it stays text.
    "PMR": (
        "PMR_INDX:U CHAN_TYP:T CHAN_NAM:T PHY_NAM:T LOG_NAM:T HEAD_NUM:U SITE_NUM:U"
    ),
    "PGR": "GRP_INDX:U GRP_NAM:T PMR_INDX:U*",
    "PLR": "GRP_INDX:T GRP_MODE:T GRP_RADX:T PGM_CHAR:T RTN_CHAR:T",
    "RDR": "RTST_BIN:U*",
    "SDR": (
        "HEAD_NUM:U SITE_GRP:U SITE_NUM:U* "
        + " ".join(f"{part}_TYP:T {part}_ID:T" for part in EQUIPMENT)
    ),
    "WIR": "HEAD_NUM:U START_T:time SITE_GRP:U WAFER_ID:T",
    "WRR": (
        f"HEAD_NUM:U FINISH_T:time PART_CNT:U WAFER_ID:T SITE_GRP:U {_COUNTS}"
        " FABWF_ID:T FRAME_ID:T MASK_ID:T USR_DESC:T EXC_DESC:T"
    ),
    "WCR": (
        "WF_FLAT:T POS_X:T POS_Y:T WAFR_SIZ:R DIE_HT:R DIE_WID:R WF_UNITS:U CENTER_X:U"
        " CENTER_Y:U"
    ),
    "PIR": "HEAD_NUM:U SITE_NUM:U",
    "PRR": (
        "HEAD_NUM:U SITE_NUM:U PART_ID:T NUM_TEST:U pass:T HARD_BIN:U SOFT_BIN:U"
        " X_COORD:U Y_COORD:U retest:T aborted:T TEST_T:U PART_TXT:T PART_FIX:T"
    ),
    "TSR": (
        "HEAD_NUM:U SITE_NUM:U TEST_NUM:U TEST_NAM:T TEST_TYP:T EXEC_CNT:U FAIL_CNT:U"
        " ALRM_CNT:U SEQ_NAME:T TEST_LBL:T TEST_TIM:R TEST_MIN:R TEST_MAX:R TST_SUMS:R"
        " TST_SQRS:R"
    ),
    "PTR": (
        f"{_TEST} RESULT:R {_VERDICT} TEST_TXT:T ALARM_ID:T compare:T UNITS:T"
        f" {_LIMITS} {_FORMATS}"
    ),
    "MPR": (
        f"{_TEST} RTN_STAT:N* RTN_RSLT:R* {_VERDICT} TEST_TXT:T ALARM_ID:T compare:T"
        f" UNITS:T {_LIMITS} START_IN:R INCR_IN:R UNITS_IN:T RTN_INDX:U* {_FORMATS}"
    ),
    "FTR": (
        f"{_TEST} {_VERDICT} VECT_NAM:T TIME_SET:T CYCL_CNT:U REL_VADR:X REPT_CNT:U"
        " NUM_FAIL:U XFAIL_AD:U YFAIL_AD:U VECT_OFF:U RTN_INDX:U* RTN_STAT:N*"
        " PGM_INDX:U* PGM_STAT:N* FAIL_PIN:U* OP_CODE:T TEST_TXT:T ALARM_ID:T"
        " PROG_TXT:T RSLT_TXT:T PATG_NUM:U SPIN_MAP:U*"
    ),
    "BPS": "SEQ_NAME:T",
    "EPS": "",
    "GDR": "GEN_DATA:V",
    "DTR": "TEXT_DAT:T",
}


def _pair(word: str) -> tuple[str, str]:
    name, _, kind = word.partition(":")
    return name, kind


ASCII_LAYOUTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    name: tuple(map(_pair, written.split())) for name, written in _WRITTEN.items()
}
"""
The fields of each record with their kinds: ``U`` an integer, ``X`` one in hexadecimal,
``I`` an exponent, ``R`` a number, ``N`` a hexadecimal digit, ``T`` a text, ``V`` the
values of a GDR, ``time`` a time; a star is a list with commas.
"""

ALARMS: Mapping[str, tuple[int, int]] = {
    "A": (1 << 0, 0),
    "U": (1 << 2, 0),
    "T": (1 << 3, 0),
    "N": (1 << 4, 0),
    "X": (1 << 5, 0),
    "S": (0, 1 << 0),
    "D": (0, 1 << 1),
    "O": (0, 1 << 2),
    "H": (0, 1 << 3),
    "L": (0, 1 << 4),
}
"""The bits of TEST_FLG and PARM_FLG that the letters of the alarm flags stand for."""
